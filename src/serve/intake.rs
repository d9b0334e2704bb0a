//! How much is taken in at a time: requests in work, and bytes in memory, over all connections.
//!
//! Who is over the bound is told to come back, which the API server does
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>; `client-go` retries answers that
//! carry `Retry-After`). Who holds what others wait for, and is slower than anybody who means it, loses it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::connections::{Awaited, Busy, Connections};
use super::limits::Limits;
use super::metrics::Shortage;

/// The unit in which memory is counted.
const UNIT: usize = 1024;

/// Bodies up to this size get their memory at once, larger ones as they arrive.
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

/// The room for requests.
#[derive(Debug)]
pub(super) struct Intake {
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    /// Large requests are decided one after the other.
    turn: Arc<Semaphore>,
    connections: Arc<Connections>,
    limits: Limits,
}

/// Memory that is held, for as long as this lives.
#[derive(Debug, Default)]
pub(super) struct Memory {
    permit: Option<OwnedSemaphorePermit>,
}

impl Memory {
    fn units(&self) -> usize {
        self.permit
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Gives back what is more than this.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let excess = self.units().saturating_sub(bytes.div_ceil(UNIT));
        if let Some(permit) = &mut self.permit {
            drop(permit.split(excess));
        }
    }
}

impl Intake {
    pub(super) fn new(connections: Arc<Connections>, limits: Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.places)),
            memory: Arc::new(Semaphore::new(limits.memory / UNIT)),
            turn: Arc::new(Semaphore::new(1)),
            connections,
            limits,
        }
    }

    /// A place among the requests in work.
    pub(super) async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Shortage> {
        self.wait(&self.places, 1, deadline)
            .await
            .ok_or(Shortage::Places)
    }

    /// The turn of a large request.
    pub(super) async fn turn(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Shortage> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        match timeout_at(deadline, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Shortage::Time),
        }
    }

    /// Takes from a pool; if it is empty, somebody slow loses theirs, and what comes back in time is taken.
    async fn wait(
        &self,
        pool: &Arc<Semaphore>,
        count: u32,
        deadline: Instant,
    ) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(pool).try_acquire_many_owned(count) {
            return Some(permit);
        }
        self.connections.give_up_slowest();
        let deadline = deadline.min(Instant::now() + self.limits.patience);
        timeout_at(deadline, Arc::clone(pool).acquire_many_owned(count))
            .await
            .ok()?
            .ok()
    }

    /// Makes the memory that is held at least this much.
    async fn grow(
        &self,
        memory: &mut Memory,
        bytes: usize,
        deadline: Instant,
        awaited: Option<&Awaited>,
    ) -> Result<(), Refused> {
        let missing = bytes.div_ceil(UNIT).saturating_sub(memory.units());
        if missing == 0 {
            return Ok(());
        }
        let count = u32::try_from(missing).map_err(|_| Refused::TooLarge)?;
        let more = if let Ok(more) = Arc::clone(&self.memory).try_acquire_many_owned(count) {
            more
        } else {
            // Now it is we who let the client wait.
            let _paused = awaited.map(Awaited::pause);
            self.wait(&self.memory, count, deadline)
                .await
                .ok_or(Refused::Short(Shortage::Memory))?
        };
        match &mut memory.permit {
            Some(permit) => permit.merge(more),
            None => memory.permit = Some(more),
        }
        Ok(())
    }

    /// Reads a body whose length is known, or not, into memory that is accounted for before it is used.
    pub(super) async fn read(
        &self,
        body: &mut Body,
        length: Option<usize>,
        memory: &mut Memory,
        deadline: Instant,
        busy: Option<&Busy>,
    ) -> Result<Bytes, Refused> {
        let awaited = busy.map(Busy::awaits);
        let awaited = awaited.as_ref();
        let room = length.unwrap_or(UNIT).min(AT_ONCE);
        self.grow(memory, room, deadline, awaited).await?;
        let Some(first) = next(body, deadline).await? else {
            return Ok(Bytes::new());
        };
        // The usual review comes in one piece, which needs no copy.
        if length == Some(first.len()) && first.len() <= self.limits.body {
            self.grow(memory, first.len(), deadline, awaited).await?;
            return Ok(first);
        }
        let mut bytes = Vec::new();
        let mut piece = Some(first);
        while let Some(data) = piece {
            let needed = bytes.len() + data.len();
            if needed > self.limits.body {
                return Err(Refused::TooLarge);
            }
            if needed > bytes.capacity() {
                let most = length
                    .unwrap_or(self.limits.body)
                    .clamp(needed, self.limits.body);
                let capacity = needed.max(room).max(bytes.capacity() * 2).min(most);
                self.grow(memory, capacity, deadline, awaited).await?;
                bytes.reserve_exact(capacity - bytes.len());
            }
            bytes.extend_from_slice(&data);
            piece = next(body, deadline).await?;
        }
        Ok(Bytes::from(bytes))
    }

    /// Reads what is left of a body and forgets it: an answer before its end would break the connection of a client that is still
    /// sending. Nothing is held meanwhile.
    pub(super) async fn discard(
        &self,
        body: &mut Body,
        deadline: Instant,
        busy: Option<&Busy>,
    ) -> Result<(), Refused> {
        let _awaited = busy.map(Busy::discards);
        let mut seen = 0;
        while let Some(data) = next(body, deadline).await? {
            seen += data.len();
            if seen > self.limits.body {
                return Err(Refused::TooLarge);
            }
        }
        Ok(())
    }
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
