//! The binary: parses the command line, runs the command, and returns its exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use seldon_tracing::cli::{Called, Cli};
use seldon_tracing::commands::{is_broken_pipe, offer, report, run};

fn main() -> ExitCode {
    let done = match Called::now() {
        Called::ToComplete => offer(),
        Called::Itself | Called::Plugin => run(Cli::read()),
    };
    match done {
        Ok(status) => status.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(2)
        }
    }
}
