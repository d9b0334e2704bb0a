//! Bodies, read into memory that is counted. A client that exceeds its share gets 503 with `Retry-After`, which the API server retries.

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::http_error::{HttpError, Shortage};
use crate::process::clients::Share;

/// The memory of a request without its body, in bytes.
pub(super) const OVERHEAD: usize = 4096;

/// Bodies up to this size get their memory at once, larger ones as they arrive.
const AT_ONCE: usize = 64 * 1024;

/// Makes the share of a request large enough for this many bytes.
pub(super) fn hold(memory: &mut Share, bytes: usize) -> Result<(), HttpError> {
    if memory.resize(OVERHEAD + bytes) {
        Ok(())
    } else {
        Err(HttpError::Shed(Shortage::Memory))
    }
}

/// Reads a body of at most `limit` bytes. If there is no memory for it, it is read to its end all the same and discarded, so that the
/// API server can retry over the same connection.
pub(super) async fn read(
    memory: Option<Share>,
    body: &mut Body,
    length: Option<usize>,
    limit: usize,
    deadline: Instant,
) -> Result<(Bytes, Share), HttpError> {
    let mut kept = memory.map(|memory| (Vec::new(), memory));
    let mut seen = 0;
    while let Some(data) = next(body, deadline).await? {
        seen += data.len();
        if seen > limit {
            return Err(HttpError::TooLarge(limit));
        }
        if let Some((mut bytes, mut memory)) = kept.take() {
            // The usual review arrives in one piece, which needs no copy.
            if length == Some(data.len()) && hold(&mut memory, data.len()).is_ok() {
                return Ok((data, memory));
            }
            if append(&mut bytes, &mut memory, &data, length, limit).is_ok() {
                kept = Some((bytes, memory));
            }
        }
    }
    let (bytes, memory) = kept.ok_or(HttpError::Shed(Shortage::Memory))?;
    Ok((Bytes::from(bytes), memory))
}

fn append(
    bytes: &mut Vec<u8>,
    memory: &mut Share,
    data: &[u8],
    length: Option<usize>,
    limit: usize,
) -> Result<(), HttpError> {
    let needed = bytes.len() + data.len();
    if needed > bytes.capacity() {
        let all = length.unwrap_or(limit).clamp(needed, limit);
        let first = length.unwrap_or(0).min(AT_ONCE);
        let capacity = needed.max(first).max(bytes.capacity() * 2).min(all);
        hold(memory, capacity)?;
        bytes.reserve_exact(capacity - bytes.len());
    }
    bytes.extend_from_slice(data);
    Ok(())
}

/// The next piece of a body, or `None` at its end.
async fn next(body: &mut Body, deadline: Instant) -> Result<Option<Bytes>, HttpError> {
    loop {
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(HttpError::Slow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(HttpError::Broken),
            Ok(Some(Ok(frame))) => {
                // Trailers are skipped.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
