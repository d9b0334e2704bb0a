//! The flags of `config`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// `config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a config file, and report all problems in it
    #[command(after_help = "Example:\n  seldon-tracing config check manifests/base/config.yaml")]
    Check {
        /// The config file, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show the effective configuration: the settings of the file and the built-in defaults
    #[command(
        after_help = "Examples:\n  seldon-tracing config show\n  seldon-tracing config show -f config.yaml -o json"
    )]
    Show {
        /// The config file, or - for standard input [default: the built-in configuration]
        #[arg(
            short = 'f',
            long = "filename",
            value_name = "FILE",
            env = "SELDON_TRACING_CONFIG",
            hide_env_values = true
        )]
        file: Option<PathBuf>,
        /// Output format
        #[arg(short = 'o', long, value_name = "FORMAT", default_value = "yaml")]
        output: ConfigForm,
    },
}

/// An output format of `config show`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigForm {
    /// YAML, as in a config file.
    Yaml,
    /// JSON for programs.
    Json,
}
