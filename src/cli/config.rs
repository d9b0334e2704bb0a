//! The flags of `config`.

use clap::Subcommand;

use super::shared::{ConfigFile, DataForm, OneFile};

/// `config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a config file, and report all problems in it
    ///
    /// Exits with 1 if there are any.
    #[command(after_help = "Example:\n  seldon-tracing config check manifests/base/config.yaml")]
    Check {
        /// The config file.
        #[command(flatten)]
        file: OneFile,
    },
    /// Show the effective configuration: the settings of the file and the built-in defaults
    #[command(
        after_help = "Examples:\n  seldon-tracing config show\n  seldon-tracing config show config.yaml -o json"
    )]
    Show {
        /// The config file.
        #[command(flatten)]
        file: OneFile,
        /// The config file, as other commands have it.
        #[command(flatten)]
        default: ConfigFile,
        /// Output format
        #[arg(short = 'o', long, value_name = "FORMAT", default_value = "yaml")]
        output: DataForm,
    },
    /// Print the JSON Schema of the config file
    ///
    /// Editors complete and check a config file by it: name it in the first line of the file, `# yaml-language-server:
    /// $schema=config.schema.json`. It catches most mistakes; `config check` catches all.
    #[command(after_help = "Example:\n  seldon-tracing config schema > config.schema.json")]
    Schema,
}
