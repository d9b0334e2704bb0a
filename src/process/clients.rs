//! The connections and the memory that clients share. No client address can take all of either.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A client, identified by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            // A machine with one IPv6 address can use the whole /64 around it.
            IpAddr::V6(address) => {
                Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// A limited amount of something. A client may hold as much as it leaves free: the first client half of it, the next a quarter, and so
/// on. A few clients that take all they can therefore leave room for a client that needs little.
pub(crate) struct Pool {
    size: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    in_all: usize,
    by_client: HashMap<Client, usize>,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self {
            size,
            held: Mutex::default(),
        })
    }

    /// Takes a share for a client, if there is room.
    pub(crate) fn take(self: &Arc<Self>, client: Client, amount: usize) -> Option<Share> {
        let mut share = Share {
            pool: Arc::clone(self),
            client,
            amount: 0,
        };
        share.resize(amount).then_some(share)
    }

    /// What all clients hold together.
    pub(crate) fn held(&self) -> usize {
        self.lock().in_all
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a client holds of a pool until this is dropped.
pub(crate) struct Share {
    pool: Arc<Pool>,
    client: Client,
    amount: usize,
}

impl Share {
    /// Makes the share larger or smaller. Returns false, and changes nothing, if there is no room.
    pub(crate) fn resize(&mut self, amount: usize) -> bool {
        let mut held = self.pool.lock();
        let before = held.by_client.get(&self.client).copied().unwrap_or(0);
        let mine = before - self.amount + amount;
        let in_all = held.in_all - self.amount + amount;
        if amount > self.amount && mine > self.pool.size.saturating_sub(in_all) {
            return false;
        }
        held.in_all = in_all;
        if mine == 0 {
            held.by_client.remove(&self.client);
        } else {
            held.by_client.insert(self.client, mine);
        }
        self.amount = amount;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, Pool, Share};

    fn client(address: &str) -> Client {
        address.parse::<std::net::IpAddr>().unwrap().into()
    }

    #[test]
    fn a_client_takes_no_more_than_it_leaves() {
        let pool = Pool::new(400);
        let most = |address: &str| -> Vec<Share> {
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
        assert!(pool.lock().by_client.is_empty());
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
