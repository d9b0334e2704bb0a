//! A webhook that answers what a test tells it, over TLS on loopback.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

/// A CA.
pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The certificate of a webhook, for loopback and the name of a Service.
pub(crate) fn leaf() -> CertificateParams {
    let names = ["localhost", "127.0.0.1", "webhook.ns.svc"].map(str::to_owned);
    CertificateParams::new(names.to_vec()).unwrap()
}

/// A request that it received.
pub(crate) struct Asked {
    pub(crate) parts: Parts,
    pub(crate) body: Value,
}

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    pub(crate) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// Starts a webhook. `answer` gets the number of the request, from 0, and its body.
pub(crate) fn fake(
    answer: impl Fn(usize, &Value) -> Response + Clone + Send + Sync + 'static,
) -> Fake {
    fake_with(&authority(), &leaf(), answer)
}

/// The same with this certificate.
pub(crate) fn fake_with(
    authority: &Authority,
    leaf: &CertificateParams,
    answer: impl Fn(usize, &Value) -> Response + Clone + Send + Sync + 'static,
) -> Fake {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, authority).unwrap();
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let app = Router::new().fallback(move |request: Request| {
        let (seen, answer) = (Arc::clone(&seen), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let mut seen = seen.lock().unwrap();
            let response = answer(seen.len(), &body);
            seen.push(Asked { parts, body });
            response
        }
    });
    thread::spawn(move || {
        // It ends with the process of the test.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls)))
                .unwrap()
                .serve(app.into_make_service())
                .await
                .unwrap();
        });
    });
    Fake {
        address,
        ca: authority.pem(),
        asked,
    }
}

/// An answer with a JSON body.
pub(crate) fn answer(body: &Value) -> Response {
    Response::builder()
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// The answer to a review, with these fields besides `uid` and `allowed`.
pub(crate) fn review(question: &Value, fields: &Value) -> Value {
    let mut response = json!({"uid": question["request"]["uid"], "allowed": true});
    for (key, value) in fields.as_object().unwrap() {
        response[key] = value.clone();
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
}

/// An answer with a status and a text.
pub(crate) fn status(status: u16, text: &str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain")
        .body(Body::from(text.to_owned()))
        .unwrap()
}

/// An answer with `Retry-After`.
pub(crate) fn again(status: u16, seconds: &str) -> Response {
    Response::builder()
        .status(status)
        .header("retry-after", seconds)
        .header("connection", "close")
        .body(Body::from("not now"))
        .unwrap()
}
