//! The server from its start to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;
use prometheus_client::metrics::counter::Counter;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::limits::Limits;
use super::reload::{ConfigError, ConfigSource, WatchedConfig, WatchedIdentity, watch};
use super::state::{Decide, Shared};
use super::{Identity, IdentityError, admin, webhook};
use crate::admission::answer;
use crate::process::accept::{Count, Register};
use crate::process::clients::Pool;
use crate::process::log::LostLines;

/// Connections that may wait to be taken in.
const BACKLOG: u32 = 1024;

/// The buffers of the system for each connection and direction, in bytes; Linux takes twice as much.
const SOCKET: u32 = 64 << 10;

/// Connections of the kubelet and of Prometheus at a time.
const ADMIN_CONNECTIONS: usize = 32;

/// What the webhook is to be.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens: the first of these that can be bound.
    pub listen: Vec<SocketAddr>,
    /// Where health and metrics are: the first of these that can be bound; nowhere if there are none.
    pub admin_listen: Vec<SocketAddr>,
    /// Its certificate.
    pub identity: Identity,
    /// Its configuration.
    pub config: ConfigSource,
    /// How long, after the first request to stop, it still serves while every answer closes its connection.
    pub lame_duck: Duration,
    /// How long, after that, what has begun may take to end.
    pub drain: Duration,
    /// What clients may take of it.
    pub limits: Limits,
    /// How it decides.
    pub decide: Decide,
    /// How many lines of the log were lost, for the metric.
    pub dropped_lines: Option<LostLines>,
}

impl Settings {
    /// The usual: no listeners of health and metrics, the limits of production.
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

/// What keeps the webhook from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error("cannot listen on {address}: {error}; choose another with {flag}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: io::Error,
        /// The flag that says where.
        flag: &'static str,
    },
    /// There is no address to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
    /// The certificate is not usable.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] crate::pki::PkiError),
}

/// How the webhook ended.
#[derive(Debug)]
pub enum Stopped {
    /// In order; so many connections had not ended by the deadline.
    InOrder {
        /// Connections that were cut off.
        cut_off: usize,
    },
    /// At once, by a second request to stop.
    AtOnce,
    /// It could not go on.
    Failed(io::Error),
}

/// A webhook that listens, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    webhook: TcpListener,
    admin: Option<TcpListener>,
    shared: Arc<Shared>,
    identity: WatchedIdentity,
    config: Option<WatchedConfig>,
    lame_duck: Duration,
    drain: Duration,
}

impl Server {
    /// Does all that can fail: reads the files, binds the ports. Needs a tokio runtime.
    ///
    /// # Errors
    /// The first thing that is wrong.
    #[expect(clippy::unused_async, reason = "listeners need a runtime around them")]
    pub async fn bind(settings: Settings) -> Result<Self, StartError> {
        let (config, watched) = WatchedConfig::load(settings.config)?;
        let shared = Shared::new(
            config,
            settings.decide,
            settings.limits,
            settings.dropped_lines,
        );
        let identity = WatchedIdentity::new(settings.identity, &shared)?;
        let admin = if settings.admin_listen.is_empty() {
            None
        } else {
            Some(listen(&settings.admin_listen, "--admin-listen")?)
        };
        Ok(Self {
            webhook: listen(&settings.listen, "--listen")?,
            admin,
            shared: Arc::new(shared),
            identity,
            config: watched,
            lame_duck: settings.lame_duck,
            drain: settings.drain,
        })
    }

    /// Where the webhook listens.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.webhook.local_addr()
    }

    /// Where health and metrics are, if anywhere.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn admin_address(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves until it is told to stop: once for an orderly end, twice for an end at once.
    pub async fn run(self, mut stop: mpsc::Receiver<()>) -> Stopped {
        let shared = self.shared;
        let mut helpers = JoinSet::new();
        if let Some(listener) = self.admin {
            helpers.spawn(serve_admin(listener, Arc::clone(&shared)));
        }
        let handle = Handle::new();
        let _ends = Ends(handle.clone());
        let tls = self.identity.tls();
        let mut serving = tokio::spawn(serve_webhook(
            self.webhook,
            tls,
            Arc::clone(&shared),
            handle.clone(),
        ));
        let (mut identity, seen) = (self.identity, Arc::clone(&shared));
        helpers.spawn(watch(shared.limits.poll, move || identity.look(&seen)));
        if let Some(mut config) = self.config {
            let seen = Arc::clone(&shared);
            helpers.spawn(watch(shared.limits.poll, move || config.look(&seen)));
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
        tracing::info!(
            lame_duck_seconds = self.lame_duck.as_secs_f64(),
            "stopping: not ready any more, still answering, and closing each connection with its next answer"
        );
        tokio::select! {
            ended = &mut serving => return failed(ended),
            _ = stop.recv() => return Stopped::AtOnce,
            () = tokio::time::sleep(self.lame_duck) => {}
        }
        tracing::info!(
            connections = handle.connection_count(),
            "draining: taking no connections any more"
        );
        handle.graceful_shutdown(None);
        tokio::select! {
            _ = &mut serving => Stopped::InOrder { cut_off: 0 },
            _ = stop.recv() => Stopped::AtOnce,
            () = tokio::time::sleep(self.drain) => {
                let cut_off = handle.connection_count();
                handle.shutdown();
                Stopped::InOrder { cut_off }
            }
        }
    }
}

