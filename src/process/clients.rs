//! What clients share: connections, memory, and the thread for large requests. No client address can take all of it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            // A machine with one address of IPv6 can use the whole /64 around it.
            IpAddr::V6(address) => {
                Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// So much of something. A client may hold as much of it as is free beside what it holds: the first half of it, the next a
/// quarter, and so on. So there is room for a client that holds little, whatever a few others do.
#[derive(Debug)]
pub(crate) struct Pool {
    size: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    in_all: usize,
    by: HashMap<Client, usize>,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self {
            size,
            held: Mutex::default(),
        })
    }

    /// Takes a part for a client, if there is room.
    pub(crate) fn take(self: &Arc<Self>, client: Client, amount: usize) -> Option<Part> {
        let mut part = Part {
            pool: Arc::clone(self),
            client,
            amount: 0,
        };
        part.resize(amount).then_some(part)
    }

    /// What all clients hold together.
    pub(crate) fn held(&self) -> usize {
        self.lock().in_all
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

/// Nothing panics while it holds a lock; if it did, what is in there would still be good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A part of a pool, held by a client for as long as this lives.
#[derive(Debug)]
pub(crate) struct Part {
    pool: Arc<Pool>,
    client: Client,
    amount: usize,
}

impl Part {
    /// Makes the part larger or smaller. Says no, and changes nothing, if there is no room.
    pub(crate) fn resize(&mut self, amount: usize) -> bool {
        let mut held = self.pool.lock();
        let before = held.by.get(&self.client).copied().unwrap_or(0);
        let mine = before - self.amount + amount;
        let in_all = held.in_all - self.amount + amount;
        if amount > self.amount && mine > self.pool.size.saturating_sub(in_all) {
            return false;
        }
        held.in_all = in_all;
        if mine == 0 {
            held.by.remove(&self.client);
        } else {
            held.by.insert(self.client, mine);
        }
        self.amount = amount;
        true
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.resize(0);
    }
}

/// One turn at a time, which goes from client to client: each waits for its own earlier turns first.
#[derive(Debug)]
pub(crate) struct Turns {
    turn: Arc<Semaphore>,
    lines: Mutex<HashMap<Client, Weak<Semaphore>>>,
}

/// A turn, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            lines: Mutex::default(),
        }
    }

    /// Waits for a turn. There is always one, for nobody closes the semaphores.
    pub(crate) async fn wait(&self, client: Client) -> Option<Turn> {
        let own = self.line(client).acquire_owned().await.ok()?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        Some(Turn {
            _own: own,
            _turn: turn,
        })
    }

    fn line(&self, client: Client) -> Arc<Semaphore> {
        let mut lines = lock(&self.lines);
        if let Some(line) = lines.get(&client).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Semaphore::new(1));
        lines.insert(client, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, Part, Pool};

    fn client(address: &str) -> Client {
        address.parse::<std::net::IpAddr>().unwrap().into()
    }

    #[test]
    fn a_client_takes_no_more_than_it_leaves() {
        let pool = Pool::new(400);
        let most = |address: &str| -> Vec<Part> {
            std::iter::from_fn(|| pool.take(client(address), 1)).collect()
        };
        let first = most("10.0.0.1");
        let second = most("10.0.0.2");
        let third = most("10.0.0.3");
        assert_eq!([first.len(), second.len(), third.len()], [200, 100, 50]);
        // What one gives back is for the others first.
        drop(second);
        assert_eq!(most("10.0.0.1").len(), 0);
        assert_eq!(most("10.0.0.2").len(), 75);
        drop((first, third));
        assert_eq!(pool.held(), 0);
        assert!(pool.lock().by.is_empty());
    }

    #[test]
    fn a_part_grows_only_where_there_is_room() {
        let pool = Pool::new(100);
        let mut part = pool.take(client("10.0.0.1"), 10).unwrap();
        assert!(part.resize(50));
        assert!(!part.resize(51));
        assert_eq!(pool.held(), 50);
        let other = pool.take(client("10.0.0.2"), 25).unwrap();
        // The client holds more now than it would get, and keeps it.
        assert!(part.resize(50) && part.resize(40) && !part.resize(41));
        drop((part, other));
        assert_eq!(pool.held(), 0);
    }

    #[test]
    fn a_client_is_an_address_of_ipv4_or_a_64_of_ipv6() {
        assert_eq!(client("::ffff:10.0.0.1"), client("10.0.0.1"));
        assert_ne!(client("10.0.0.1"), client("10.0.0.2"));
        assert_eq!(client("fd00:1:2:3::1"), client("fd00:1:2:3:ffff::2"));
        assert_ne!(client("fd00:1:2:3::1"), client("fd00:1:2:4::1"));
    }
}
