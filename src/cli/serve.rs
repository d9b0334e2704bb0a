//! `serve`: its flags.

use std::net::{AddrParseError, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  seldon-tracing serve --tls-cert tls.crt --tls-key tls.key
  seldon-tracing serve --dev > ca.crt                     on loopback, with a certificate made in memory
  seldon-tracing review -f model.yaml --url https://127.0.0.1:8443 --cacert ca.crt

Signals: SIGTERM and SIGINT begin an orderly shutdown; a second one exits at once.
Exit codes: 0 shut down in order, 1 ended at once by a second signal, 2 could not start or go on.";

/// `serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// Where the webhook listens, with TLS: at one address, or with a port alone at every address (with --dev, at
    /// loopback); by default 8443
    #[arg(
        long,
        value_name = "[ADDRESS:]PORT",
        env = "SELDON_TRACING_LISTEN",
        hide_env_values = true
    )]
    pub listen: Option<Listen>,
    /// Where /livez, /readyz and /metrics are answered, without TLS; likewise, by default 8080
    #[arg(
        long,
        value_name = "[ADDRESS:]PORT",
        env = "SELDON_TRACING_ADMIN_LISTEN",
        hide_env_values = true
    )]
    pub admin_listen: Option<Listen>,
    /// The certificate chain, leaf first, in PEM; read again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_TLS_CERT",
        hide_env_values = true,
        default_value = "/tls/tls.crt"
    )]
    pub tls_cert: PathBuf,
    /// The private key of the certificate, in PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_TLS_KEY",
        hide_env_values = true,
        default_value = "/tls/tls.key"
    )]
    pub tls_key: PathBuf,
    /// Answer only clients whose certificate a CA in this file has signed, as kube-apiserver's can be
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CLIENT_CA",
        hide_env_values = true
    )]
    pub client_ca: Option<PathBuf>,
    /// The config file; without it, the built-in configuration
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// How long, after SIGTERM, requests are still taken while every answer closes its connection
    #[arg(long, value_name = "TIME", env = "SELDON_TRACING_LAME_DUCK", hide_env_values = true, default_value = "10s", value_parser = humantime::parse_duration)]
    pub lame_duck: Duration,
    /// How long, after that, requests that have begun may take to end
    #[arg(long, value_name = "TIME", env = "SELDON_TRACING_DRAIN", hide_env_values = true, default_value = "10s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// The form of the log on standard error
    #[arg(
        long,
        value_name = "FORM",
        env = "SELDON_TRACING_LOG_FORMAT",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub log_format: LogFormat,
    /// The least that a line of the log must matter
    #[arg(
        long,
        value_name = "LEVEL",
        env = "SELDON_TRACING_LOG_LEVEL",
        hide_env_values = true,
        default_value = "info"
    )]
    pub log_level: LogLevel,
    /// Threads that serve
    #[arg(long, value_name = "COUNT", env = "SELDON_TRACING_WORKERS", hide_env_values = true, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// For trying it out: make a CA and a certificate for localhost in memory, print the CA, listen on loopback only
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub dev: bool,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// There only.
    Address(SocketAddr),
    /// At this port of every address: no single address says that on all machines, for some have no IPv6.
    Port(u16),
}

impl FromStr for Listen {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(port) = text.parse() {
            return Ok(Self::Port(port));
        }
        text.parse().map(Self::Address)
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The least that a line of the log must matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What is broken.
    Error,
    /// What needs somebody.
    Warn,
    /// Every decision.
    Info,
    /// Connections too.
    Debug,
}
