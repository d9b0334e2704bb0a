//! Runs the binary.

use std::process::Command;

/// The binary as a command, without the variables that whoever runs the tests has set for it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seldon-tracing"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SELDON_TRACING_") {
            command.env_remove(name);
        }
    }
    command.env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR");
    command
}