/// Ends the listener and its connections with the future that serves, however that ends.
struct Ends(Handle<SocketAddr>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

fn failed(ended: Result<io::Result<()>, tokio::task::JoinError>) -> Stopped {
    Stopped::Failed(match ended {
        Ok(Ok(())) => io::Error::other("the listener ended by itself"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    })
}

/// Binds the first address that can be bound. A port that is taken is no reason to try the next.
fn listen(addresses: &[SocketAddr], flag: &'static str) -> Result<TcpListener, StartError> {
    let mut result = Err(StartError::NoAddress);
    for &address in addresses {
        let bound = bind(address);
        let taken = matches!(&bound, Err(error) if error.kind() == io::ErrorKind::AddrInUse);
        result = bound.map_err(|error| StartError::Listen {
            address,
            error,
            flag,
        });
        if result.is_ok() || taken {
            break;
        }
    }
    result
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Connections of a process that has just ended do not keep the next one from starting.
    socket.set_reuseaddr(true)?;
    // The system's own bounds are megabytes for each connection, which count against the container's memory.
    socket.set_recv_buffer_size(SOCKET)?;
    socket.set_send_buffer_size(SOCKET)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve_webhook(
    listener: TcpListener,
    tls: axum_server::tls_rustls::RustlsConfig,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let limits = shared.limits;
    let register = Register {
        connections: Arc::clone(&shared.connections),
        refused: shared.metrics.connections_refused.clone(),
        idle: limits.idle,
        stalled: limits.answer,
    };
    let acceptor = Count {
        inner: RustlsAcceptor::new(tls)
            .handshake_timeout(limits.handshake)
            .acceptor(register),
        errors: shared.metrics.handshake_errors.clone(),
    };
    let mut server = axum_server::Server::<SocketAddr>::from_listener(listener)
        .acceptor(acceptor)
        .handle(handle)
        .first_request_timeout(limits.first_request);
    bound_http(server.http_builder(), &limits, limits.idle);
    server
        .serve(webhook::router(shared).into_make_service())
        .await
}

async fn serve_admin(listener: TcpListener, shared: Arc<Shared>) {
    let limits = Limits {
        header: 8 << 10,
        ..shared.limits
    };
    // These are not the webhook's connections, so they are not in its metrics.
    let register = Register {
        connections: Pool::new(ADMIN_CONNECTIONS),
        refused: Counter::default(),
        idle: limits.first_request,
        stalled: limits.answer,
    };
    let mut server = axum_server::Server::<SocketAddr>::from_listener(listener)
        .acceptor(register)
        .first_request_timeout(limits.first_request);
    bound_http(server.http_builder(), &limits, limits.first_request);
    let router: Router = admin::router(shared);
    if let Err(error) = server.serve(router.into_make_service()).await {
        tracing::error!(%error, "health and metrics are not answered any more");
    }
}

/// What a connection may take, in both versions of HTTP.
fn bound_http(
    builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>,
    limits: &Limits,
    idle: Duration,
) {
    builder
        .http1()
        // hyper counts from the end of the last answer, so this is the time for idle connections too.
        .header_read_timeout(idle)
        .max_buf_size(limits.header);
    // The API server does not use HTTP/2 towards webhooks; others get little of it, for every stream can hold a window of memory.
    builder
        .http2()
        .max_concurrent_streams(8)
        .initial_stream_window_size(Some(64 * 1024))
        .initial_connection_window_size(Some(64 * 1024))
        .max_send_buf_size(64 * 1024)
        .max_header_list_size(16 * 1024);
}
