//! Arguments of the commands that run until they are stopped.

use std::net::{AddrParseError, SocketAddr};
use std::str::FromStr;

use clap::{Args, ValueEnum};

/// The log.
#[derive(Args, Clone, Copy, Debug)]
pub struct LogFlags {
    /// Log format on standard error
    #[arg(
        long,
        value_name = "FORMAT",
        env = "SELDON_TRACING_LOG_FORMAT",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub log_format: LogFormat,
    /// Minimum log level
    #[arg(
        long,
        value_name = "LEVEL",
        env = "SELDON_TRACING_LOG_LEVEL",
        hide_env_values = true,
        default_value = "info"
    )]
    pub log_level: LogLevel,
}

/// Health and metrics.
#[derive(Args, Clone, Copy, Debug)]
pub struct AdminFlags {
    /// Address of /livez, /readyz and /metrics, without TLS [default: 8080]
    #[arg(
        long,
        value_name = "[ADDRESS:]PORT",
        env = "SELDON_TRACING_ADMIN_LISTEN",
        hide_env_values = true
    )]
    pub admin_listen: Option<Listen>,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// This address.
    Address(SocketAddr),
    /// This port of every address: a type of its own, because some machines have no IPv6 and no single address covers all.
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

/// Log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object on each line.
    Json,
    /// Text for people.
    Text,
}

/// Minimum log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Errors.
    Error,
    /// Problems that need attention.
    Warn,
    /// Every decision.
    Info,
    /// Connections and refused requests too.
    Debug,
}
