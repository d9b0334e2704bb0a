//! Whether processes start: many environments, one after the other.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::json;

use super::Rig;
use super::kubelet::Environment;
use super::wrapper::{SCRIPTS, image};

/// What came of an environment.
#[derive(Debug, Deserialize)]
pub(crate) struct Start {
    /// It has answered a prediction.
    pub(crate) started: bool,
    /// The code with which it has ended by itself.
    pub(crate) code: Option<i32>,
    pub(crate) log: String,
}

impl Rig {
    /// Starts Seldon's wrapper in each environment, waits until it has answered or ended, and ends it.
    #[track_caller]
    pub(crate) fn wrappers_start(&self, environments: &[Environment]) -> Vec<Start> {
        let mut command = Command::new(self.parts().python("python"));
        image(&mut command);
        let log = self.folder("starts").join("log");
        let mut child = command
            .arg(Path::new(SCRIPTS).join("starts.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let rows: Vec<_> = environments.iter().map(|env| json!({"env": env})).collect();
        let mut input = child.stdin.take().unwrap();
        input.write_all(json!(rows).to_string().as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "see {}", log.display());
        let starts: Vec<Start> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(starts.len(), environments.len());
        starts
    }

    /// Plays no request through the stand-in for the orchestrator: whether it would start.
    pub(crate) fn orchestrator_starts(&self, environment: &Environment) -> Start {
        let output = self.orchestrator(environment, 0, &[]);
        Start {
            started: output.status.success(),
            code: output.status.code(),
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
