//! `check`: its flags.

use std::time::Duration;

use clap::Args;

use super::cluster::Connection;
use super::shared::Form;

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  seldon-tracing check --pre              before the installation
  kubectl apply -k manifests/default
  seldon-tracing check --wait 2m          after the installation
  seldon-tracing check -o json

✓ good   ✗ wrong: exit code 1   ‼ warning   - not checked";

/// `check`
#[derive(Args, Debug)]
pub struct Check {
    /// Which cluster.
    #[command(flatten)]
    pub connection: Connection,
    /// Check whether the cluster is ready for the installation, and whether you may install
    #[arg(long)]
    pub pre: bool,
    /// The namespace of the model that is created as a dry run, with nothing stored [default: the namespace of the context]
    #[arg(short = 'n', long, value_name = "NAME", conflicts_with = "pre")]
    pub namespace: Option<String>,
    /// Try again until nothing is wrong, at most for this time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub wait: Option<Duration>,
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table")]
    pub output: Form,
}
