//! The JSON Schema of the config file, for editors and for the values of the Helm chart.
//!
//! A schema cannot say everything that [`Config::read`] checks, such as the value behind a placeholder or a key that is there twice.
//! It accepts every file that `read` accepts, and refuses what people mistype.

use super::Config;

impl Config {
    /// The JSON Schema of the config file (draft 7, which YAML editors and Helm read).
    pub const SCHEMA: &'static str = include_str!("../../manifests/config.schema.json");
}

#[cfg(test)]
pub(super) mod rules;
#[cfg(test)]
pub(super) mod tests;
