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
            served: AtomicBool::new(false),
            changed: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            waker: Mutex::new(None),
        };
        connection.touch();
        connection
    }

    fn touch(&self) {
        let now = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.changed.store(now, Ordering::Relaxed);
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
            let (victim, eviction) = idlest(&open).or_else(|| self.slowest(&open))?;
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

    /// Closes the connection whose request has taken longest, if that is longer than anybody who means it would take.
    pub(super) fn give_up_slowest(&self) {
        let mut open = lock(&self.open);
        if let Some((victim, eviction)) = self.slowest(&open) {
            open.remove(&victim.id);
            victim.close();
            self.metrics.evicted(eviction);
        }
    }

    fn slowest(&self, open: &HashMap<u64, Arc<Connection>>) -> Option<(Arc<Connection>, Eviction)> {
        let latest = self.epoch.elapsed().saturating_sub(self.patience);
        open.values()
            .filter(|connection| connection.busy.load(Ordering::Relaxed) > 0)
            .map(|connection| (connection.changed.load(Ordering::Relaxed), connection))
            .filter(|(changed, _)| u128::from(*changed) < latest.as_millis())
            .min_by_key(|(changed, _)| *changed)
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
