//! The webhook in the process of a test that is not async, and clients that can send anything.

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use rustls::SupportedProtocolVersion;
use seldon_tracing::admission::Route;
use seldon_tracing::apiserver::client::Client;
use seldon_tracing::apiserver::verify::Reply;
use seldon_tracing::serve::{Identity, Options, dev_identity};
use tokio::runtime::Runtime;

pub(crate) use super::load::raw::Http;
use super::load::raw::{self, Tls};
use super::load::{self, Running};

/// A webhook on loopback ports, for as long as this lives.
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) ca: String,
    runtime: Runtime,
    _running: Running,
}

impl Webhook {
    pub(crate) fn start() -> Self {
        Self::with(|_| ())
    }

    /// Starts it with changed settings.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let (pair, ca) = dev_identity().unwrap();
        let mut settings = load::settings(Identity::Memory(pair));
        change(&mut settings);
        let runtime = Runtime::new().unwrap();
        let running = runtime.block_on(load::serve(settings, &ca));
        Self {
            address: running.address,
            admin: running.admin,
            ca,
            runtime,
            _running: running,
        }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A client that calls as the API server does.
    pub(crate) fn client(&self, route: Route) -> Client {
        Client::on(&load::target(self.address, &self.ca), route.path()).unwrap()
    }

    /// Sends a body by such a client.
    pub(crate) fn ask(&self, body: impl Into<Bytes>, route: Route) -> Reply {
        let call = self.client(route);
        let call = call.call(body.into(), Duration::from_secs(30));
        self.block_on(call).unwrap().reply
    }

    pub(crate) fn tls(&self) -> Tls {
        tls(self.address, &self.ca, rustls::DEFAULT_VERSIONS, &[])
    }

    /// Sends bytes after the handshake.
    pub(crate) fn raw(&self, pieces: &[&[u8]]) -> Http {
        exchange(self.tls(), pieces)
    }

    /// Sends a request with these header lines and this body.
    pub(crate) fn send(&self, method: &str, path: &str, header: &str, body: &[u8]) -> Http {
        send(self.tls(), method, path, header, body)
    }

    /// Gets a page of the admin port.
    pub(crate) fn page(&self, path: &str) -> Http {
        page(self.admin, path)
    }
}

/// A connection to a webhook.
pub(crate) fn tls(
    address: SocketAddr,
    ca: &str,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> Tls {
    raw::tls_with(raw::tcp(address), "localhost", ca, versions, alpn)
}

/// Sends a request with a `Content-Length` and reads the answer.
pub(crate) fn send(
    stream: impl Read + Write,
    method: &str,
    path: &str,
    header: &str,
    body: &[u8],
) -> Http {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n"
    );
    exchange(stream, &[head.as_bytes(), body])
}

pub(crate) fn page(admin: SocketAddr, path: &str) -> Http {
    let stream = TcpStream::connect(admin).unwrap();
    send(stream, "GET", path, "", b"")
}

/// Sends and reads one answer. The webhook may answer and close before it has read all.
pub(crate) fn exchange(mut stream: impl Read + Write, pieces: &[&[u8]]) -> Http {
    let sent = pieces.iter().try_for_each(|piece| stream.write_all(piece));
    let _ = sent.and_then(|()| stream.flush());
    Http::read(&mut stream).unwrap_or_else(|| panic!("no answer"))
}

/// Prints to stderr. The test harness captures `eprintln!`, but not this.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
