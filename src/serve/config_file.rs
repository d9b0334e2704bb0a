//! The configuration that is in use.

use std::path::PathBuf;

use super::metrics::Watched;
use super::reload::Load;
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

/// A config file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the config file {path}: {error}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
    /// It has errors.
    #[error("the config file {path} is not usable:\n  {faults}", path = .path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// One line for each error.
        faults: String,
    },
}

/// The path of a config file.
#[derive(Debug)]
pub(super) struct ConfigFile(pub(super) PathBuf);

impl Load for ConfigFile {
    const WHAT: Watched = Watched::Config;
    type Bytes = String;
    type Value = Config;
    type Error = ConfigError;

    fn read(&self) -> Result<String, ConfigError> {
        files::read(&self.0, Config::MAX_BYTES)
            .and_then(files::text)
            .map_err(|error| ConfigError::Read {
                path: self.0.clone(),
                error,
            })
    }

    fn parse(&self, text: &String) -> Result<Config, ConfigError> {
        Config::read(text).map_err(|problems| ConfigError::Bad {
            path: self.0.clone(),
            faults: problems
                .lines(&self.0.display().to_string())
                .collect::<Vec<_>>()
                .join("\n  "),
        })
    }
}
