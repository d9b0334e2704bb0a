//! `serve`.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use tokio::runtime::{Builder, Runtime};

use super::exit::Status;
use super::long_running::{ADMIN_PORT, addresses, logged};
use super::messages::summary;
use crate::cli::{Listen, Serve};
use crate::process::log::LostLines;
use crate::process::signals;
use crate::serve::{ConfigSource, Files, Identity, Options, Server, Stopped, dev_identity};

/// The default port of the webhook.
const PORT: u16 = 8443;

/// `serve`
pub(super) fn serve(arguments: &Serve, colour: bool) -> anyhow::Result<Status> {
    logged(arguments.log, colour, |lost| until_stopped(arguments, lost))
}

fn until_stopped(arguments: &Serve, dropped: LostLines) -> anyhow::Result<Status> {
    let (mut options, dev_ca) = options(arguments)?;
    options.dropped_lines = Some(dropped);
    let runtime = Builder::new_multi_thread()
        .worker_threads(usize::from(arguments.workers))
        // One decides large requests, two read files; more would only use memory.
        .max_blocking_threads(4)
        .thread_name("webhook")
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let stopped = runtime.block_on(run(options, dev_ca));
    // Tasks that still run have no more effect.
    Runtime::shutdown_background(runtime);
    stopped
}

/// Serves until a signal ends it.
async fn run(options: Options, dev_ca: Option<String>) -> anyhow::Result<Status> {
    let stop = signals::stop_requests().context("cannot listen to signals")?;
    let server = Server::bind(options).await?;
    let address = server.address;
    let admin = server.admin_address.map(|address| address.to_string());
    tracing::info!(%address, admin, version = env!("CARGO_PKG_VERSION"), "listening");
    if let Some(ca) = dev_ca {
        introduce(address, &ca)?;
    }
    Ok(match server.run(stop).await {
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
        Stopped::AtOnce => bail!("stopped at once by a second signal"),
        Stopped::Failed(error) => return Err(error).context("the webhook cannot continue"),
    })
}

/// Prints how to reach a webhook for development. The CA goes to standard output, so that it can be written to a file.
fn introduce(address: SocketAddr, ca: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(ca.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot print the CA")?;
    summary(&format!(
        "The CA of this webhook is on standard output. With it in ca.crt, in another terminal:\n  \
         seldon-tracing review examples/own-container.yaml --url https://{address} --cacert ca.crt\n  \
         curl --cacert ca.crt -H 'Content-Type: application/json' --data @review.json https://{address}/mutate"
    ));
    Ok(())
}

/// What the flags ask for, and the CA of a development certificate.
fn options(arguments: &Serve) -> anyhow::Result<(Options, Option<String>)> {
    let (identity, dev_ca) = if arguments.dev {
        let (pair, ca) = dev_identity().context("cannot make a certificate")?;
        (Identity::Memory(pair), Some(ca))
    } else {
        let files = Files {
            certificate: arguments.tls_cert.clone(),
            key: arguments.tls_key.clone(),
            client_ca: arguments.client_ca.clone(),
        };
        (Identity::Files(files), None)
    };
    let config = match &arguments.file.config {
        Some(path) => ConfigSource::File(path.clone()),
        None => ConfigSource::Fixed(Box::default()),
    };
    let at = |given: Option<Listen>, default| match given.unwrap_or(Listen::Port(default)) {
        Listen::Port(port) if arguments.dev => vec![(Ipv4Addr::LOCALHOST, port).into()],
        listen => addresses(listen),
    };
    let mut options = Options::new(at(arguments.listen, PORT), identity, config);
    options.admin_listen = at(arguments.admin.admin_listen, ADMIN_PORT);
    options.lame_duck = arguments.lame_duck;
    options.drain = arguments.drain;
    Ok((options, dev_ca))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::options;
    use crate::cli::{Cli, Command, Listen};

    #[test]
    fn a_port_alone_is_of_every_address_and_in_development_of_loopback() {
        let said = |text: &str, dev: &[&str]| -> Vec<String> {
            let flags = ["seldon-tracing", "serve", "--listen", text];
            let Command::Serve(serve) = Cli::parse_from([&flags, dev].concat()).command else {
                unreachable!()
            };
            let addresses = options(&serve).unwrap().0.listen;
            addresses.iter().map(ToString::to_string).collect()
        };
        let dev: &[&str] = &["--dev"];
        assert_eq!(said("10250", &[]), ["[::]:10250", "0.0.0.0:10250"]);
        assert_eq!(said("10250", dev), ["127.0.0.1:10250"]);
        for address in ["127.0.0.1:1", "[::1]:1", "0.0.0.0:1"] {
            assert_eq!(said(address, &[]), [address]);
            assert_eq!(said(address, dev), [address]);
        }
        for bad in ["", ":1", "65536", "localhost:1", "127.0.0.1", "::1:1"] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }
}
