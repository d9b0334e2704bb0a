//! The subcommands: each reads, calls the core, and writes.

mod certs;
mod config;
mod explain;
mod generate;
mod in_place;
mod inject;
mod messages;
mod review;
mod serve;
mod sources;

use std::io;
use std::process::ExitCode;

use crate::cli::{Cli, Color, Command};

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Done,
    /// What was looked at is not as it should be.
    Differs,
    /// The input is wrong; it has been said how.
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

/// Runs a command.
///
/// # Errors
/// What keeps the command from being carried out, for the person who called it.
pub fn run(cli: Cli) -> anyhow::Result<Status> {
    match cli.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    match cli.command {
        Command::Inject(arguments) => inject::inject(&arguments),
        Command::Uninject(arguments) => inject::uninject(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Serve(arguments) => serve::serve(&arguments, cli.color != Color::Never),
        Command::Review(arguments) => review::review(&arguments),
        Command::Certs(command) => certs::certs(&command),
        Command::Config(command) => config::config(&command),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { dir } => generate::man(&dir),
    }
}

/// Whether an error is a reader that has gone, such as `head`: no fault of anybody's.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says on standard error what kept a command from being carried out.
pub fn report(error: &anyhow::Error) {
    messages::error(&format!("{error:#}"));
}
