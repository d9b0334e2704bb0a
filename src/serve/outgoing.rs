//! The body of an answer, which keeps what its request holds until it has been taken.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};

/// How much is handed over at a time: what is behind it still counts as held.
const PIECE: usize = 16 * 1024;

/// The bytes of an answer.
#[derive(Debug)]
pub(super) struct Outgoing<H> {
    left: Bytes,
    held: Option<H>,
}

impl<H> Outgoing<H> {
    pub(super) const fn new(bytes: Bytes, held: H) -> Self {
        Self {
            left: bytes,
            held: Some(held),
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
        if self.left.is_empty() {
            self.held = None;
            return Poll::Ready(None);
        }
        let size = self.left.len().min(PIECE);
        let piece = self.left.split_to(size);
        if self.left.is_empty() {
            self.held = None;
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
