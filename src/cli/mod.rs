//! The types of the command line. Help, completions and man pages are generated from them.

mod certs;
mod review;
mod serve;

use std::path::PathBuf;

pub use certs::CertsCommand;
pub use review::{Operation, Review, ReviewForm};
pub use serve::{Listen, LogFormat, LogLevel, Serve};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Jaeger tracing for Seldon Core v1 by one annotation.
///
/// Annotate a SeldonDeployment with `tracing: "true"`, and every container that Seldon runs for it gets the variables of
/// Seldon's tracing: containers, the orchestrator, prepackaged servers, the explainer. `serve` is the webhook that adds
/// them inside a cluster; `inject` adds them to manifests and changes no other byte. Both also remove them.
#[derive(Debug, Parser)]
#[command(
    name = "seldon-tracing",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 success, 1 --check, review or certs show found a problem, 2 wrong input or usage."
)]
pub struct Cli {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 100 // after the flags of the subcommands
    )]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add tracing to the SeldonDeployments that ask for it
    #[command(after_help = INJECT_EXAMPLES)]
    Inject(Inject),
    /// Remove everything that was injected
    ///
    /// Removes the parts that the record in the annotation tracing.seldon.io/injected lists, unless a user has changed them
    /// since. The manifest is then as it was before the injection. The user's own tracing annotation stays.
    #[command(after_help = UNINJECT_EXAMPLES)]
    Uninject(Uninject),
    /// Show which variables are injected, where their values come from, what is left alone, and why
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Run the webhook
    ///
    /// Answers the API server over HTTPS: at /mutate for objects with the annotation, at /mutate/default-on for
    /// namespaces labelled tracing=enabled. It needs only a certificate: no access to the API server, no token, no state.
    #[command(after_help = serve::EXAMPLES)]
    Serve(Serve),
    /// Send a manifest to a webhook as the API server would, and show the result
    ///
    /// Checks the answer by the API server's rules, applies the patch, and shows the difference. Without --url, it starts a
    /// webhook on loopback for this call, with a new certificate.
    #[command(after_help = review::EXAMPLES)]
    Review(Review),
    /// Make certificates for the webhook, or show them
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Check a config file, or show the effective configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  seldon-tracing completions bash > /etc/bash_completion.d/seldon-tracing"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages to a folder
    #[command(after_help = "Example:\n  seldon-tracing man --dir /usr/local/share/man/man1")]
    Man {
        /// The folder; it must exist
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

const INJECT_EXAMPLES: &str = "\
Examples:
  seldon-tracing inject -f model.yaml                     print the manifest with tracing
  seldon-tracing inject -f model.yaml --diff              show the changes
  seldon-tracing inject -f models/ --in-place             write the files of a folder
  seldon-tracing inject -f models/ --check                exit 1 if a file would change
  kustomize build . | seldon-tracing inject | kubectl apply -f -
  seldon-tracing inject -f model.yaml --tracing true      also without an annotation";

const UNINJECT_EXAMPLES: &str = "\
Examples:
  seldon-tracing uninject -f model.yaml                   print the original manifest
  seldon-tracing uninject -f models/ --in-place           remove tracing from the files of a folder
  kubectl get sdep my-model -o yaml | seldon-tracing uninject";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  seldon-tracing explain -f model.yaml                    print a table
  kubectl get sdep my-model -o yaml | seldon-tracing explain
  seldon-tracing explain -f models/ -o json               print JSON, as docs/explain.md describes it";

/// The manifests to read.
#[derive(Args, Debug)]
pub struct Input {
    /// A manifest, a folder of manifests (.yaml, .yml and .json, at any depth), or - for standard input
    ///
    /// Can be repeated. The default is standard input, if it is a pipe or a file.
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Settings for all manifests.
#[derive(Args, Debug)]
pub struct Surroundings {
    /// The config file [default: the built-in configuration]
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// The namespace of objects without one
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Trace unless an annotation says false, as in a namespace labelled tracing=enabled
    #[arg(long)]
    pub namespace_default: bool,
}

/// The form of the result.
#[derive(Args, Debug)]
pub struct Output {
    /// Print a unified diff instead of the manifest
    #[arg(long)]
    pub diff: bool,
    /// Write the files instead of printing: all of them or, after any error, none
    ///
    /// Prepares a new file beside each old one, with its mode and owner and a hidden name (.seldon-tracing-*.tmp). When all
    /// are ready, renames them over the old files. If a rename fails, puts the old files back; on a file system without hard
    /// links it cannot, and lists the files that are written. Ctrl-C before the first rename removes the prepared files. If
    /// the process is killed, each file is complete, old or new: delete remaining hidden files, and run the command again.
    /// A symlink stays, and its target is written. Standard input, special files and files with several hard links are
    /// refused.
    #[arg(long, conflicts_with = "check")]
    pub in_place: bool,
    /// Only print the names of files that would change, and exit 1 if there are any
    #[arg(long)]
    pub check: bool,
}

/// `inject`
#[derive(Args, Debug)]
pub struct Inject {
    /// The manifests to read.
    #[command(flatten)]
    pub input: Input,
    /// The form of the result.
    #[command(flatten)]
    pub output: Output,
    /// Settings for all manifests.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Add the tracing annotation with this value (true, false or a profile) to every SeldonDeployment without one
    ///
    /// `uninject` removes it again.
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
}

/// `uninject`
#[derive(Args, Debug)]
pub struct Uninject {
    /// The manifests to read.
    #[command(flatten)]
    pub input: Input,
    /// The form of the result.
    #[command(flatten)]
    pub output: Output,
    /// The config file, for the key of the tracing annotation [default: the built-in configuration]
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
}

/// `explain`
#[derive(Args, Debug)]
pub struct Explain {
    /// The manifests to read.
    #[command(flatten)]
    pub input: Input,
    /// Settings for all manifests.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table")]
    pub output: Form,
    /// Explain the result of `inject --tracing VALUE`
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
    /// After the table, show the changes that `inject` would make
    #[arg(long)]
    pub diff: bool,
}

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

impl Output {
    /// Whether the manifests are printed.
    #[must_use]
    pub const fn prints_manifests(&self) -> bool {
        !(self.diff || self.in_place || self.check)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
