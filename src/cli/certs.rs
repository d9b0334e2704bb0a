//! The flags of `certs`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Subcommand;

/// `certs …`
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Make a CA and a certificate for the webhook
    ///
    /// For development, and for clusters without a certificate manager. Writes ca.crt, ca.key, tls.crt (the certificate and
    /// its CA) and tls.key. Only the owner can read the keys. Existing files are never overwritten.
    #[command(
        after_help = "Examples:\n  seldon-tracing certs new --dir certs/dev --dns localhost --ip 127.0.0.1\n  seldon-tracing certs new --dir certs/prod --dns seldon-tracing.seldon-tracing.svc"
    )]
    New {
        /// The folder for the files; created if it does not exist
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// A DNS name of the webhook, such as SERVICE.NAMESPACE.svc; can be repeated
        #[arg(long, value_name = "NAME", required_unless_present = "ip")]
        dns: Vec<String>,
        /// An IP address of the webhook; can be repeated
        #[arg(long, value_name = "ADDRESS")]
        ip: Vec<IpAddr>,
        /// Days until the webhook's certificate expires
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36500))]
        days: u32,
        /// Days until the CA expires
        #[arg(long, value_name = "DAYS", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
        ca_days: u32,
    },
}
