//! Connections of HTTP/2 that leave time to others. Every frame of 9 bytes is answered by one that costs microseconds, so a client that
//! sends nothing but small frames would otherwise take milliseconds at a time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How every connection of HTTP/2 begins, and none of HTTP/1.
const PREFACE: &[u8] = b"PRI";

/// How much is read from such a connection before others get their turn, in bytes.
const AT_A_TIME: usize = 1024;

/// A connection, after its TLS.
#[derive(Debug)]
pub(crate) struct Paced<S> {
    inner: S,
    http: Http,
    /// What may still be read in this turn.
    left: usize,
}

#[derive(Debug)]
enum Http {
    /// So many bytes of the preface have been seen.
    Unknown(usize),
    One,
    Two,
}

impl<S> Paced<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self {
            inner,
            http: Http::Unknown(0),
            left: AT_A_TIME,
        }
    }
}

impl Http {
    fn see(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let Self::Unknown(seen) = *self else { return };
            *self = match PREFACE.get(seen) {
                Some(expected) if expected != byte => Self::One,
                _ if seen + 1 == PREFACE.len() => Self::Two,
                _ => Self::Unknown(seen + 1),
            };
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let inner = Pin::new(&mut this.inner);
        match this.http {
            Http::One => inner.poll_read(context, buffer),
            Http::Unknown(_) => {
                let before = buffer.filled().len();
                ready!(inner.poll_read(context, buffer))?;
                this.http.see(&buffer.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Http::Two if this.left == 0 => {
                this.left = AT_A_TIME;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Http::Two => {
                let room = buffer.remaining().min(this.left);
                let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
                let read = inner.poll_read(context, &mut part);
                let count = part.filled().len();
                buffer.advance(count);
                this.left = if read.is_pending() {
                    AT_A_TIME
                } else {
                    this.left - count
                };
                read
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use tokio::io::{AsyncRead, ReadBuf};

    use super::{AT_A_TIME, Paced};

    /// What is read until others get their turn.
    fn turns(bytes: &[u8], room: usize) -> Vec<usize> {
        let mut paced = Paced::new(bytes);
        let mut context = Context::from_waker(Waker::noop());
        let mut turns = vec![0];
        for _ in 0..10_000 {
            let mut space = vec![0; room];
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut paced).poll_read(&mut context, &mut buffer) {
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

    #[test]
    fn http_2_leaves_turns_to_others_and_http_1_does_not() {
        let two = [b"PRI * HTTP/2.0", &[0; 4000][..]].concat();
        let of_one_byte = turns(&two, 1);
        assert!(of_one_byte.iter().all(|turn| *turn <= AT_A_TIME + 3));
        assert_eq!(of_one_byte.len(), 4);
        assert!(turns(&two, 100).len() == 4);
        for one in [&b"POST / HTTP/1.1"[..], b"PRO", b"P", b""] {
            let one = [one, &[0; 4000][..]].concat();
            assert_eq!(turns(&one, 100), [one.len()]);
        }
    }
}
