//! The certificate that is served, and whose clients are answered.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use time::OffsetDateTime;

use crate::files;
use crate::pki::{Certificate, Pair, PkiError, Validity, pem_fault, read_certificates};

/// The largest file of certificates or keys, in bytes.
const MOST: usize = 1 << 20;

/// Where the certificate comes from.
#[derive(Debug)]
pub enum Identity {
    /// Files, which are read again when they change.
    Files(Files),
    /// Made for this process.
    Memory(Pair),
}

/// The files of an identity.
#[derive(Clone, Debug)]
pub struct Files {
    /// The certificate chain, leaf first, in PEM.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
    /// The CAs of the clients that are answered; without it, every client is.
    pub client_ca: Option<PathBuf>,
}

/// What is wrong with an identity. No text holds anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("cannot read {what} {path}: {error}", path = .path.display())]
    Read {
        /// Which one it is.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is no usable certificate.
    #[error("{what} is not usable: {error}")]
    Certificate {
        /// Which one it is.
        what: &'static str,
        /// Why not.
        error: PkiError,
    },
    /// There is no usable key.
    #[error("the private key is not usable: {0}")]
    Key(String),
    /// Key and certificate do not belong together, or rustls does not take them.
    #[error("certificate and private key are not usable together: {0}")]
    Pair(rustls::Error),
    /// The API server looks only at these names.
    #[error(
        "the certificate has no DNS name and no address (subjectAltName), without which the API server refuses it"
    )]
    NoNames,
    /// It is of no use now.
    #[error("the certificate is valid from {} to {}, and not now; if it should be, look at the clocks", .0.not_before, .0.not_after)]
    NotNow(Box<Certificate>, OffsetDateTime),
    /// The CAs of the clients are of no use.
    #[error("the CAs of the clients are not usable: {0}")]
    ClientCa(String),
}

/// The bytes of an identity.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Material {
    chain: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl fmt::Debug for Material {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Material")
    }
}

impl From<&Pair> for Material {
    fn from(pair: &Pair) -> Self {
        Self {
            chain: pair.chain.clone().into_bytes(),
            key: pair.key.clone().into_bytes(),
            client_ca: None,
        }
    }
}

/// An identity that can be served.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) tls: Arc<ServerConfig>,
    pub(super) leaf: Certificate,
}

impl Files {
    /// Reads the bytes. What they are is not looked at.
    pub(super) fn read(&self) -> Result<Material, IdentityError> {
        Ok(Material {
            chain: read("the certificate", &self.certificate)?,
            key: read("the private key", &self.key)?,
            client_ca: match &self.client_ca {
                Some(path) => Some(read("the CAs of the clients", path)?),
                None => None,
            },
        })
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, IdentityError> {
    files::read(path, MOST).map_err(|error| IdentityError::Read {
        what,
        path: path.to_owned(),
        error,
    })
}

impl Material {
    /// Makes what TLS needs of it: TLS 1.2 and 1.3, HTTP/1.1, which the API server speaks to webhooks, and HTTP/2.
    pub(super) fn load(&self, now: OffsetDateTime) -> Result<Loaded, IdentityError> {
        let leaf = leaf(&self.chain)?;
        if !matches!(leaf.validity(now), Validity::Valid { .. }) {
            return Err(IdentityError::NotNow(Box::new(leaf), now));
        }
        if leaf.dns.is_empty() && leaf.ip.is_empty() {
            return Err(IdentityError::NoNames);
        }
        let chain = CertificateDer::pem_slice_iter(&self.chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| no_certificate(pem_fault(&error)))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| IdentityError::Key(pem_fault(&error)))?;
        let provider = Arc::new(provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(IdentityError::Pair)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let roots = Arc::new(roots(authorities)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = verifier
                    .build()
                    .map_err(|error| IdentityError::ClientCa(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        // This refuses a key that is not the certificate's.
        let mut tls = builder
            .with_single_cert(chain, key)
            .map_err(IdentityError::Pair)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // The API server does not resume sessions; memory and old trust that would be kept for it are spared.
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        tls.send_tls13_tickets = 0;
        Ok(Loaded {
            tls: Arc::new(tls),
            leaf,
        })
    }
}

/// The one place that says whose cryptography is used.
pub(crate) fn provider() -> CryptoProvider {
    ring::default_provider()
}

fn leaf(chain: &[u8]) -> Result<Certificate, IdentityError> {
    let failed = |error| IdentityError::Certificate {
        what: "the certificate",
        error,
    };
    let certificates = read_certificates(chain).map_err(failed)?;
    let first = certificates.into_iter().next();
    first.ok_or_else(|| no_certificate("it is empty".to_owned()))
}

fn no_certificate(why: String) -> IdentityError {
    IdentityError::Certificate {
        what: "the certificate",
        error: PkiError::NoCertificate(why),
    }
}

fn roots(authorities: &[u8]) -> Result<RootCertStore, IdentityError> {
    let failed = |error: &dyn fmt::Display| IdentityError::ClientCa(error.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        // Somebody may have put a key there.
        let certificate = certificate.map_err(|error| failed(&pem_fault(&error)))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C2, S3: a key whose line breaks were lost is one line, which the reader of PEM would quote.
    #[test]
    fn no_byte_of_a_broken_key_is_in_the_message() {
        let (pair, _) = crate::serve::dev_identity().unwrap();
        for (from, to) in [("\n", "\\n"), ("\n", " "), ("-----END", "----END")] {
            let key = pair.key.replace(from, to).into_bytes();
            let decimal = format!("{:?}", &key[30..40]);
            let text = String::from_utf8(key[30..46].to_vec()).unwrap();
            for (key, client_ca) in [
                (key.clone(), None),
                (pair.key.clone().into_bytes(), Some(key)),
            ] {
                let material = Material {
                    chain: pair.chain.clone().into_bytes(),
                    key,
                    client_ca,
                };
                let error = material.load(OffsetDateTime::now_utc()).unwrap_err();
                let said = format!("{error} {error:?}");
                assert!(
                    !said.contains(decimal.trim_matches(['[', ']'])),
                    "{from} {to}"
                );
                assert!(!said.contains(&text), "{from} {to}");
            }
        }
    }
}
