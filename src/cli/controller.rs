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
  seldon-tracing controller --certificates=false     where cert-manager keeps the certificates

Signals: SIGTERM and SIGINT end it. It may be ended at any time: the next start goes on from what is in the cluster.";

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
    /// Keep the certificates and caBundle; false where cert-manager or a person does
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub certificates: bool,
    /// How long a certificate of the webhook is valid; a new one is made when a third of it is left
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = humantime::parse_duration)]
    pub certificate_lifetime: Duration,
    /// How long a CA is valid
    #[arg(long, value_name = "TIME", default_value = "1825d", value_parser = humantime::parse_duration)]
    pub ca_lifetime: Duration,
    /// How long before the end of a CA a new one is made
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = humantime::parse_duration)]
    pub ca_renew_before: Duration,
    /// How long API servers may take to use a changed caBundle
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub trust_delay: Duration,
    /// How long pods may take to serve a changed certificate: the kubelet brings it after up to two minutes
    #[arg(long, value_name = "TIME", default_value = "3m", value_parser = humantime::parse_duration)]
    pub load_delay: Duration,
    /// Write models again that an outage of the webhook let through, so that it decides on them; false to leave them
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub repair: bool,
    /// How long such a model is left alone first, because a write that repairs it may be under way
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub repair_grace: Duration,
    /// How many models are repaired within a minute; each repair restarts pods
    #[arg(long, value_name = "COUNT", default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..))]
    pub repairs_per_minute: u16,
    /// The config file of the webhook, to know what a model should have.
    #[command(flatten)]
    pub file: ConfigFile,
    /// The log.
    #[command(flatten)]
    pub log: LogFlags,
}
