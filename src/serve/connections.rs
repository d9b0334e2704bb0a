//! The open connections, and which of them to close when there is no room for another: the idle before the busy, those that never
//! asked anything before all others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use super::metrics::{Eviction, Metrics};

/// One connection, as far as others need to know of it.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    /// When the registry was made, from which `changed` counts.
    epoch: Instant,
    /// Requests in work.
    busy: AtomicU32,
    /// Those of them that wait for the client, to send or to take, and since when, in milliseconds of the epoch. A request that
    /// waits for us is not slow.
    awaited: AtomicU32,
    since: AtomicU64,
    /// Whether what it sends is thrown away: then it holds nothing but itself.
    discards: AtomicBool,
    /// Whether a request was ever answered.
    served: AtomicBool,
    /// When it last began to work or ended a request, in milliseconds of the epoch.
    changed: AtomicU64,
    closed: AtomicBool,
    /// The task to wake when it is closed from outside.
    waker: Mutex<Option<Waker>>,
}

impl Connection {
    fn new(id: u64, epoch: Instant) -> Self {
        let connection = Self {
            id,
            epoch,
            busy: AtomicU32::new(0),
            awaited: AtomicU32::new(0),
            since: AtomicU64::new(0),
            discards: AtomicBool::new(false),
            served: AtomicBool::new(false),
            changed: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            waker: Mutex::new(None),
        };
        connection.touch();
        connection
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn touch(&self) {
        self.changed.store(self.now(), Ordering::Relaxed);
    }

    fn await_client(&self) {
        if self.awaited.fetch_add(1, Ordering::Relaxed) == 0 {
            self.since.store(self.now(), Ordering::Relaxed);
        }
    }

    fn await_client_no_more(&self) {
        self.awaited.fetch_sub(1, Ordering::Relaxed);
    }

    /// A request begins; it ends when the guard goes.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        if self.busy.fetch_add(1, Ordering::Relaxed) == 0 {
            self.touch();
        }
        Busy(Arc::clone(self))
    }

    /// Whether somebody closed it from outside. If not, the task is woken when somebody does.
    pub(super) fn is_closed(&self, context: &Context<'_>) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return true;
        }
        let mut waker = lock(&self.waker);
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            *waker = Some(context.waker().clone());
        }
        drop(waker);
        self.closed.load(Ordering::Acquire)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Some(waker) = lock(&self.waker).take() {
            waker.wake();
        }
    }
}

/// A request in work on a connection.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.served.store(true, Ordering::Relaxed);
        self.0.touch();
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Busy {
    /// From now on the client is waited for, until the guard goes.
    pub(super) fn awaits(&self) -> Awaited {
        self.0.await_client();
        Awaited(Arc::clone(&self.0))
    }

    /// The same for a body of which nothing is kept.
    pub(super) fn discards(&self) -> Awaited {
        self.0.discards.store(true, Ordering::Relaxed);
        self.awaits()
    }
}

/// A request in work that waits for its client.
#[derive(Debug)]
pub(super) struct Awaited(Arc<Connection>);

impl Awaited {
    /// Until the guard goes, the client waits for us. After that its time begins anew.
    pub(super) fn pause(&self) -> Paused {
        self.0.await_client_no_more();
        Paused(Arc::clone(&self.0))
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.discards.store(false, Ordering::Relaxed);
        self.0.await_client_no_more();
    }
}

/// A request whose client waits for us in between.
#[derive(Debug)]
pub(super) struct Paused(Arc<Connection>);

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.await_client();
    }
}

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    epoch: Instant,
    most: usize,
    patience: Duration,
    metrics: Arc<Metrics>,
}

/// A place among the open connections, for as long as it lives.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) connection: Arc<Connection>,
    registry: Arc<Connections>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.registry.open).remove(&self.connection.id);
        self.registry.metrics.connections.dec();
    }
}

impl Connections {
    /// A request that takes longer than `patience` may be given up for others.
    pub(super) fn new(most: usize, patience: Duration, metrics: Arc<Metrics>) -> Self {
        Self {
            open: Mutex::new(HashMap::new()),
            next: AtomicU64::new(0),
            epoch: Instant::now(),
            most,
            patience,
            metrics,
        }
    }

    /// Takes a new connection in, for which another may have to go; nothing if all others are at work.
    pub(super) fn register(self: &Arc<Self>) -> Option<Registered> {
        let mut open = lock(&self.open);
        if open.len() >= self.most {
            let slowest = || self.slowest(&open, |_| true);
            let (victim, eviction) = idlest(&open).or_else(slowest)?;
            open.remove(&victim.id);
            victim.close();
            self.metrics.evicted(eviction);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(id, self.epoch));
        open.insert(id, Arc::clone(&connection));
        drop(open);
        self.metrics.connections.inc();
        Some(Registered {
            connection,
            registry: Arc::clone(self),
        })
    }

    /// Closes the connection whose client lets us wait longest, if that is longer than anybody would who means it. Time that a
    /// request waits for us does not count: under load that is everybody's.
    pub(super) fn give_up_slowest(&self) {
        let mut open = lock(&self.open);
        let holds = |connection: &Connection| !connection.discards.load(Ordering::Relaxed);
        if let Some((victim, eviction)) = self.slowest(&open, holds) {
            open.remove(&victim.id);
            victim.close();
            self.metrics.evicted(eviction);
        }
    }

    fn slowest(
        &self,
        open: &HashMap<u64, Arc<Connection>>,
        counts: impl Fn(&Connection) -> bool,
    ) -> Option<(Arc<Connection>, Eviction)> {
        let latest = self.epoch.elapsed().saturating_sub(self.patience);
        open.values()
            .filter(|connection| connection.awaited.load(Ordering::Relaxed) > 0)
            .filter(|connection| counts(connection))
            .map(|connection| (connection.since.load(Ordering::Relaxed), connection))
            .filter(|(since, _)| u128::from(*since) < latest.as_millis())
            .min_by_key(|(since, _)| *since)
            .map(|(_, connection)| (Arc::clone(connection), Eviction::Slow))
    }
}

/// The connection that nobody would miss.
fn idlest(open: &HashMap<u64, Arc<Connection>>) -> Option<(Arc<Connection>, Eviction)> {
    open.values()
        .filter(|connection| connection.busy.load(Ordering::Relaxed) == 0)
        .min_by_key(|connection| {
            let served = connection.served.load(Ordering::Relaxed);
            (served, connection.changed.load(Ordering::Relaxed))
        })
        .map(|connection| (Arc::clone(connection), Eviction::Idle))
}

/// Nothing in here panics with a lock held; if it did, the data would still be good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
