//! Clients that do as a test tells them, byte by byte. They block: a test that is async calls them from a thread.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use tokio::net::TcpSocket;
use tokio::runtime::Handle;

use super::LONG;

/// A client address that is not the usual one.
const ANOTHER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0);

/// A connection with TLS.
pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A plain GET.
pub(crate) fn get(admin: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(LONG))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let broken = || io::Error::other(answer.clone());
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    Ok((status.ok_or_else(broken)?, body.to_owned()))
}

/// A connection on which nothing has been said. Reading waits for long, and no longer.
pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The same, which comes from another client address than all others here. Needs a runtime, and a thread that may block.
pub(crate) fn tcp_from_another(address: SocketAddr) -> TcpStream {
    let connecting = async {
        let socket = TcpSocket::new_v4().unwrap();
        // Little is on its way when this client does not read.
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

/// A connection that has come through the handshake.
pub(crate) fn tls(address: SocketAddr, ca: &str) -> io::Result<Tls> {
    tls_on(tcp(address), "localhost", ca, "http/1.1")
}

/// A handshake on a connection, for a server of that name and a version of HTTP.
pub(crate) fn tls_on(mut stream: TcpStream, name: &str, ca: &str, alpn: &str) -> io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// The certificate that a new connection is shown, in DER.
pub(crate) fn shown(address: SocketAddr, ca: &str) -> io::Result<Vec<u8>> {
    shown_as("localhost", address, ca)
}

/// The same, asking for a name of its own.
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

/// Reads one answer: status, header, body. Nothing if the connection ends before it is whole.
pub(crate) fn answer(stream: &mut impl Read) -> Option<(u16, String, Vec<u8>)> {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        seen.push(byte[0]);
    }
    let head = String::from_utf8(seen).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length: "));
    let mut body = vec![0; length?.trim().parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some((status, head, body))
}

/// Whether the other side ends the connection: an end or an error, but not that nothing comes.
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

/// Sends a byte, again and again, until the other side has had enough, or for so many bytes.
pub(crate) fn trickle(stream: &mut impl Write, bytes: &[u8], every: Duration) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte])?;
        stream.flush()?;
        // Being slow is what this is about.
        std::thread::sleep(every);
    }
    Ok(())
}
