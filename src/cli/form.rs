//! The output formats.

use clap::ValueEnum;

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A table for reading.
    Table,
    /// JSON for programs.
    Json,
    /// The same content as JSON.
    Yaml,
}
