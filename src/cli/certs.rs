//! `certs …`: its flags.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Subcommand;

use super::Form;

/// `certs …`
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Make a CA and a certificate of the webhook, for development and for clusters without a certificate manager
    ///
    /// Writes ca.crt, ca.key, tls.crt (leaf and CA) and tls.key; the keys are readable by their owner only. Nothing is overwritten.
    #[command(
        after_help = "Examples:\n  seldon-tracing certs new --dir certs/dev --dns localhost --ip 127.0.0.1\n  seldon-tracing certs new --dir certs/prod --dns seldon-tracing.seldon-tracing.svc"
    )]
    New {
        /// The folder to write into; made if it is not there
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// A DNS name of the webhook, such as SERVICE.NAMESPACE.svc; may be given several times
        #[arg(long, value_name = "NAME", required_unless_present = "ip")]
        dns: Vec<String>,
        /// An address of the webhook; may be given several times
        #[arg(long, value_name = "ADDRESS")]
        ip: Vec<IpAddr>,
        /// How many days the webhook's certificate is valid
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36500))]
        days: u32,
        /// How many days the CA is valid
        #[arg(long, value_name = "DAYS", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
        ca_days: u32,
    },
    /// Show what is in a file of certificates: subject, names, expiry, and how the chain hangs together
    ///
    /// Exits with 1 if one of them is not valid now, or the chain does not hang together.
    #[command(after_help = "Example:\n  seldon-tracing certs show certs/dev/tls.crt")]
    Show {
        /// A file of certificates in PEM, or - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The form of the answer
        #[arg(short = 'o', long, value_name = "FORM", default_value = "table")]
        output: Form,
    },
}
