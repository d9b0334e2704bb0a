//! A webhook's address and trust: what `clientConfig` says in a webhook configuration.

use std::fmt::Display;
use std::sync::Arc;

use axum::http::Uri;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::error::ClientError;
use super::insecure::AnyCertificate;

/// Which certificates of the webhook are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those signed by one of these CAs, in PEM, as in `caBundle`.
    Authorities(Vec<u8>),
    /// Any.
    AnyCertificate,
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its URL. Without a path, the default path is called.
    pub url: String,
    /// Which certificates are accepted.
    pub trust: Trust,
    /// The name that its certificate must have, if it is not the host of the URL.
    pub server_name: Option<String>,
    /// A client certificate with the chain to its CA, and its key, both in PEM.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// The URL, with the default path if it has none.
pub(super) fn uri(url: &str, default_path: &str) -> Result<Uri, ClientError> {
    let wrong = |why: &str| ClientError::Url(url.to_owned(), why.to_owned());
    if url.contains(['?', '#']) {
        return Err(wrong(
            "the API server allows no query and no fragment in the URL",
        ));
    }
    let uri: Uri = url
        .parse()
        .map_err(|error: axum::http::uri::InvalidUri| wrong(&error.to_string()))?;
    if uri.scheme_str() != Some("https") {
        return Err(wrong("the API server calls over https only"));
    }
    let Some(authority) = uri.authority() else {
        return Err(wrong("it has no host"));
    };
    if authority.as_str().contains('@') {
        return Err(wrong("the API server allows no user in the URL"));
    }
    // Hardly any webhook is at the root, and a slash at the end is a habit.
    let path = Some(uri.path()).filter(|path| *path != "/");
    Uri::builder()
        .scheme("https")
        .authority(authority.clone())
        .path_and_query(path.unwrap_or(default_path))
        .build()
        .map_err(|error| wrong(&error.to_string()))
}

/// The name that the certificate must have.
pub(super) fn server_name(name: &str) -> Result<ServerName<'static>, ClientError> {
    ServerName::try_from(name.to_owned()).map_err(|error| {
        let what = "the name to expect in the certificate";
        ClientError::Credentials(what, format!("{name:?}: {error}"))
    })
}

/// TLS as the API server speaks it to a webhook: HTTP/1.1 only, TLS 1.2 or 1.3.
pub(crate) fn tls(target: &Target) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS", &error))?;
    let builder = match &target.trust {
        Trust::Authorities(pem) => builder.with_root_certificates(authorities(pem)?),
        Trust::AnyCertificate => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    let mut config = match &target.identity {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let what = "the client certificate";
            let chain = CertificateDer::pem_slice_iter(chain)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| unusable(what, &error))?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unusable(what, &error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unusable(what, &error))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn unusable(what: &'static str, why: &dyn Display) -> ClientError {
    ClientError::Credentials(what, why.to_string())
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, ClientError> {
    let what = "the CA certificate";
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(what, &error))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(what, &error))?;
    }
    if roots.is_empty() {
        let why = "it has no certificate in it; it must be PEM, with -----BEGIN CERTIFICATE-----";
        return Err(unusable(what, &why));
    }
    Ok(roots)
}
