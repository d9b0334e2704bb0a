//! The types of the command line. Help, completions and man pages are generated from them.

mod called;
mod certs;
mod check;
mod cluster;
mod config;
mod controller;
mod fleet;
mod manifests;
mod process;
mod review;
mod serve;
mod shared;

use std::path::PathBuf;

pub use called::Called;
pub use certs::CertsCommand;
pub use check::Check;
pub use cluster::{Connection, Scope};
pub use config::ConfigCommand;
pub use controller::Controller;
pub use fleet::{Resync, STANDINGS, Status, StatusForm};
pub use manifests::{Explain, ExplainForm, Inject, Output, Uninject};
pub use process::{AdminFlags, Listen, LogFlags, LogFormat, LogLevel};
pub use review::{Operation, Review, ReviewForm};
pub use serve::Serve;
pub use shared::{ConfigFile, DataForm, Form, Input, OneFile, Surroundings};

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

/// The same for all commands; docs/gitops.md has the table too.
const EXIT_CODES: &str = "\
Exit codes:
  0  done; checks found nothing
  1  a check found something: --check, --strict, --fail-on, review, check, config check
  2  could not do its work: wrong usage or input, a file or port cannot be used, a second signal";

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
#[command(after_help = EXIT_CODES)]
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

impl Cli {
    /// The definition of the command line, under the name that the program was called by.
    #[must_use]
    pub fn definition() -> clap::Command {
        Called::now().name(Self::command())
    }

    /// A text for people in which commands have the name that the program was called by.
    #[must_use]
    pub fn text(text: &str) -> String {
        Called::now().text(text, Self::command)
    }

    /// Reads the arguments. Ends the process where they are wrong, with a hint for words that users of other tools try.
    #[must_use]
    pub fn read() -> Self {
        let mut command = Self::definition();
        let matches = command.try_get_matches_from_mut(std::env::args_os());
        let read = matches.and_then(|mut matches| Self::from_arg_matches_mut(&mut matches));
        read.unwrap_or_else(|mut error| {
            let hint = match error.get(ContextKind::InvalidSubcommand) {
                Some(ContextValue::String(word)) => hint(word),
                _ => None,
            };
            if let Some(hint) = hint {
                error.remove(ContextKind::SuggestedSubcommand);
                let hint = ContextValue::StyledStrs(vec![hint.into()]);
                error.insert(ContextKind::Suggested, hint);
            }
            error.format(&mut command).exit()
        })
    }
}

/// The command that does what the word means.
fn hint(word: &str) -> Option<&'static str> {
    Some(match word {
        "validate" | "lint" => {
            "`inject --check --strict` checks manifests, `config check` a config file, `review` a webhook's answer"
        }
        "version" => "use `--version`",
        "diff" => "use `inject --diff`",
        "doctor" | "verify" => "`check` checks an installation, `review` a webhook's answer",
        "install" => "the webhook is installed with kubectl; docs/install.md says how",
        _ => return None,
    })
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
    #[command(after_help = manifests::INJECT_EXAMPLES)]
    Inject(Inject),
    /// Remove everything that was injected
    ///
    /// Removes the parts that the record in the annotation tracing.seldon.io/injected lists, unless a user has changed them
    /// since. The manifest is then as it was before the injection. The user's own tracing annotation stays.
    #[command(after_help = manifests::UNINJECT_EXAMPLES)]
    Uninject(Uninject),
    /// Show which variables are injected, where their values come from, what is left alone, and why
    ///
    /// For sdep/NAME, reads the object from the cluster, and the config and the namespace's label too. A file of that name
    /// comes first.
    #[command(after_help = manifests::EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Show which SeldonDeployments of a cluster are traced, which should be, and why
    ///
    /// Reads the config of the webhook and the labels of the namespaces from the cluster, so it decides as the webhook does.
    /// Needs permission to list SeldonDeployments; lists other missing permissions on standard error.
    #[command(after_help = fleet::STATUS_EXAMPLES)]
    Status(Status),
    /// Bring traced SeldonDeployments to the current config
    ///
    /// Models keep what was injected when the config changes, because new variables restart their pods. This command asks
    /// the webhook for a new decision, model by model: it shows the changes, asks for confirmation, and waits until Seldon
    /// reports each model as Available before it continues. Ctrl-C stops it after the models in progress.
    #[command(after_help = fleet::RESYNC_EXAMPLES)]
    Resync(Resync),
    /// Run the webhook
    ///
    /// Answers the API server over HTTPS: at /mutate for objects with the annotation, at /mutate/default-on for
    /// namespaces labelled tracing=enabled. It needs only a certificate: no access to the API server, no token, no state.
    #[command(after_help = serve::EXAMPLES)]
    Serve(Serve),
    /// Run the controller
    ///
    /// Keeps the certificate of the webhook valid and trusted: makes a CA and a certificate in two Secrets, renews both in time,
    /// and writes `caBundle` of the webhook configuration. Restores any of these that are changed or deleted.
    #[command(after_help = controller::EXAMPLES)]
    Controller(Controller),
    /// Send a manifest to a webhook as the API server would, and show the result
    ///
    /// The file has one SeldonDeployment or a whole AdmissionReview, in YAML or JSON. Checks the answer by the API server's
    /// rules, applies the patch, and shows the difference. Without --url, it starts a webhook on loopback for this call, with
    /// a new certificate.
    #[command(after_help = review::EXAMPLES)]
    Review(Review),
    /// Check an installation in a cluster, or whether a cluster is ready for one
    ///
    /// Looks at the API server, Seldon's resource, the pods, the webhook configuration, the certificates and the receivers. Creates a
    /// model as a dry run, which must come back traced. Skips checks that you have no permission for. Reads no Secret and changes
    /// nothing.
    #[command(after_help = check::EXAMPLES)]
    Check(Check),
    /// Make certificates for the webhook
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
