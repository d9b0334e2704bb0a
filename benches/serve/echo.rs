//! The limit: the same stack with nothing in it.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::post;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use seldon_tracing::serve::dev_identity;
use std::io::Write;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads every body and answers so many bytes. Says its port on standard output.
pub(crate) fn serve(size: &str) {
    let size = size.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async move {
        let (pair, _) = dev_identity().unwrap();
        let chain = CertificateDer::pem_slice_iter(pair.chain.as_bytes());
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                chain.collect::<Result<_, _>>().unwrap(),
                PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
            )
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        println!("{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        let answer = Bytes::from(vec![b'x'; size]);
        let handler = async move |body: Bytes| {
            assert!(!body.is_empty());
            ([(header::CONTENT_TYPE, "application/json")], answer)
        };
        let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(tls)))
            .acceptor(NoDelayAcceptor::new());
        axum_server::from_tcp(listener)
            .unwrap()
            .acceptor(acceptor)
            .serve(
                Router::new()
                    .route("/mutate", post(handler))
                    .into_make_service(),
            )
            .await
            .unwrap();
    });
}
