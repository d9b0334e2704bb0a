//! The subcommands. Each reads its input, calls the library, and prints the result.

mod certs;
mod check;
mod config;
mod controller;
mod exit;
mod explain;
mod fleet;
mod generate;
mod in_place;
mod inject;
mod long_running;
mod messages;
mod resync;
mod review;
mod serve;
mod sources;
mod status;
mod summary;

use std::io;

pub use self::exit::Status;
pub use self::generate::offer;
use crate::cli::{Cli, Color, Command};

/// Runs a command.
///
/// # Errors
/// An error for the user, if the command cannot do its work.
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
        Command::Status(arguments) => status::status(&arguments),
        Command::Resync(arguments) => resync::resync(&arguments),
        Command::Serve(arguments) => serve::serve(&arguments, cli.color != Color::Never),
        Command::Controller(arguments) => {
            controller::controller(&arguments, cli.color != Color::Never)
        }
        Command::Review(arguments) => review::review(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Certs(command) => certs::certs(command),
        Command::Config(command) => config::config(&command),
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { dir } => generate::man(&dir),
    }
}

/// Whether the process at the other end of a pipe, such as `head`, has ended. That is not an error.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints an error on standard error.
pub fn report(error: &anyhow::Error) {
    messages::error(&format!("{error:#}"));
}
