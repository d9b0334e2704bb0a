//! New connections: counted by client, with time limits on both directions, and TLS on top.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::Request;
use axum_server::accept::Accept;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower_service::Service;

use super::clients::{Client, Part, Pool};
use super::paced::Paced;

/// How long a connection that has been closed is still read from, so that a client that is still sending sees the answer before the
/// reset that unread bytes cause.
const LINGER: Duration = Duration::from_secs(2);

/// Takes a connection in before anything is read from it.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    pub(crate) connections: Arc<Pool>,
    pub(crate) refused: Counter,
    /// How long a client may send nothing.
    pub(crate) idle: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub(crate) stalled: Duration,
}

impl<S> Accept<TcpStream, S> for Register {
    type Stream = Connection;
    type Service = OnConnection<S>;
    type Future = std::future::Ready<io::Result<(Connection, OnConnection<S>)>>;

    fn accept(&self, stream: TcpStream, inner: S) -> Self::Future {
        std::future::ready(self.register(stream, inner))
    }
}

impl Register {
    fn register<S>(
        &self,
        stream: TcpStream,
        inner: S,
    ) -> io::Result<(Connection, OnConnection<S>)> {
        let peer = Peer {
            client: stream.peer_addr()?.ip().into(),
            cut: CancellationToken::new(),
        };
        let Some(place) = self.connections.take(peer.client, 1) else {
            self.refused.inc();
            return Err(io::ErrorKind::QuotaExceeded.into());
        };
        // Otherwise answers wait for the client's acknowledgement of what came before.
        stream.set_nodelay(true)?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(self.idle));
        stream.set_write_timeout(Some(self.stalled));
        let stream = Connection {
            stream: Box::pin(stream),
            cut: Box::pin(peer.cut.clone().cancelled_owned()),
            lingers: None,
            _place: place,
        };
        Ok((stream, OnConnection { inner, peer }))
    }
}

/// The client of a request, and its connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) client: Client,
    /// Ends the connection.
    pub(crate) cut: CancellationToken,
}

/// A connection that can be cut from outside.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    lingers: Option<Pin<Box<Sleep>>>,
    _place: Part,
}

impl Connection {
    fn poll_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(context)?;
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(context)?;
        self.stream.as_mut().poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(context)?;
        self.stream.as_mut().poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    /// Says that nothing more comes, and then throws away what the client still sends, until it ends or has had its time.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingers.is_none() {
            ready!(this.stream.as_mut().poll_shutdown(context))?;
        }
        let lingers = this
            .lingers
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        let mut ignored = [0; 4096];
        while lingers.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut ignored);
            let read = ready!(this.stream.as_mut().poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The service with the client that it serves.
#[derive(Clone, Debug)]
pub(crate) struct OnConnection<S> {
    inner: S,
    peer: Peer,
}

impl<S, B> Service<Request<B>> for OnConnection<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.inner.call(request)
    }
}

/// Counts the connections that do not come through the handshake, and paces those that do.
#[derive(Clone, Debug)]
pub(crate) struct Count<A> {
    pub(crate) inner: A,
    pub(crate) errors: Counter,
}

impl<A, I, S> Accept<I, S> for Count<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Paced<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepting = self.inner.accept(stream, service);
        let errors = self.errors.clone();
        Box::pin(async move {
            let accepted = accepting.await.inspect_err(|error| {
                // Connections over the limit are counted for themselves.
                if error.kind() != io::ErrorKind::QuotaExceeded {
                    errors.inc();
                }
                tracing::debug!(%error, "a connection was not taken in");
            });
            accepted.map(|(stream, service)| (Paced::new(stream), service))
        })
    }
}
