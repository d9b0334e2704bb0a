//! An address that is a node to the pods on it.
//!
//! All of 127.0.0.0/8 is loopback. Each run has addresses of its own there, so that the ports of production (5775, 6831) can be used
//! as they are, by several runs at once, and so that there are nodes with other receivers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An address of loopback that stands for a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node(pub(crate) Ipv4Addr);

impl Node {
    /// One of the nodes of this run, of which there are four.
    pub(crate) fn new(number: u8) -> Self {
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        Self(Ipv4Addr::new(
            127,
            64 | (high << 2) | number,
            middle,
            low.max(1),
        ))
    }

    pub(crate) fn at(self, port: u16) -> SocketAddr {
        (IpAddr::V4(self.0), port).into()
    }
}
