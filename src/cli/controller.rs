//! `controller`: its flags.

use std::time::Duration;

use clap::{Arg, ArgAction, Args};

use super::cluster::Connection;
use super::process::{AdminFlags, LogFlags};
use super::shared::ConfigFile;

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  seldon-tracing controller                          in a pod, by its service account
  seldon-tracing controller --certificates=false     where cert-manager manages the certificates

Signals: SIGTERM and SIGINT stop it. It is safe to stop at any time: it continues from the state of the cluster.";

/// A flag that is on until it is switched off: `--flag`, `--flag=true` or `--flag=false`.
fn switch(flag: Arg) -> Arg {
    if flag.get_default_values() != ["true"] {
        return flag;
    }
    flag.value_name("BOOL")
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
}

/// `controller`
#[derive(Args, Debug)]
#[command(mut_args(switch))]
pub struct Controller {
    /// The cluster.
    #[command(flatten)]
    pub connection: Connection,
    /// Health and metrics.
    #[command(flatten)]
    pub admin: AdminFlags,
    /// Manage the certificates and caBundle; false if cert-manager or you do
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub certificates: bool,
    /// Lifetime of the webhook's certificate; renewed when a third is left
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = humantime::parse_duration)]
    pub certificate_lifetime: Duration,
    /// Lifetime of the CA
    #[arg(long, value_name = "TIME", default_value = "1825d", value_parser = humantime::parse_duration)]
    pub ca_lifetime: Duration,
    /// Create a new CA this long before the old one expires
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = humantime::parse_duration)]
    pub ca_renew_before: Duration,
    /// How long API servers may take to use a changed caBundle
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub trust_delay: Duration,
    /// How long pods may take to serve a changed certificate: the kubelet updates a mounted Secret within two minutes
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = humantime::parse_duration)]
    pub load_delay: Duration,
    /// Repair models that were stored while the webhook was down: write them again, so that it decides on them
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub repair: bool,
    /// Wait this long before a repair, because another write may make it unnecessary
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub repair_grace: Duration,
    /// Maximum repairs per minute; each restarts pods
    #[arg(long, value_name = "COUNT", default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..))]
    pub repairs_per_minute: u16,
    /// The config file of the webhook, to decide as it does.
    #[command(flatten)]
    pub file: ConfigFile,
    /// The log.
    #[command(flatten)]
    pub log: LogFlags,
}
