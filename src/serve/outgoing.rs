//! The body of an answer. It keeps what its request holds until the client has read it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Version;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many bytes are passed on at a time. Those bytes are no longer counted as held, on each stream of HTTP/2.
const PIECE: usize = 8 * 1024;

/// The bytes of an answer.
pub(super) struct Outgoing<H> {
    left: Bytes,
    _held: H,
    /// Ends the connection, unless this is dropped before.
    _deadline: Option<JoinSet<()>>,
}

impl<H> Outgoing<H> {
    /// A client that has not read the answer after `patience` loses its connection.
    pub(super) fn new(
        bytes: Bytes,
        held: H,
        version: Version,
        cut: CancellationToken,
        patience: Duration,
    ) -> Self {
        // A short answer over HTTP/1.1 is passed on at once; over HTTP/2 the client decides how much is.
        let waits = bytes.len() > PIECE || version >= Version::HTTP_2;
        let deadline = waits.then(|| {
            let mut deadline = JoinSet::new();
            deadline.spawn(async move {
                tokio::time::sleep(patience).await;
                cut.cancel();
            });
            deadline
        });
        Self {
            left: bytes,
            _held: held,
            _deadline: deadline,
        }
    }
}

impl<H: Unpin> Body for Outgoing<H> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = self.left.len().min(PIECE);
        let piece = self.left.split_to(size);
        Poll::Ready((size > 0).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
