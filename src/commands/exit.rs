//! The result of a command, and its exit code.

use std::process::ExitCode;

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Success.
    Done,
    /// A check found a difference or a problem.
    Differs,
    /// The input is wrong, and the errors have been printed.
    BadInput,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Done => 0,
            Status::Differs => 1,
            Status::BadInput => 2,
        })
    }
}
