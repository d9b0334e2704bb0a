//! The server from its start to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::config_file::{ConfigFile, ConfigSource};
use super::identity::{Identity, Served};
use super::limits::Limits;
use super::reload::{Reload, StartError, watch};
use super::state::{Decide, Shared};
use super::webhook;
use crate::admission::answer;
use crate::process::admin;
use crate::process::connection::Bounds;
use crate::process::listener;
use crate::process::log::LostLines;

/// How a webhook is started.
pub struct Options {
    /// Where it listens: the first of these addresses that can be bound.
    pub listen: Vec<SocketAddr>,
    /// Where health and metrics are served: likewise, or nowhere if there is no address.
    pub admin_listen: Vec<SocketAddr>,
    /// Its certificate.
    pub identity: Identity,
    /// Its configuration.
    pub config: ConfigSource,
    /// How long it continues to serve after the first request to stop, while every answer closes its connection.
    pub lame_duck: Duration,
    /// How long open requests may take after that.
    pub drain: Duration,
    /// What clients may use of it.
    pub limits: Limits,
    /// How it decides.
    pub decide: Decide,
    /// The count of lost log lines, for the metric.
    pub dropped_lines: Option<LostLines>,
}

impl Options {
    /// The defaults: no listener for health and metrics, the limits of production.
    #[must_use]
    pub fn new(listen: Vec<SocketAddr>, identity: Identity, config: ConfigSource) -> Self {
        Self {
            listen,
            admin_listen: Vec::new(),
            identity,
            config,
            lame_duck: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            limits: Limits::default(),
            decide: answer,
            dropped_lines: None,
        }
    }
}

/// How a webhook ended.
#[derive(Debug)]
pub enum Stopped {
    /// After an orderly shutdown.
    InOrder {
        /// Connections that were cut off because the time to drain was over.
        cut_off: usize,
    },
    /// At once, by a second request to stop.
    AtOnce,
    /// With an error.
    Failed(io::Error),
}

/// A webhook that listens, and does not answer yet.
pub struct Server {
    /// The address of the webhook.
    pub address: SocketAddr,
    /// The address of health and metrics, if they are served.
    pub admin_address: Option<SocketAddr>,
    webhook: TcpListener,
    admin: Option<TcpListener>,
    shared: Arc<Shared>,
    identity: Served,
    config: Option<Reload<ConfigFile>>,
    lame_duck: Duration,
    drain: Duration,
    dropped_lines: Option<LostLines>,
}

impl Server {
    /// Does everything that can fail: reads the files, binds the ports. Needs a tokio runtime.
    ///
    /// # Errors
    /// The first problem.
    #[expect(clippy::unused_async, reason = "listeners need a runtime around them")]
    pub async fn bind(options: Options) -> Result<Self, StartError> {
        let (config, reload) = match options.config {
            ConfigSource::Fixed(config) => (*config, None),
            ConfigSource::File(path) => {
                let (config, reload) = Reload::load(ConfigFile(path))?;
                (config, Some(reload))
            }
        };
        let shared = Shared::new(config, options.decide, options.limits);
        let identity = Served::new(options.identity, &shared)?;
        let admin = if options.admin_listen.is_empty() {
            None
        } else {
            Some(listener::bind(&options.admin_listen, "--admin-listen")?)
        };
        let webhook = listener::bind(&options.listen, "--listen")?;
        Ok(Self {
            address: webhook.local_addr()?,
            admin_address: admin.as_ref().map(TcpListener::local_addr).transpose()?,
            webhook,
            admin,
            shared: Arc::new(shared),
            identity,
            config: reload,
            lame_duck: options.lame_duck,
            drain: options.drain,
            dropped_lines: options.dropped_lines,
        })
    }

    /// Serves until it is told to stop: once for an orderly shutdown, twice to stop at once.
    pub async fn run(self, mut stop: mpsc::Receiver<()>) -> Stopped {
        let shared = self.shared;
        let handle = Handle::new();
        let _ends = Ends(handle.clone());
        let tls = self.identity.tls();
        let webhook = serve_webhook(self.webhook, tls, Arc::clone(&shared), handle.clone());
        let mut serving = tokio::spawn(webhook);
        let mut helpers = JoinSet::new();
        if let Some(listener) = self.admin {
            let lost_lines = self.dropped_lines;
            helpers.spawn(serve_admin(listener, Arc::clone(&shared), lost_lines));
        }
        let (mut identity, seen) = (self.identity, Arc::clone(&shared));
        helpers.spawn(watch(shared.limits.poll, move || identity.look(&seen)));
        if let Some(mut reload) = self.config {
            let seen = Arc::clone(&shared);
            helpers.spawn(watch(shared.limits.poll, move || {
                if let Some(config) = reload.look(&seen) {
                    seen.config.store(Arc::new(config));
                    tracing::info!("the new configuration is in use");
                }
            }));
        }
        if handle.listening().await.is_some() {
            shared.health.listens();
            tracing::info!("ready");
        }
        tokio::select! {
            ended = &mut serving => return failed(ended),
            _ = stop.recv() => {}
        }
        shared.health.stops();
        shut_down(serving, &handle, stop, self.lame_duck, self.drain).await
    }
}

async fn shut_down(
    mut serving: JoinHandle<io::Result<()>>,
    handle: &Handle<SocketAddr>,
    mut stop: mpsc::Receiver<()>,
    lame_duck: Duration,
    drain: Duration,
) -> Stopped {
    tracing::info!(
        lame_duck_seconds = lame_duck.as_secs_f64(),
        "stopping: not ready any more, still answering, closing each connection with its next answer"
    );
    tokio::select! {
        ended = &mut serving => return failed(ended),
        _ = stop.recv() => return Stopped::AtOnce,
        () = tokio::time::sleep(lame_duck) => {}
    }
    tracing::info!(
        connections = handle.connection_count(),
        "draining: accepting no more connections"
    );
    handle.graceful_shutdown(None);
    tokio::select! {
        _ = &mut serving => Stopped::InOrder { cut_off: 0 },
        _ = stop.recv() => Stopped::AtOnce,
        () = tokio::time::sleep(drain) => Stopped::InOrder { cut_off: handle.connection_count() },
    }
}

/// Closes the listener and its connections when it is dropped.
struct Ends(Handle<SocketAddr>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

fn failed(ended: Result<io::Result<()>, JoinError>) -> Stopped {
    Stopped::Failed(match ended {
        Ok(Ok(())) => io::Error::other("the listener ended by itself"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    })
}

async fn serve_webhook(
    listener: TcpListener,
    tls: RustlsConfig,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let limits = shared.limits;
    let bounds = Bounds {
        connections: Arc::clone(&shared.connections),
        first_request: limits.first_request,
        idle: limits.idle,
        stalled: limits.answer,
        header: limits.header,
        refused: shared.metrics.connections_refused.clone(),
        failed: shared.metrics.handshake_errors.clone(),
    };
    let acceptor = RustlsAcceptor::new(tls).handshake_timeout(limits.handshake);
    listener::serve(listener, acceptor, bounds, webhook::router(shared), handle).await
}

async fn serve_admin(listener: TcpListener, shared: Arc<Shared>, lost_lines: Option<LostLines>) {
    let health = Arc::clone(&shared.health);
    let metrics = move || {
        let lost_lines = lost_lines.as_ref().map_or(0, LostLines::count);
        shared.metrics.page(shared.connections.held(), lost_lines)
    };
    if let Err(error) = admin::serve(listener, health, metrics).await {
        tracing::error!(%error, "health and metrics are not served any more");
    }
}
