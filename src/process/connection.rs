//! Connections: a share for each client, time limits in both directions, and pauses for the others.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::middleware::AddExtension;
use axum::{Extension, Router};
use axum_server::accept::Accept;
use prometheus_client::metrics::counter::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower_layer::Layer;

use super::clients::{Client, Pool, Share};

/// How long a closed connection is still read from. A client that is still sending then receives the answer before the reset that
/// unread bytes cause.
const LINGER: Duration = Duration::from_secs(2);

/// The first bytes of every HTTP/2 connection, and of no HTTP/1 connection.
const PREFACE: &[u8] = b"PRI";

/// How many bytes of an HTTP/2 connection are read before other connections get their turn. Every frame of 9 bytes costs an answer, so
/// a client that sends only small frames would otherwise keep a thread busy for milliseconds.
const TURN: usize = 1024;

/// What a listener allows its clients.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub(crate) connections: Arc<Pool>,
    /// From the end of the handshake to the end of the first request's header.
    pub(crate) first_request: Duration,
    /// How long a client may send nothing.
    pub(crate) idle: Duration,
    /// How long a client may read nothing of what is sent to it.
    pub(crate) stalled: Duration,
    /// The largest header of a request, in bytes.
    pub(crate) header: usize,
    /// Counts connections that are closed because the client reached its limit.
    pub(crate) refused: Counter,
    /// Counts connections that fail in the handshake.
    pub(crate) failed: Counter,
}

/// Accepts connections within their bounds; the inner acceptor does the TLS handshake.
#[derive(Clone)]
pub(crate) struct Bounded<A> {
    pub(crate) inner: A,
    pub(crate) bounds: Bounds,
}

impl<A> Accept<TcpStream, Router> for Bounded<A>
where
    A: Accept<TcpStream, ()>,
    A::Stream: AsyncRead + AsyncWrite + Unpin,
    A::Future: Send + 'static,
{
    type Stream = Connection<A::Stream>;
    type Service = AddExtension<Router, Peer>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, router: Router) -> Self::Future {
        let bounds = self.bounds.clone();
        let taken = take_place(&stream, &bounds);
        let accepting = self.inner.accept(stream, ());
        Box::pin(async move {
            let (peer, place) = taken?;
            let (stream, _) = accepting.await.inspect_err(|error| {
                bounds.failed.inc();
                tracing::debug!(%error, "the handshake of a connection failed");
            })?;
            let connection = Connection::new(stream, &bounds, peer.cut.clone(), place);
            Ok((connection, Extension(peer).layer(router)))
        })
    }
}

fn take_place(stream: &TcpStream, bounds: &Bounds) -> io::Result<(Peer, Share)> {
    let peer = Peer {
        client: stream.peer_addr()?.ip().into(),
        cut: CancellationToken::new(),
    };
    let Some(place) = bounds.connections.take(peer.client, 1) else {
        bounds.refused.inc();
        return Err(io::ErrorKind::QuotaExceeded.into());
    };
    // Otherwise an answer waits until the client has acknowledged the one before.
    stream.set_nodelay(true)?;
    Ok((peer, place))
}

/// The client of a request, and its connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) client: Client,
    /// Ends the connection.
    pub(crate) cut: CancellationToken,
}

