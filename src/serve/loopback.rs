//! A webhook for development and for `review`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use time::{Duration, OffsetDateTime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::config_file::ConfigSource;
use super::identity::Identity;
use super::reload::StartError;
use super::server::{Options, Server, Stopped};
use crate::config::Config;
use crate::pki::{Authority, Names, Pair, PkiError, Purpose};

/// A webhook on a free loopback port, which stops when this is dropped.
pub struct Loopback {
    /// Its URL, without a path.
    pub url: String,
    /// The CA of its certificate, in PEM.
    pub ca: String,
    _running: JoinSet<Stopped>,
    _stop: mpsc::Sender<()>,
}

/// Makes a CA and a certificate for the loopback names of this machine, valid for a day.
///
/// # Errors
/// If there are no random numbers.
pub fn dev_identity() -> Result<(Pair, String), PkiError> {
    let now = OffsetDateTime::now_utc();
    let authority = Authority::new(Some("seldon-tracing for development"), now, Duration::DAY)?;
    let names = Names {
        dns: vec!["localhost".to_owned()],
        ip: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    let pair = authority.issue(&names, Purpose::Server, now, Duration::DAY)?;
    Ok((pair, authority.certificate().to_owned()))
}

/// Starts a webhook on a free loopback port, with a certificate made for it, on the caller's runtime.
///
/// # Errors
/// If there is no port, or no certificate.
pub async fn loopback(config: Config) -> Result<Loopback, StartError> {
    let (pair, ca) = dev_identity()
        .map_err(|error| StartError(format!("cannot make a certificate: {error}")))?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = ConfigSource::Fixed(Box::new(config));
    let options = Options::new(vec![any_port], Identity::Memory(pair), config);
    let server = Server::bind(options).await?;
    let (stop, stopped) = mpsc::channel(1);
    let url = format!("https://{}", server.address);
    let mut running = JoinSet::new();
    running.spawn(server.run(stopped));
    Ok(Loopback {
        url,
        ca,
        _running: running,
        _stop: stop,
    })
}
