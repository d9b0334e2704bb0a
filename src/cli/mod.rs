//! The command line: types only, from which help, completions and man pages are made.

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
/// A SeldonDeployment that is annotated `tracing: "true"` gets the variables that Seldon's tracing needs into every
/// container that Seldon really runs: containers, the orchestrator, prepackaged servers, the explainer. `serve` is
/// the webhook that does this inside a cluster; `inject` does it to manifests, without touching a byte of them that
/// need not change; both take it out again.
#[derive(Debug, Parser)]
#[command(
    name = "seldon-tracing",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done, 1 --check or review found fault, 2 the input or the usage is wrong."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 100 // behind what the subcommands themselves take
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
    /// Take out what was injected
    ///
    /// Everything that the record in the annotation tracing.seldon.io/injected names is taken out, as far as nobody has
    /// changed it since; the manifest is then as it was before. A tracing annotation of the user's stays.
    #[command(after_help = UNINJECT_EXAMPLES)]
    Uninject(Uninject),
    /// Say what is or would be injected, from which layer each value comes, what is left alone, and why
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Be the webhook: answer the API server over HTTPS
    ///
    /// /mutate is for objects that carry the annotation, /mutate/default-on for namespaces labelled tracing=enabled. It needs
    /// a certificate and nothing else: no access to the API server, no token, no state.
    #[command(after_help = serve::EXAMPLES)]
    Serve(Serve),
    /// Be the API server: send a manifest to a webhook over HTTPS, check the answer by its rules, show what it does
    ///
    /// Without --url, a webhook is started for this on loopback, with a certificate made on the spot: the whole way on one
    /// machine.
    #[command(after_help = review::EXAMPLES)]
    Review(Review),
    /// Make certificates for the webhook, or look into one
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Check a config file, or show the effective one
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  seldon-tracing completions bash > /etc/bash_completion.d/seldon-tracing"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    #[command(after_help = "Example:\n  seldon-tracing man --dir /usr/local/share/man/man1")]
    Man {
        /// The folder, which must exist.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

const INJECT_EXAMPLES: &str = "\
Examples:
  seldon-tracing inject -f model.yaml                     print the manifest with tracing
  seldon-tracing inject -f model.yaml --diff              show what would change
  seldon-tracing inject -f models/ --in-place             write it into the files of a folder
  seldon-tracing inject -f models/ --check                exit 1 if a file is not as it should be
  kustomize build . | seldon-tracing inject | kubectl apply -f -
  seldon-tracing inject -f model.yaml --tracing true      also where no annotation asks for it";

const UNINJECT_EXAMPLES: &str = "\
Examples:
  seldon-tracing uninject -f model.yaml                   print the manifest as it was
  seldon-tracing uninject -f models/ --in-place           take tracing out of the files of a folder
  kubectl get sdep my-model -o yaml | seldon-tracing uninject";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  seldon-tracing explain -f model.yaml                    a table for people
  kubectl get sdep my-model -o yaml | seldon-tracing explain
  seldon-tracing explain -f models/ -o json               for machines, as docs/explain.md says";

/// Where manifests come from.
#[derive(Args, Debug)]
pub struct Input {
    /// A manifest, a folder of them (.yaml, .yml and .json, at any depth), or - for standard input
    ///
    /// May be given several times. Without it, what is piped in is read.
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What is known beside the manifests.
#[derive(Args, Debug)]
pub struct Surroundings {
    /// The config file; without it, the built-in configuration
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// The namespace of objects that do not name one
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Do as in a namespace that is labelled tracing=enabled: trace unless an annotation says false
    #[arg(long)]
    pub namespace_default: bool,
}

/// What becomes of the result.
#[derive(Args, Debug)]
pub struct Output {
    /// Print a unified diff instead of the manifest
    #[arg(long)]
    pub diff: bool,
    /// Write the files instead of printing: each at once, with its mode and owner, or none of them if anything is wrong
    ///
    /// Each file is first prepared beside its place, under a hidden name (.seldon-tracing-*.tmp); when all are prepared, they are
    /// renamed into their places. Ctrl-C before that removes what was prepared. If the process is killed, each file is whole, old or
    /// new; running the command again does the rest, and prepared files that are left can be deleted. Symlinks stay. Refused are
    /// standard input, what is no regular file, and a file with hard links, which would be parted from it.
    #[arg(long, conflicts_with = "check")]
    pub in_place: bool,
    /// Change and print nothing but the names of the files that would change, and exit 1 if there are any
    #[arg(long)]
    pub check: bool,
}

/// `inject`
#[derive(Args, Debug)]
pub struct Inject {
    /// Where manifests come from.
    #[command(flatten)]
    pub input: Input,
    /// What becomes of the result.
    #[command(flatten)]
    pub output: Output,
    /// What is known beside the manifests.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Write the tracing annotation with this value (true, false or a profile) into every SeldonDeployment that has none
    ///
    /// `uninject` takes it out again.
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
}

/// `uninject`
#[derive(Args, Debug)]
pub struct Uninject {
    /// Where manifests come from.
    #[command(flatten)]
    pub input: Input,
    /// What becomes of the result.
    #[command(flatten)]
    pub output: Output,
    /// The config file, for the key of the tracing annotation; without it, the built-in configuration
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
    /// Where manifests come from.
    #[command(flatten)]
    pub input: Input,
    /// What is known beside the manifests.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// The form of the answer
    #[arg(short = 'o', long, value_name = "FORM", default_value = "table")]
    pub output: Form,
    /// Explain what `inject --tracing VALUE` would do
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
    /// Show, behind the table, what `inject` changes in the text
    #[arg(long)]
    pub diff: bool,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// For machines.
    Json,
    /// The same as JSON, easier to read.
    Yaml,
}

/// `config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a config file; all that is wrong with it is said at once
    #[command(after_help = "Example:\n  seldon-tracing config check manifests/base/config.yaml")]
    Check {
        /// The config file, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show the effective configuration: the file's, and what is built in where it says nothing
    #[command(
        after_help = "Examples:\n  seldon-tracing config show\n  seldon-tracing config show -f config.yaml -o json"
    )]
    Show {
        /// The config file, or - for standard input; without it, the built-in configuration
        #[arg(
            short = 'f',
            long = "filename",
            value_name = "FILE",
            env = "SELDON_TRACING_CONFIG",
            hide_env_values = true
        )]
        file: Option<PathBuf>,
        /// The form of the answer
        #[arg(short = 'o', long, value_name = "FORM", default_value = "yaml")]
        output: ConfigForm,
    },
}

/// The form in which a configuration is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigForm {
    /// As the file is written.
    Yaml,
    /// For machines.
    Json,
}

impl Output {
    /// Whether the new text itself is what is asked for.
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
