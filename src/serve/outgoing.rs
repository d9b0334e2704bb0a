//! The body of an answer, which keeps what its request holds until it has been taken.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Version;
use http_body::{Body, Frame, SizeHint};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// How much is handed over at a time. What is behind it still counts as held; what is before it, on each stream of HTTP/2, does not.
const PIECE: usize = 8 * 1024;

/// The bytes of an answer.
#[derive(Debug)]
pub(super) struct Outgoing<H> {
    left: Bytes,
    _held: H,
    _overdue: Option<Overdue>,
}

/// Ends a connection after its time, unless this goes before.
#[derive(Debug)]
struct Overdue(AbortHandle);

impl Drop for Overdue {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<H> Outgoing<H> {
    /// A client that has not taken the answer after so long loses its connection.
    pub(super) fn new(
        bytes: Bytes,
        held: H,
        version: Version,
        cut: CancellationToken,
        patience: Duration,
    ) -> Self {
        // A short answer over HTTP/1.1 is taken at once; with HTTP/2 the client says how much it takes.
        let waits = bytes.len() > PIECE || version >= Version::HTTP_2;
        let overdue = waits.then(|| {
            let cutting = tokio::spawn(async move {
                tokio::time::sleep(patience).await;
                cut.cancel();
            });
            Overdue(cutting.abort_handle())
        });
        Self {
            left: bytes,
            _held: held,
            _overdue: overdue,
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
