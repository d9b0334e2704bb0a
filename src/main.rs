//! The binary: parses the command line, runs the command, and returns its exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use seldon_tracing::cli::Cli;
use seldon_tracing::commands::{is_broken_pipe, report, run};

fn main() -> ExitCode {
    match run(Cli::read()) {
        Ok(status) => status.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(2)
        }
    }
}
