//! Stands in for the kubelet of a node, for the one thing that the API server asks of it here: to forward a port of a pod.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use seldon_tracing::pki::Pair;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::load;

/// The protocol of Kubernetes over a WebSocket: the first byte of a message is its channel. Data has channel 0, and errors have 1.
const PROTOCOL: &str = "v4.channel.k8s.io";

/// Forwards every port of every pod to one address.
pub(crate) struct Kubelet {
    pub(crate) port: u16,
    to: Arc<Mutex<SocketAddr>>,
}

impl Kubelet {
    /// Needs a runtime.
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = Arc::new(Mutex::new(to));
        // The API server does not check the certificate of a kubelet unless it is told to.
        let acceptor = acceptor(&load::pair(&load::authority()));
        let target = Arc::clone(&to);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, to) = (acceptor.clone(), *target.lock().unwrap());
                tokio::spawn(forward(acceptor, stream, to));
            }
        });
        Self { port, to }
    }

    /// From now on it forwards to this address.
    pub(crate) fn forward_to(&self, address: SocketAddr) {
        *self.to.lock().unwrap() = address;
    }
}

/// Serves a certificate, and nothing else.
pub(crate) async fn show(pair: &Pair) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor(pair);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Who does not trust it ends the handshake.
            let _ = acceptor.accept(stream).await;
        }
    });
    address
}

fn acceptor(pair: &Pair) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(pair.chain.as_bytes());
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Agrees on the protocol, and keeps the port that is asked for.
struct Agree(Arc<Mutex<u16>>);

impl Callback for Agree {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        let query = request.uri().query().unwrap_or_default();
        let port = query.rsplit("port=").next().and_then(|it| it.parse().ok());
        let port = port.or_else(|| query.rsplit("ports=").next().and_then(|it| it.parse().ok()));
        *self.0.lock().unwrap() = port.unwrap();
        let protocol = HeaderValue::from_static(PROTOCOL);
        response
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Ok(response)
    }
}

async fn forward(acceptor: TlsAcceptor, stream: TcpStream, to: SocketAddr) {
    let port = Arc::new(Mutex::new(0));
    let stream = acceptor.accept(stream).await.unwrap();
    let asked = accept_hdr_async(stream, Agree(Arc::clone(&port))).await;
    let (mut answers, mut asked) = asked.unwrap().split();
    let [low, high] = port.lock().unwrap().to_le_bytes();
    for channel in 0..=1 {
        let begin = Message::binary(vec![channel, low, high]);
        answers.send(begin).await.unwrap();
    }
    let Ok(mut pod) = TcpStream::connect(to).await else {
        let _ = answers
            .send(Message::binary(b"\x01connection refused".to_vec()))
            .await;
        let _ = answers.close().await;
        return;
    };
    let mut bytes = [0; 16 * 1024];
    loop {
        tokio::select! {
            message = asked.next() => match message {
                Some(Ok(Message::Binary(data))) if data.first() == Some(&0) => {
                    if pod.write_all(&data[1..]).await.is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            read = pod.read(&mut bytes) => {
                let length = read.unwrap_or_default();
                if length == 0 || answers.send(Message::binary([&[0], &bytes[..length]].concat())).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = answers.close().await;
}
