//! What clients may use of the webhook's time and memory. Of memory and connections, no client address gets more than it leaves to the
//! others.

use std::time::Duration;

/// Times and sizes. The defaults are for production; tests scale them so that nothing waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the handshake to the end of the first request's header.
    pub first_request: Duration,
    /// How long a connection may be idle, and how long the header of its next request may take. The API server keeps idle connections
    /// for 90 seconds; a server that closes them earlier fails requests that are on their way.
    pub idle: Duration,
    /// From the header of a request to the start of its decision, or less if the client says so with `?timeout=`.
    pub request: Duration,
    /// How long a client may take to read an answer.
    pub answer: Duration,
    /// The largest body, in bytes: an object of 3 MiB, the same object before the change, and the fields around them.
    pub body: usize,
    /// The bytes that the bodies and answers of all connections may hold together.
    pub memory: usize,
    /// Open connections.
    pub connections: usize,
    /// The largest header of a request, in bytes.
    pub header: usize,
    /// How often certificate and config files are checked for changes.
    pub poll: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            first_request: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            request: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            body: 7 << 20,
            memory: 30 << 20,
            connections: 400,
            header: 32 << 10,
            poll: Duration::from_secs(1),
        }
    }
}
