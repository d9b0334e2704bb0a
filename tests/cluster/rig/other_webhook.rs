//! A webhook that is not ours, or one of ours in trouble: it answers as a test tells it, and remembers what it was asked.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use seldon_tracing::admission::{Route, answer};
use seldon_tracing::config::Config;
use serde_json::{Value, json};

use super::Cluster;
use crate::support::load;

/// What it does with a review.
#[derive(Debug)]
pub(crate) enum Reply {
    /// What our webhook would answer.
    Ours,
    /// A JSON Patch; an empty one changes nothing.
    Patch(Vec<Value>),
    /// An answer of HTTP, with headers.
    Http(u16, &'static [(&'static str, &'static str)], String),
    /// The connection stays open and nothing comes.
    Never,
}

/// Decides by the request of the review.
type Behaviour = Box<dyn Fn(&Value) -> Reply + Send + Sync>;

/// The server, which ends with this.
pub(crate) struct OtherWebhook {
    address: SocketAddr,
    /// Who signed its certificate.
    pub(crate) ca: String,
    shared: Arc<Shared>,
    handle: Handle<SocketAddr>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    requests: Mutex<Vec<Value>>,
}

impl OtherWebhook {
    pub(crate) fn start(
        cluster: &Cluster,
        behaviour: impl Fn(&Value) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let authority = load::authority();
        let pair = load::pair(&authority);
        let chain = CertificateDer::pem_slice_iter(pair.chain.as_bytes()).map(Result::unwrap);
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.collect(), key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Box::new(behaviour)),
            requests: Mutex::default(),
        });
        let router = Router::new()
            .fallback(serve)
            .with_state(Arc::clone(&shared));
        let handle = Handle::new();
        cluster.block_on(async {
            let server = from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls)));
            let server = server.unwrap().handle(handle.clone());
            tokio::spawn(server.serve(router.into_make_service()));
        });
        Self {
            address,
            ca: authority.certificate().to_owned(),
            shared,
            handle,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/mutate", self.address)
    }

    /// What it does from now on.
    pub(crate) fn behave(&self, behaviour: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        *self.shared.behaviour.lock().unwrap() = Box::new(behaviour);
    }

    /// Whether it has been called at all since [`asked`](Self::asked) was last.
    pub(crate) fn is_called(&self) -> bool {
        !self.shared.requests.lock().unwrap().is_empty()
    }

    /// What it was asked since the last time, trials apart.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let mut requests = std::mem::take(&mut *self.shared.requests.lock().unwrap());
        requests.retain(|request| request["dryRun"] != json!(true));
        requests
    }
}

impl Drop for OtherWebhook {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let review: Value = serde_json::from_slice(&body).unwrap();
    let request = review["request"].clone();
    let uid = request["uid"].clone();
    shared.requests.lock().unwrap().push(request.clone());
    let reply = shared.behaviour.lock().unwrap()(&request);
    match reply {
        Reply::Ours => {
            let answer = answer(&body, Route::Mutate, &Config::default());
            json_body(answer.unwrap().body)
        }
        Reply::Patch(patch) => {
            let mut response = json!({"uid": uid, "allowed": true});
            if !patch.is_empty() {
                response["patchType"] = json!("JSONPatch");
                response["patch"] = json!(STANDARD.encode(Value::Array(patch).to_string()));
            }
            json_body(
                json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
                    .to_string()
                    .into_bytes(),
            )
        }
        Reply::Http(status, headers, text) => {
            let mut response = text.into_response();
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                let value = value.parse().unwrap();
                response.headers_mut().insert(*name, value);
            }
            response
        }
        Reply::Never => std::future::pending().await,
    }
}

fn json_body(body: Vec<u8>) -> Response {
    let mut response = Body::from(body).into_response();
    let json = "application/json".parse().unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
