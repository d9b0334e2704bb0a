//! What a client may take of the webhook's time and memory.

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
    /// How long a reader of answers may stop reading.
    pub stalled_write: Duration,
    /// The time for a request that names none by `?timeout=`.
    pub request: Duration,
    /// The most that `?timeout=` can ask for: the API server's own limit for `timeoutSeconds`.
    pub longest_request: Duration,
    /// How long a request waits for a place or for memory before it is told to come back, and how long a client that holds them may
    /// keep others waiting.
    pub patience: Duration,
    /// The largest body, in bytes: an object of 3 MiB, the same before the change, and their envelope.
    pub body: usize,
    /// The bytes that bodies and answers of all connections may hold together.
    pub memory: usize,
    /// Requests in work at a time, on all connections.
    pub places: usize,
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
            stalled_write: Duration::from_secs(10),
            request: Duration::from_secs(10),
            longest_request: Duration::from_secs(30),
            patience: Duration::from_millis(500),
            body: 7 << 20,
            memory: 24 << 20,
            places: 128,
            connections: 400,
            header: 32 << 10,
            poll: Duration::from_secs(5),
        }
    }
}
