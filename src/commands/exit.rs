//! The result of a command, and its exit code.

use std::process::ExitCode;

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Success.
    Done,
    /// A check found a difference or a problem.
    Differs,
    /// The command could not do its work. The errors have been printed.
    Failed,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::Differs => 1,
            Status::Failed => 2,
        })
    }
}
