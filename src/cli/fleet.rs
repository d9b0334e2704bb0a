//! The flags of `status` and `resync`.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::cluster::{Connection, Scope};
use super::shared::Form;

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  seldon-tracing status -A                                every model of the cluster
  seldon-tracing status -n models -l team=risk            some of a namespace
  seldon-tracing status -A -o wide                        with the reasons
  seldon-tracing status -A --fail-on missing,problem      exit 1 if there are any, for CI";

pub(super) const RESYNC_EXAMPLES: &str = "\
Examples:
  seldon-tracing resync iris --dry-run                    show what would change, and which pods would restart
  seldon-tracing resync iris churn -n models              bring two models to the current config
  seldon-tracing resync -A -l team=risk --yes             without confirmation, for scripts
  seldon-tracing resync -A --parallel 5 --timeout 10m";

/// The standings of a model.
pub const STANDINGS: [&str; 7] = [
    "missing",
    "leftover",
    "outdated",
    "problem",
    "traced",
    "traced-by-hand",
    "off",
];

/// `status`
#[derive(Args, Debug)]
pub struct Status {
    /// Which cluster.
    #[command(flatten)]
    pub connection: Connection,
    /// Which models.
    #[command(flatten)]
    pub scope: Scope,
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table")]
    pub output: StatusForm,
    /// Exit with 1 if a model has one of these standings
    #[arg(long, value_name = "STANDING", value_delimiter = ',', value_parser = PossibleValuesParser::new(STANDINGS))]
    pub fail_on: Vec<String>,
}

/// An output format of `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusForm {
    /// A table for reading.
    Table,
    /// The table with the reasons.
    Wide,
    /// JSON for programs.
    Json,
    /// YAML, with the content of the JSON.
    Yaml,
    /// Only the names, as kubectl takes them.
    Name,
}

/// `resync`
#[derive(Args, Debug)]
pub struct Resync {
    /// The models [default: all that are outdated]
    #[arg(value_name = "NAME", conflicts_with_all = ["all_namespaces", "selector"])]
    pub names: Vec<String>,
    /// Which cluster.
    #[command(flatten)]
    pub connection: Connection,
    /// Which models.
    #[command(flatten)]
    pub scope: Scope,
    /// Do not ask for confirmation
    #[arg(short = 'y', long)]
    pub yes: bool,
    /// Show what would change, by a server-side dry run
    #[arg(long)]
    pub dry_run: bool,
    /// How many models may restart at a time
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub parallel: u16,
    /// How long to wait for a model to be available again, before the next one
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Output format of the changes
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table")]
    pub output: Form,
}
