//! `config check`, `config show` and `config schema`; `load` reads the configuration for every command.

use std::path::Path;

use anyhow::Context;

use super::exit::Status;
use super::messages::{self, json, plural, print, printable};
use super::sources::Source;
use crate::cli::{ConfigCommand, DataForm};
use crate::config::Config;
use crate::files::text;
use crate::manifest::emit::to_yaml;

/// `config …`
pub(super) fn config(command: &ConfigCommand) -> anyhow::Result<Status> {
    match command {
        ConfigCommand::Check { file } => {
            let missing = "nothing to check: name a config file, or - for standard input";
            let file = file.path().context(missing)?;
            let Some(config) = load(Some(file))? else {
                return Ok(Status::Differs);
            };
            print(&format!(
                "{}: good ({}, {})\n",
                printable(&Source::of(file).name()),
                plural(config.profiles.len(), "profile"),
                plural(config.namespaces.len(), "namespace")
            ))?;
        }
        ConfigCommand::Show {
            file,
            default,
            output,
        } => {
            let Some(config) = load(file.path().or(default.config.as_deref()))? else {
                return Ok(Status::Failed);
            };
            let value = serde_json::to_value(config)?;
            print(&match output {
                DataForm::Yaml => to_yaml(&value),
                DataForm::Json => json(&value),
            })?;
        }
        ConfigCommand::Schema => print(Config::SCHEMA)?,
    }
    Ok(Status::Done)
}

/// Reads the config file; without one, the built-in configuration. `None` after the problems of a wrong file have been printed.
pub(super) fn load(path: Option<&Path>) -> anyhow::Result<Option<Config>> {
    let Some(path) = path else {
        return Ok(Some(Config::default()));
    };
    let source = Source::of(path);
    let text = source
        .read(Config::MAX_BYTES)
        .and_then(text)
        .with_context(|| format!("cannot read the config file {}", source.name()))?;
    match Config::read(&text) {
        Ok(config) => Ok(Some(config)),
        Err(problems) => {
            for line in problems.lines(&source.name()) {
                messages::error(&line);
            }
            Ok(None)
        }
    }
}
