//! Arguments that several commands have.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

/// The manifests to read.
#[derive(Args, Debug)]
pub struct Input {
    /// A manifest, a folder of manifests (.yaml, .yml and .json, at any depth), or - for standard input
    ///
    /// The default is standard input, if it is a pipe or a file.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same as PATH; can be repeated
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    filenames: Vec<PathBuf>,
}

impl Input {
    /// The paths in both forms.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let all = self.paths.iter().chain(&self.filenames);
        all.map(PathBuf::as_path)
    }
}

/// The file to read.
#[derive(Args, Debug)]
pub struct OneFile {
    /// The file, or - for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same as FILE
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE",
        conflicts_with = "file"
    )]
    filename: Option<PathBuf>,
}

impl OneFile {
    /// The path in either form.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_deref().or(self.filename.as_deref())
    }
}

/// The config file.
#[derive(Args, Debug)]
pub struct ConfigFile {
    /// Config file [default: the built-in configuration]
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
}

/// Inputs besides the objects.
#[derive(Args, Debug)]
pub struct Surroundings {
    /// The config file.
    #[command(flatten)]
    pub file: ConfigFile,
    /// Namespace of objects without one
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Trace unless an annotation says false, as in a namespace labelled tracing=enabled
    #[arg(long, alias = "namespace-default")]
    pub namespace_enabled: bool,
    /// Exit with 1 if there are warnings
    #[arg(long)]
    pub strict: bool,
}

/// A format for people or programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A table for reading.
    Table,
    /// JSON for programs.
    Json,
    /// YAML, with the content of the JSON.
    Yaml,
}

/// A format for objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DataForm {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}