/// How long one direction of a connection has stood still, and how long it may.
///
/// The timer runs on while bytes move, and is only set again when it fires. A timer that is set for every read would wake the
/// connection each time.
struct Standstill {
    limit: Duration,
    since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Standstill {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            since: None,
            timer: Box::pin(tokio::time::sleep(limit)),
        }
    }

    /// Passes on what the connection returns, or an error if it has stood still for too long.
    fn bound<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.since = None;
            return polled;
        }
        let end = *self.since.get_or_insert_with(Instant::now) + self.limit;
        while self.timer.as_mut().poll(context).is_ready() {
            if Instant::now() >= end {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

/// A connection after its handshake.
pub(crate) struct Connection<S> {
    stream: S,
    reading: Standstill,
    writing: Standstill,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    lingers: Option<Pin<Box<Sleep>>>,
    /// The first bytes, as many as the preface has.
    start: Vec<u8>,
    /// How many bytes may still be read in this turn.
    left: usize,
    _place: Share,
}

impl<S> Connection<S> {
    fn new(stream: S, bounds: &Bounds, cut: CancellationToken, place: Share) -> Self {
        Self {
            stream,
            reading: Standstill::new(bounds.idle),
            writing: Standstill::new(bounds.stalled),
            cut: Box::pin(cut.cancelled_owned()),
            lingers: None,
            start: Vec::with_capacity(PREFACE.len()),
            left: TURN,
            _place: place,
        }
    }

    fn poll_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(context)?;
        let this = &mut *self;
        let stream = Pin::new(&mut this.stream);
        if this.start != PREFACE {
            let before = buffer.filled().len();
            let read = stream.poll_read(context, buffer);
            let read = this.reading.bound(read, context);
            let missing = PREFACE.len() - this.start.len();
            let bytes = buffer.filled()[before..].iter().take(missing);
            this.start.extend(bytes);
            return read;
        }
        if this.left == 0 {
            this.left = TURN;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = buffer.remaining().min(this.left);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let read = stream.poll_read(context, &mut part);
        let read = this.reading.bound(read, context);
        let count = part.filled().len();
        buffer.advance(count);
        this.left = if read.is_pending() {
            TURN
        } else {
            this.left - count
        };
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.writing.bound(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(context)?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.writing.bound(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.writing.bound(flushed, context)
    }

    /// Closes the sending side, then discards what the client still sends until it stops or [`LINGER`] is over.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingers.is_none() {
            let closed = Pin::new(&mut this.stream).poll_shutdown(context);
            ready!(this.writing.bound(closed, context))?;
        }
        let lingers = this
            .lingers
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        let mut ignored = [0; 4096];
        while lingers.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut ignored);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;

    /// How many bytes are read in each turn, by reads of at most `room` bytes.
    fn turns(bytes: &[u8], room: usize) -> Vec<usize> {
        let bounds = Bounds {
            connections: Pool::new(2),
            first_request: LINGER,
            idle: LINGER,
            stalled: LINGER,
            header: 0,
            refused: Counter::default(),
            failed: Counter::default(),
        };
        let client = std::net::IpAddr::from([127, 0, 0, 1]).into();
        let place = bounds.connections.take(client, 1).unwrap();
        let mut connection = Connection::new(bytes, &bounds, CancellationToken::new(), place);
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut turns = vec![0];
        for _ in 0..10_000 {
            let mut space = vec![0; room];
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut connection).poll_read(&mut context, &mut buffer) {
                Poll::Pending => turns.push(0),
                Poll::Ready(read) => {
                    read.unwrap();
                    let count = buffer.filled().len();
                    if count == 0 {
                        break;
                    }
                    *turns.last_mut().unwrap() += count;
                }
            }
        }
        turns
    }

    #[tokio::test]
    async fn http_2_leaves_turns_to_others_and_http_1_does_not() {
        let two = [b"PRI * HTTP/2.0", &[0; 4000][..]].concat();
        let of_one_byte = turns(&two, 1);
        assert!(of_one_byte.iter().all(|turn| *turn <= TURN + 3));
        assert_eq!(of_one_byte.len(), 4);
        assert!(turns(&two, 100).len() == 4);
        for one in [&b"POST / HTTP/1.1"[..], b"PRO", b"P", b""] {
            let one = [one, &[0; 4000][..]].concat();
            assert_eq!(turns(&one, 100), [one.len()]);
        }
    }
    #[tokio::test]
    async fn a_direction_that_moves_has_all_its_time_again() {
        let limit = Duration::from_millis(700);
        let mut direction = Standstill::new(limit);
        for _ in 0..4 {
            let stands = poll_fn(|context| direction.bound::<()>(Poll::Pending, context));
            let ended = timeout(Duration::from_millis(200), stands).await;
            assert!(ended.is_err(), "{ended:?}");
            let moves = poll_fn(|context| direction.bound(Poll::Ready(Ok(())), context));
            moves.await.unwrap();
        }
        let start = Instant::now();
        let stands = poll_fn(|context| direction.bound::<()>(Poll::Pending, context));
        let error = stands.await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= limit);
    }
}
