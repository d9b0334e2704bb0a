//! What clients may take of the webhook's time and memory. Of memory and connections no client address gets more than is left for the
//! others.

use std::time::Duration;

/// Times and sizes. The defaults are those of production; tests scale them, so that nobody waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the handshake to the end of the first request's header.
    pub first_request: Duration,
    /// A kept-alive connection without a request, and the header of the next one. The API server keeps idle connections for 90
    /// seconds; a server that closes them earlier fails requests that are just on their way.
    pub idle: Duration,
    /// From the header of a request to the beginning of its decision; less if the client says so by `?timeout=`.
    pub request: Duration,
    /// How long a client may take to take an answer.
    pub answer: Duration,
    /// The largest body, in bytes: an object of 3 MiB, the same before the change, and their envelope.
    pub body: usize,
    /// The bytes that bodies and answers of all connections may hold together.
    pub memory: usize,
    /// Connections at a time.
    pub connections: usize,
    /// The buffer for the header of a request, in bytes, on each connection.
    pub header: usize,
    /// How often certificate and config files are looked at.
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
            poll: Duration::from_secs(5),
        }
    }
}
