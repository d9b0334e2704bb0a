//! A server that ends when the tests end, also when they are killed.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

/// Starts the server, and kills its process group when standard input ends: when the tests drop it or die. Some servers leave workers
/// behind, which are in that group too.
const GUARD: &str = r#"exec 3<&0
"$@" < /dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -KILL 0; } 2> /dev/null &
wait "$server""#;

/// A process with its log.
#[derive(Debug)]
pub(crate) struct Guarded {
    guard: Child,
    input: Option<ChildStdin>,
}

impl Guarded {
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        Self::start_with(program, arguments, log, |_| ())
    }

    /// The same, with changes to the command.
    pub(crate) fn start_with(
        program: &Path,
        arguments: &[String],
        log: &Path,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let log = File::create(log).unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "sh"])
            .arg(program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        change(&mut command);
        let mut guard = command.spawn().unwrap();
        let input = guard.stdin.take();
        Self { guard, input }
    }

    /// The exit status, if it has ended by itself.
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
