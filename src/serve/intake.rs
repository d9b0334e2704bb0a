//! Bodies, read into memory that is counted. A client that is over its share is told to come back, which the API server does
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>; `client-go` retries answers that
//! carry `Retry-After`).

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::metrics::Shortage;
use crate::process::clients::Part;

/// What a request takes beside its body.
pub(super) const OVERHEAD: usize = 4096;

/// Bodies up to this size get their memory in one piece, larger ones as they arrive.
const AT_ONCE: usize = 64 * 1024;

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is larger than any review.
    TooLarge,
    /// There is no room now.
    Short(Shortage),
    /// It did not come in time.
    Slow,
    /// The connection broke, or what came is not HTTP.
    Broken,
}

/// Makes the memory of a request that of so many bytes.
pub(super) fn hold(memory: &mut Part, bytes: usize) -> Result<(), Refused> {
    if memory.resize(OVERHEAD + bytes) {
        Ok(())
    } else {
        Err(Refused::Short(Shortage::Memory))
    }
}

/// Reads a body of at most so many bytes, whose length is known or not, into the memory that there is for the request.
pub(super) async fn read(
    memory: Option<Part>,
    body: &mut Body,
    length: Option<usize>,
    most: usize,
    deadline: Instant,
) -> Result<(Bytes, Part), Refused> {
    let mut memory = memory.ok_or(Refused::Short(Shortage::Memory))?;
    let Some(first) = next(body, deadline).await? else {
        return Ok((Bytes::new(), memory));
    };
    // The usual review comes in one piece, which needs no copy.
    if length == Some(first.len()) && first.len() <= most {
        hold(&mut memory, first.len())?;
        return Ok((first, memory));
    }
    let room = length.unwrap_or(0).min(AT_ONCE);
    let mut bytes = Vec::new();
    let mut piece = Some(first);
    while let Some(data) = piece {
        let needed = bytes.len() + data.len();
        if needed > most {
            return Err(Refused::TooLarge);
        }
        if needed > bytes.capacity() {
            let last = length.unwrap_or(most).clamp(needed, most);
            let capacity = needed.max(room).max(bytes.capacity() * 2).min(last);
            hold(&mut memory, capacity)?;
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&data);
        piece = next(body, deadline).await?;
    }
    Ok((Bytes::from(bytes), memory))
}

/// Reads what is left of a body of at most so many bytes and forgets it, so that the connection can be used again. Nothing is held
/// meanwhile.
pub(super) async fn discard(
    body: &mut Body,
    most: usize,
    deadline: Instant,
) -> Result<(), Refused> {
    let mut seen = 0;
    while let Some(data) = next(body, deadline).await? {
        seen += data.len();
        if seen > most {
            return Err(Refused::TooLarge);
        }
    }
    Ok(())
}

/// The next piece of a body; nothing at its end.
async fn next(body: &mut Body, deadline: Instant) -> Result<Option<Bytes>, Refused> {
    loop {
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(Refused::Slow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(Refused::Broken),
            Ok(Some(Ok(frame))) => {
                // Trailers are of no interest.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
