//! The configuration that is in use.

use std::path::PathBuf;

use super::metrics::Watched;
use super::reload::{Load, StartError};
use crate::config::Config;
use crate::files;

/// Where the configuration comes from.
#[derive(Debug)]
pub enum ConfigSource {
    /// This configuration, which does not change.
    Fixed(Box<Config>),
    /// A file, which is loaded again when it changes.
    File(PathBuf),
}

/// The path of a config file.
pub(super) struct ConfigFile(pub(super) PathBuf);

impl Load for ConfigFile {
    const WHAT: Watched = Watched::Config;
    type Bytes = String;
    type Value = Config;

    fn read(&self) -> Result<String, StartError> {
        let read = files::read(&self.0, Config::MAX_BYTES).and_then(files::text);
        read.map_err(|error| {
            let path = self.0.display();
            StartError(format!("cannot read the config file {path}: {error}"))
        })
    }

    fn parse(&self, text: &String) -> Result<Config, StartError> {
        Config::read(text).map_err(|problems| {
            let path = self.0.display().to_string();
            let faults: Vec<_> = problems.lines(&path).collect();
            let faults = faults.join("\n  ");
            StartError(format!("the config file {path} is not usable:\n  {faults}"))
        })
    }
}
