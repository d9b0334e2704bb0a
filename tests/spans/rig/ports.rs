//! Ports for servers that have to be told one.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that Linux gives to connections, which are many here and come and go.
const FIRST: u16 = 20000;
const COUNT: u16 = 12000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that is free at every address, and that is given once.
pub(crate) fn free() -> u16 {
    let begin = std::process::id() % u32::from(COUNT);
    for _ in 0..COUNT {
        let at = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) + begin * 7;
        let port = FIRST + u16::try_from(at % u32::from(COUNT)).unwrap();
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
    panic!("there is no port left");
}
