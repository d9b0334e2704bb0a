//! kubectl, as people run it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::control_plane::ControlPlane;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    #[expect(
        dead_code,
        reason = "read by people, in the message of a failed assertion"
    )]
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A kubectl for the administrator, with nothing of the person who runs the tests in it.
pub(crate) fn command(plane: &ControlPlane) -> Command {
    let mut command = Command::new(plane.kubectl());
    command
        .env_remove("KUBECONFIG")
        // Where `kubectl diff` and `kubectl edit` are to find nothing of a person's.
        .env_remove("KUBECTL_EXTERNAL_DIFF")
        .env_remove("KUBE_EDITOR")
        .arg("--kubeconfig")
        .arg(plane.kubeconfig())
        .arg("--cache-dir")
        .arg(plane.file("kubectl-cache"));
    command
}

pub(crate) fn run(plane: &ControlPlane, input: &str, arguments: &[&str]) -> Ran {
    let mut command = command(plane);
    command.args(arguments);
    finish(command, input)
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Beside the reading, for neither side should wait for the other.
    let writer = std::thread::spawn(move || {
        // Who reads only half of it has his reasons.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        command: format!("{command:?}"),
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// Its standard output, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The object that it printed.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap()
    }

    /// What it said about its failure.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_ne!(self.code, Some(0), "{self:?}");
        self.stderr
    }

    /// The lines that kubectl begins with `Warning:`, without that word.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.stderr
            .lines()
            .filter_map(|line| line.strip_prefix("Warning: "))
            .map(str::to_owned)
            .collect()
    }
}
