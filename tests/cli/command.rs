//! Runs commands and looks at what they print.

use std::path::Path;

use assert_cmd::Command;

use crate::support::binary;
pub(crate) use crate::support::fixtures::folder;
use crate::support::fixtures::root;

/// The binary in the checkout, with lines of 100 columns.
pub(crate) fn seldon_tracing() -> Command {
    let mut command = Command::from_std(binary::command());
    command.env("COLUMNS", "100").current_dir(root());
    command
}

/// What a run printed.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output. The run must have succeeded, without a warning.
    #[track_caller]
    pub(crate) fn data(self) -> String {
        let warns = self.stderr.contains("warning: ") || self.stderr.contains("error: ");
        assert!(self.code == 0 && !warns, "{self:?}");
        self.stdout
    }

    /// Stderr. The run must have refused its input, with nothing on standard output.
    #[track_caller]
    pub(crate) fn refusal(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (2, ""), "{self:?}");
        self.stderr
    }
}

/// Runs the binary in a folder, with a text on standard input.
pub(crate) fn run_in(folder: &Path, arguments: &[&str], stdin: &str) -> Run {
    let mut command = seldon_tracing();
    command.current_dir(folder).args(arguments);
    outcome(command.write_stdin(stdin))
}

/// Runs the binary with a text on standard input.
pub(crate) fn run(arguments: &[&str], stdin: &str) -> Run {
    run_in(root(), arguments, stdin)
}

pub(crate) fn outcome(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A traced model with a container of its own.
pub(crate) const MODEL: &str = "\
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: model
  annotations:
    tracing: \"true\"   # a person's comment
spec:
  predictors:
  - name: default
    graph: {name: classifier, type: MODEL}
    componentSpecs:
    - spec:
        containers:
        - name: classifier
          image: 'example.com/model:1'
";

/// The same without any annotation.
pub(crate) fn plain_model() -> String {
    MODEL.replace(
        "  annotations:\n    tracing: \"true\"   # a person's comment\n",
        "",
    )
}

/// A text in UTF-16, with a byte order mark.
pub(crate) fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    marked.encode_utf16().flat_map(bytes).collect()
}
