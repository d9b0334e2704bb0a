//! Load on kept-alive connections of HTTP/1.1, with as little around the bytes as possible: what a client costs hides what a server
//! costs.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;

use super::insecure::AnyCertificate;
use tokio_rustls::rustls::ClientConfig;

/// What came of a load.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) p99: Duration,
    /// Of the server, for one request.
    pub(crate) cpu: Duration,
}

/// Opens connections with TLS.
pub(crate) struct Connector(TlsConnector);

impl Connector {
    /// For one version of HTTP.
    pub(crate) fn new(alpn: &str) -> Self {
        let provider = Arc::new(ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        tls.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        // A new client has no session from before.
        tls.resumption = Resumption::disabled();
        Self(TlsConnector::from(Arc::new(tls)))
    }

    pub(crate) async fn tls(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        self.0.connect(name, stream).await
    }
}

/// Opens a connection from an address of this machine.
pub(crate) async fn tcp(from: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A request as the API server writes it.
pub(crate) fn request(review: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /mutate?timeout=10s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: kube-apiserver-admission\r\nContent-Length: {}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\n\r\n",
        review.len()
    )
    .into_bytes();
    request.extend_from_slice(review);
    request
}

/// Reads an answer: its status, and where in the buffer its body begins.
pub(crate) async fn answer(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> io::Result<(u16, usize)> {
    buffer.clear();
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).map_err(|_| broken())?;
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(broken)?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|it| it.parse().ok()).ok_or_else(broken)?;
        while buffer.len() < end + 4 + length {
            if stream.read_buf(buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        return Ok((status, end + 4));
    }
}

/// Sends a request and reads its answer, which must be good.
async fn exchange(
    stream: &mut TlsStream<TcpStream>,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> usize {
    stream.write_all(request).await.unwrap();
    stream.flush().await.unwrap();
    let (status, start) = answer(stream, buffer).await.unwrap();
    assert_eq!(status, 200);
    start
}

/// Opens a connection.
pub(crate) async fn connect(port: u16) -> TlsStream<TcpStream> {
    let stream = tcp(Ipv4Addr::LOCALHOST, port).await.unwrap();
    Connector::new("http/1.1").tls(stream).await.unwrap()
}

/// One answer.
pub(crate) async fn once(port: u16, review: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let start = exchange(&mut connect(port).await, &request(review), &mut buffer).await;
    buffer.split_off(start)
}

/// Every connection sends its next request when it has the answer to the last.
pub(crate) async fn closed(port: u16, review: &[u8], connections: usize, each: usize) -> Load {
    run(port, review, connections, each, None).await
}

/// So many requests a second, whatever the answers do: latency counts from when a request was due.
pub(crate) async fn open(
    port: u16,
    review: &[u8],
    connections: usize,
    rate: f64,
    each: usize,
) -> Load {
    let gap = Duration::from_secs_f64(connections as f64 / rate);
    run(port, review, connections, each, Some(gap)).await
}

async fn run(
    port: u16,
    review: &[u8],
    connections: usize,
    each: usize,
    gap: Option<Duration>,
) -> Load {
    let request: Arc<[u8]> = request(review).into();
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(connect(port).await);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (at, mut stream) in streams.into_iter().enumerate() {
        let request = Arc::clone(&request);
        tasks.spawn(async move {
            let mut buffer = Vec::with_capacity(64 * 1024);
            let mut latencies = Vec::with_capacity(each);
            for turn in 0..each {
                let mut due = Instant::now();
                if let Some(gap) = gap {
                    let turn = u32::try_from(turn).unwrap();
                    let shift = gap.mul_f64(at as f64 / connections as f64);
                    due = start + shift + gap * turn;
                    tokio::time::sleep_until(due.into()).await;
                    // Timers are coarse; what they add is not the server's.
                    due = due.max(Instant::now());
                }
                exchange(&mut stream, &request, &mut buffer).await;
                latencies.push(due.elapsed());
            }
            latencies
        });
    }
    let mut latencies: Vec<Duration> = tasks.join_all().await.concat();
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    Load {
        requests: latencies.len(),
        per_second: latencies.len() as f64 / elapsed.as_secs_f64(),
        p99: latencies[latencies.len() * 99 / 100],
        cpu: Duration::ZERO,
    }
}
