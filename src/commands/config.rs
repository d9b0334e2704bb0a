//! `config check` and `config show`, and how every command gets its configuration.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use super::talk::plural;
use super::talk::printable;
use super::{Status, talk};
use crate::cli::{ConfigCommand, ConfigForm};
use crate::config::Config;
use crate::files::{at_most, text};
use crate::manifest::emit::to_yaml;

/// `config …`
pub(super) fn config(command: &ConfigCommand) -> anyhow::Result<Status> {
    match command {
        ConfigCommand::Check { file } => {
            let Some(config) = load(Some(file))? else {
                return Ok(Status::BadInput);
            };
            let counts = format!(
                "{}, {}",
                plural(config.profiles.len(), "profile"),
                plural(config.namespaces.len(), "namespace")
            );
            writeln!(io::stdout(), "{}: good ({counts})", printable(&name(file)))?;
        }
        ConfigCommand::Show { file, output } => {
            let Some(config) = load(file.as_deref())? else {
                return Ok(Status::BadInput);
            };
            let value = config.to_value();
            let text = match output {
                ConfigForm::Yaml => to_yaml(&value),
                ConfigForm::Json => format!("{value:#}\n"),
            };
            io::stdout().write_all(text.as_bytes())?;
        }
    }
    Ok(Status::Done)
}

/// Whether standard input is meant.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How messages call the file.
fn name(path: &Path) -> String {
    if is_stdin(path) {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads the config file; without one, the built-in configuration. Nothing if it is wrong: then it has been said how.
pub(super) fn load(path: Option<&Path>) -> anyhow::Result<Option<Config>> {
    let Some(path) = path else {
        return Ok(Some(Config::default()));
    };
    let read = || {
        let bytes = if is_stdin(path) {
            at_most(io::stdin().lock(), Config::MAX_BYTES)
        } else {
            // It is read once, so that it may come from a pipe: --config <(...)
            at_most(File::open(path)?, Config::MAX_BYTES)
        };
        text(bytes?)
    };
    let text = read().with_context(|| format!("cannot read the config file {}", name(path)))?;
    match Config::read(&text) {
        Ok(config) => Ok(Some(config)),
        Err(problems) => {
            for line in problems.lines(&name(path)) {
                talk::error(&line);
            }
            Ok(None)
        }
    }
}
