//! New connections: counted, registered, with time limits on both directions, and TLS on top.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Request;
use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

use super::connections::{Connection, Connections, Registered};
use super::metrics::{Eviction, Metrics};

/// Takes a connection in before anything is read from it.
#[derive(Clone, Debug)]
pub(super) struct Register {
    pub(super) connections: Arc<Connections>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stalled_write: Duration,
}

impl<S> Accept<TcpStream, S> for Register {
    type Stream = Tracked;
    type Service = OnConnection<S>;
    type Future = std::future::Ready<io::Result<(Tracked, OnConnection<S>)>>;

    fn accept(&self, stream: TcpStream, inner: S) -> Self::Future {
        std::future::ready(self.register(stream, inner))
    }
}

impl Register {
    fn register<S>(&self, stream: TcpStream, inner: S) -> io::Result<(Tracked, OnConnection<S>)> {
        let Some(registered) = self.connections.register() else {
            self.metrics.evicted(Eviction::Refused);
            return Err(io::Error::other("every connection is at work"));
        };
        // Otherwise answers wait for the client's acknowledgement of what came before.
        stream.set_nodelay(true)?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.stalled_write));
        let connection = Arc::clone(&registered.connection);
        let stream = Tracked {
            stream: Box::pin(stream),
            registered,
        };
        Ok((stream, OnConnection { inner, connection }))
    }
}

/// A connection that can be closed from outside.
#[derive(Debug)]
pub(super) struct Tracked {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    registered: Registered,
}

impl Tracked {
    fn is_closed(&self, context: &Context<'_>) -> bool {
        self.registered.connection.is_closed(context)
    }
}

fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "closed to make room for others",
    )
}

impl AsyncRead for Tracked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_closed(context) {
            return Poll::Ready(Err(closed()));
        }
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Tracked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_closed(context) {
            return Poll::Ready(Err(closed()));
        }
        self.stream.as_mut().poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_closed(context) {
            return Poll::Ready(Err(closed()));
        }
        self.stream.as_mut().poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }
}

/// The service with the connection that it serves.
#[derive(Clone, Debug)]
pub(super) struct OnConnection<S> {
    inner: S,
    connection: Arc<Connection>,
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
        request
            .extensions_mut()
            .insert(Arc::clone(&self.connection));
        self.inner.call(request)
    }
}

/// Counts the connections that do not come through the handshake.
#[derive(Clone, Debug)]
pub(super) struct Count<A> {
    pub(super) inner: A,
    pub(super) metrics: Arc<Metrics>,
}

impl<A, I, S> Accept<I, S> for Count<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = A::Stream;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepting = self.inner.accept(stream, service);
        let metrics = Arc::clone(&self.metrics);
        Box::pin(async move {
            let accepted = accepting.await;
            if let Err(error) = &accepted {
                metrics.handshake_errors.inc();
                tracing::debug!(%error, "a connection did not come through the TLS handshake");
            }
            accepted
        })
    }
}
