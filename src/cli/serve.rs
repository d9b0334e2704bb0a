//! `serve`: its flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::process::{AdminFlags, Listen, LogFlags};
use super::shared::ConfigFile;

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  seldon-tracing serve --tls-cert tls.crt --tls-key tls.key
  seldon-tracing serve --dev > ca.crt                     on loopback, with a certificate in memory
  seldon-tracing review model.yaml --url https://127.0.0.1:8443 --cacert ca.crt

Signals: SIGTERM and SIGINT start an orderly shutdown; a second signal stops at once.";

/// `serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// Address of the webhook, with TLS; a port alone means every address (with --dev, loopback) [default: 8443]
    #[arg(
        long,
        value_name = "[ADDRESS:]PORT",
        env = "SELDON_TRACING_LISTEN",
        hide_env_values = true
    )]
    pub listen: Option<Listen>,
    /// Health and metrics.
    #[command(flatten)]
    pub admin: AdminFlags,
    /// Certificate chain, leaf first, in PEM; loaded again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_TLS_CERT",
        hide_env_values = true,
        default_value = "/tls/tls.crt"
    )]
    pub tls_cert: PathBuf,
    /// Private key of the certificate, in PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_TLS_KEY",
        hide_env_values = true,
        default_value = "/tls/tls.key"
    )]
    pub tls_key: PathBuf,
    /// Accept only clients with a certificate signed by a CA in this file, such as kube-apiserver's
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CLIENT_CA",
        hide_env_values = true
    )]
    pub client_ca: Option<PathBuf>,
    /// The config file.
    #[command(flatten)]
    pub file: ConfigFile,
    /// Time after SIGTERM in which requests are still accepted and every answer closes its connection; none with --dev
    #[arg(long, value_name = "TIME", env = "SELDON_TRACING_LAME_DUCK", hide_env_values = true, default_value = "10s", default_value_if("dev", "true", "0s"), value_parser = humantime::parse_duration)]
    pub lame_duck: Duration,
    /// Time after that for open requests to finish; none with --dev
    #[arg(long, value_name = "TIME", env = "SELDON_TRACING_DRAIN", hide_env_values = true, default_value = "10s", default_value_if("dev", "true", "0s"), value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// The log.
    #[command(flatten)]
    pub log: LogFlags,
    /// Number of threads
    #[arg(long, value_name = "COUNT", env = "SELDON_TRACING_WORKERS", hide_env_values = true, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// For development: make a CA and a certificate for localhost in memory, print the CA, listen on loopback only
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub dev: bool,
}
