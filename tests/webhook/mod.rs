//! The webhook itself in the process of a test, and clients that send it whatever they like.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests too, and no file uses all of them"
)]

use std::future::Future;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use seldon_tracing::admission::Route;
use seldon_tracing::apiserver::client::{Client, Target, Trust};
use seldon_tracing::apiserver::verify::Reply;
use seldon_tracing::serve::{ConfigSource, Identity, Options, Server, dev_identity};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// A webhook on loopback ports, for as long as this lives.
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) ca: String,
    runtime: Runtime,
    _stop: mpsc::Sender<()>,
}

impl Webhook {
    pub(crate) fn start() -> Self {
        Self::with(|_| ())
    }

    /// One with other settings.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let (pair, ca) = dev_identity().unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = ConfigSource::Fixed(Box::default());
        let mut settings = Options::new(vec![any], Identity::Memory(pair), config);
        settings.admin_listen = vec![any];
        change(&mut settings);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(Server::bind(settings)).unwrap();
        let address = server.address().unwrap();
        let admin = server.admin_address().unwrap().unwrap();
        let (stop, stopped) = mpsc::channel(1);
        runtime.spawn(server.run(stopped));
        Self {
            address,
            admin,
            ca,
            runtime,
            _stop: stop,
        }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A client that calls it as the API server does.
    pub(crate) fn client(&self, route: Route) -> Client {
        let target = Target {
            url: format!("https://{}", self.address),
            trust: Trust::Authorities(self.ca.clone().into_bytes()),
            server_name: None,
            identity: None,
        };
        Client::on(&target, route.path()).unwrap()
    }

    /// What it answers to a body that comes by way of such a client.
    pub(crate) fn ask(&self, body: impl Into<Bytes>, route: Route) -> Reply {
        let call = self.client(route);
        let call = call.call(body.into(), Duration::from_secs(30));
        self.block_on(call).unwrap().reply
    }

    pub(crate) fn tls(&self) -> StreamOwned<ClientConnection, TcpStream> {
        tls(self.address, &self.ca, rustls::DEFAULT_VERSIONS, &[])
    }

    /// What it answers to bytes that are sent to it after the handshake.
    pub(crate) fn raw(&self, pieces: &[&[u8]]) -> Http {
        exchange(self.tls(), pieces)
    }

    /// What it answers to a request with these lines of a header and this body.
    pub(crate) fn send(&self, method: &str, path: &str, header: &str, body: &[u8]) -> Http {
        send(self.tls(), method, path, header, body)
    }

    /// A page of the port for others, with its status.
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
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream.set_nodelay(true).unwrap();
    StreamOwned::new(connection, stream)
}

/// Sends a request with a `Content-Length` on a connection of its own.
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

/// Sends and reads to the end. Who sends too much may have his answer before he is through, and no listener any more.
pub(crate) fn exchange(mut stream: impl Read + Write, pieces: &[&[u8]]) -> Http {
    let sent = pieces.iter().try_for_each(|piece| stream.write_all(piece));
    let _ = sent.and_then(|()| stream.flush());
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
        if Http::is_whole(&answer) {
            break;
        }
    }
    Http::parse(&answer)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Http {
    fn split(answer: &[u8]) -> Option<(String, &[u8])> {
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        Some((head, &answer[end + 4..]))
    }

    fn is_whole(answer: &[u8]) -> bool {
        Self::split(answer).is_some_and(|(head, body)| {
            value(&head, "content-length")
                .is_some_and(|length| body.len() >= length.parse::<usize>().unwrap())
        })
    }

    fn parse(answer: &[u8]) -> Self {
        let Some((head, body)) = Self::split(answer) else {
            panic!("no answer: {:?}", String::from_utf8_lossy(answer));
        };
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head,
            body: body.to_vec(),
        }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value(&self.head, name)
    }

    /// As the API server sees it.
    pub(crate) fn reply(&self) -> Reply {
        Reply {
            status: self.status,
            content_type: self.header("content-type").map(str::to_owned),
            body: Bytes::from(self.body.clone()),
        }
    }
}

fn value<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Says it past the test harness, which holds back what `println!` says.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
