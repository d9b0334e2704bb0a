//! A server that ends with the tests, however they end.

use std::fs::File;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

/// Starts the server and ends it when its own input ends: when the process of the tests drops it or dies.
const GUARD: &str = r#"exec 3<&0
"$@" < /dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -KILL "$server"; } 2> /dev/null &
wait "$server""#;

/// A process with its log.
#[derive(Debug)]
pub(crate) struct Guarded {
    guard: Child,
    input: Option<ChildStdin>,
}

impl Guarded {
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let input = guard.stdin.take();
        Self { guard, input }
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.guard.try_wait().unwrap()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.input.take());
        // It may have ended before.
        let _ = self.guard.wait();
    }
}
