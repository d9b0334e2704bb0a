//! `serve`.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::{io, panic};

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::status::Status;
use crate::cli::{Listen, Serve};
use crate::serve::{ConfigSource, Files, Identity, Server, Settings, Stopped, dev_identity};
use crate::telemetry;

/// The webhook's port where no other is named.
const PORT: u16 = 8443;

/// The port of health and metrics where no other is named.
const ADMIN_PORT: u16 = 8080;

/// `serve`
pub(super) fn serve(arguments: &Serve, colour: bool) -> anyhow::Result<Status> {
    let (guard, dropped) = telemetry::start(arguments.log_format, arguments.log_level, colour)
        .context("cannot begin to log")?;
    // A panic says where it was, never what it was about, for that may be a user's.
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "a bug: a panic was caught");
    }));
    let (mut settings, dev_ca) = settings(arguments)?;
    settings.dropped_lines = Some(dropped);
    let runtime = Builder::new_multi_thread()
        .worker_threads(usize::from(arguments.workers))
        // One decides large requests, two read files; more would only take memory.
        .max_blocking_threads(4)
        .thread_name("webhook")
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let stopped = runtime.block_on(run(settings, dev_ca));
    // What is left of its work is of no interest any more.
    Runtime::shutdown_background(runtime);
    drop(guard);
    stopped
}

/// From the signals to the end.
async fn run(settings: Settings, dev_ca: Option<String>) -> anyhow::Result<Status> {
    let (stop, stopping) = mpsc::channel(2);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).context("cannot listen to signals")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if stop.send(()).await.is_err() {
                    return;
                }
            }
        });
    }
    let server = Server::bind(settings).await?;
    let address = server.address()?;
    let admin = server.admin_address()?.map(|address| address.to_string());
    tracing::info!(%address, admin, version = env!("CARGO_PKG_VERSION"), "listening");
    if let Some(ca) = dev_ca {
        introduce(address, &ca)?;
    }
    Ok(match server.run(stopping).await {
        Stopped::InOrder { cut_off: 0 } => {
            tracing::info!("stopped in order");
            Status::Done
        }
        Stopped::InOrder { cut_off } => {
            tracing::warn!(
                connections = cut_off,
                "stopped; these connections had not ended in time"
            );
            Status::Done
        }
        Stopped::AtOnce => {
            tracing::warn!("stopped at once by a second signal");
            Status::Differs
        }
        Stopped::Failed(error) => return Err(error).context("the webhook cannot go on"),
    })
}

/// Says how to reach a webhook for development. The CA goes to standard output, for a file.
fn introduce(address: SocketAddr, ca: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(ca.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot print the CA")?;
    let mut talk = anstream::stderr().lock();
    let _ = writeln!(
        talk,
        "The CA of this webhook is on standard output. With it in ca.crt, in another terminal:\n  \
         seldon-tracing review -f examples/own-container.yaml --url https://{address} --cacert ca.crt\n  \
         curl --cacert ca.crt -H 'Content-Type: application/json' --data @review.json https://{address}/mutate"
    );
    Ok(())
}

/// What the flags ask for, and in development the CA.
fn settings(arguments: &Serve) -> anyhow::Result<(Settings, Option<String>)> {
    let (identity, dev_ca) = if arguments.dev {
        let (pair, ca) = dev_identity()?;
        (Identity::Memory(pair), Some(ca))
    } else {
        let files = Files {
            certificate: arguments.tls_cert.clone(),
            key: arguments.tls_key.clone(),
            client_ca: arguments.client_ca.clone(),
        };
        (Identity::Files(files), None)
    };
    let config = match &arguments.config {
        Some(path) => ConfigSource::File(path.clone()),
        None => ConfigSource::Fixed(Box::default()),
    };
    let at = |given: Option<Listen>, usual| {
        addresses(given.unwrap_or(Listen::Port(usual)), arguments.dev)
    };
    let mut settings = Settings::new(at(arguments.listen, PORT), identity, config);
    settings.admin_listen = at(arguments.admin_listen, ADMIN_PORT);
    settings.lame_duck = arguments.lame_duck;
    settings.drain = arguments.drain;
    Ok((settings, dev_ca))
}

/// The addresses to try, the first of which that can be bound is taken.
fn addresses(wanted: Listen, dev: bool) -> Vec<SocketAddr> {
    match wanted {
        Listen::Address(address) => vec![address],
        Listen::Port(port) if dev => vec![(Ipv4Addr::LOCALHOST, port).into()],
        // The first is for both families; the second for machines that know only one.
        Listen::Port(port) => vec![
            (Ipv6Addr::UNSPECIFIED, port).into(),
            (Ipv4Addr::UNSPECIFIED, port).into(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::{Listen, addresses};

    #[test]
    fn a_port_alone_is_of_every_address_and_in_development_of_loopback() {
        let said = |text: &str, dev| -> Vec<String> {
            let addresses = addresses(text.parse().unwrap(), dev);
            addresses.iter().map(ToString::to_string).collect()
        };
        assert_eq!(said("10250", false), ["[::]:10250", "0.0.0.0:10250"]);
        assert_eq!(said("10250", true), ["127.0.0.1:10250"]);
        for address in ["127.0.0.1:1", "[::1]:1", "0.0.0.0:1"] {
            assert_eq!(said(address, false), [address]);
            assert_eq!(said(address, true), [address]);
        }
        for bad in ["", ":1", "65536", "localhost:1", "127.0.0.1", "::1:1"] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }
}
