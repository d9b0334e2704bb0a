//! Blocking clients that send byte by byte what a test tells them. An async test calls them from a thread.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, DEFAULT_VERSIONS, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use seldon_tracing::apiserver::verify::Reply;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;

use super::LONG;

/// The client address of an attacker.
const ANOTHER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0);

/// A connection with TLS.
pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

/// An HTTP answer. Its body may be cut off.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Reads one answer. `None` if the connection ends before its header does.
    pub(crate) fn read(stream: &mut impl Read) -> Option<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut answer = Self {
            status,
            head,
            body: Vec::new(),
        };
        let length = answer.length().unwrap_or(u64::MAX);
        // A connection that is reset in the body leaves what was read.
        let _ = stream.take(length).read_to_end(&mut answer.body);
        Some(answer)
    }

    fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
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

/// Sends a request without TLS, as HTTP/1.0: the answer is not chunked and ends with the connection.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(LONG))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let answer = Http::read(&mut stream).ok_or_else(|| io::Error::other("no answer"))?;
    Ok((
        answer.status,
        String::from_utf8_lossy(&answer.body).into_owned(),
    ))
}

/// The same for GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    ask(address, "GET", path, "")
}

/// A new connection. A read waits at most [`LONG`].
pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The same from another client address. Needs a runtime, and a thread that may block.
pub(crate) fn tcp_from_another(address: SocketAddr) -> TcpStream {
    let connecting = async {
        let socket = TcpSocket::new_v4().unwrap();
        // A small buffer: the server must notice soon that this client does not read.
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        socket.bind(ANOTHER).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    };
    let stream = Handle::current().block_on(connecting);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A connection after its TLS handshake.
pub(crate) fn tls(address: SocketAddr, ca: &str) -> io::Result<Tls> {
    tls_on(tcp(address), "localhost", ca, "http/1.1")
}

/// Makes the handshake, for a server of that name and one version of HTTP.
pub(crate) fn tls_on(stream: TcpStream, name: &str, ca: &str, alpn: &str) -> io::Result<Tls> {
    let mut tls = tls_with(stream, name, ca, DEFAULT_VERSIONS, &[alpn.as_bytes()]);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}

/// The same for these versions of TLS and HTTP. The first write makes the handshake.
pub(crate) fn tls_with(
    stream: TcpStream,
    name: &str,
    ca: &str,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> Tls {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, stream)
}

/// The certificate that the server presents, in DER.
pub(crate) fn shown(address: SocketAddr, ca: &str) -> io::Result<Vec<u8>> {
    shown_as("localhost", address, ca)
}

/// The same for another server name.
pub(crate) fn shown_as(name: &str, address: SocketAddr, ca: &str) -> io::Result<Vec<u8>> {
    let stream = tls_on(tcp(address), name, ca, "http/1.1")?;
    let certificates = stream.conn.peer_certificates().unwrap_or_default();
    Ok(certificates
        .first()
        .map(|it| it.to_vec())
        .unwrap_or_default())
}

/// The leaf of a chain, in DER.
pub(crate) fn leaf(chain: &str) -> Vec<u8> {
    let first = CertificateDer::from_pem_slice(chain.as_bytes());
    first.unwrap().to_vec()
}

/// The header of a review with a body of so many bytes.
pub(crate) fn header(length: usize, timeout: &str) -> String {
    format!(
        "POST /mutate?timeout={timeout} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Reads one answer: status, header in lower case, body. `None` if it is cut off.
pub(crate) fn answer(stream: &mut impl Read) -> Option<(u16, String, Vec<u8>)> {
    let answer = Http::read(stream)?;
    let is_whole = answer.length() == u64::try_from(answer.body.len()).ok();
    is_whole.then(|| (answer.status, answer.head.to_ascii_lowercase(), answer.body))
}

/// Whether the server closes the connection, in order or not. A read that times out means no.
pub(crate) fn ends(stream: &mut impl Read) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                let waiting = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
                return !waiting.contains(&error.kind());
            }
        }
    }
}

/// Sends one byte at a time, until all are sent or the server closes the connection.
pub(crate) fn trickle(stream: &mut impl Write, bytes: &[u8], every: Duration) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte])?;
        stream.flush()?;
        // A slow client is what is tested.
        std::thread::sleep(every);
    }
    Ok(())
}
