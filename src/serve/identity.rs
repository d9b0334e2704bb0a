//! The certificate that is served, and the CAs of the clients that are accepted.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use time::{Duration, OffsetDateTime};

use super::metrics::Watched;
use super::reload::{Load, Reload, StartError};
use super::state::{BEGUN, NOT_EXPIRED, Shared};
use crate::files;
use crate::pki::{Certificate, Pair, Validity, pem_fault, read_certificates, rfc3339};
use crate::process::health::Check;
use crate::process::metrics;

/// The largest file of certificates or keys, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// How long before the certificate expires the log warns.
const SOON: Duration = Duration::days(7);

/// Where the certificate comes from.
pub enum Identity {
    /// Files, which are loaded again when they change.
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
    /// The CAs of the clients that are accepted; without it, every client is.
    pub client_ca: Option<PathBuf>,
}

/// The bytes of an identity.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    chain: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// An identity that can be served.
#[derive(Debug)]
pub(super) struct Loaded {
    tls: Arc<ServerConfig>,
    leaf: Certificate,
}

impl Load for Files {
    const WHAT: Watched = Watched::Certificate;
    type Bytes = Material;
    type Value = Loaded;

    fn read(&self) -> Result<Material, StartError> {
        Ok(Material {
            chain: read("the certificate", &self.certificate)?,
            key: read("the private key", &self.key)?,
            client_ca: match &self.client_ca {
                Some(path) => Some(read("the client CA", path)?),
                None => None,
            },
        })
    }

    fn parse(&self, material: &Material) -> Result<Loaded, StartError> {
        material.load(OffsetDateTime::now_utc())
    }
}

fn read(what: &str, path: &Path) -> Result<Vec<u8>, StartError> {
    files::read(path, MAX_BYTES).map_err(|error| {
        let path = path.display();
        StartError(format!("cannot read {what} {path}: {error}"))
    })
}

fn unusable(what: &str, why: impl fmt::Display) -> StartError {
    StartError(format!("{what} is not usable: {why}"))
}

impl Material {
    /// Builds the TLS configuration: TLS 1.2 and 1.3, HTTP/1.1, which the API server speaks to webhooks, and HTTP/2.
    fn load(&self, now: OffsetDateTime) -> Result<Loaded, StartError> {
        let bad_chain = |why: &dyn fmt::Display| unusable("the certificate", why);
        let certificates = read_certificates(&self.chain).map_err(|error| bad_chain(&error))?;
        let leaf = certificates.into_iter().next();
        let leaf = leaf.ok_or_else(|| bad_chain(&"it is empty"))?;
        if !leaf.validity(now).is_valid() {
            return Err(StartError(format!(
                "the certificate is valid from {} to {}, not now; if it should be valid, check the system clock",
                rfc3339(leaf.not_before),
                rfc3339(leaf.not_after)
            )));
        }
        if leaf.dns.is_empty() && leaf.ip.is_empty() {
            // The API server looks only at these names.
            let problem = "the certificate has no DNS name and no IP address (subjectAltName), so the API server would refuse it";
            return Err(StartError(problem.to_owned()));
        }
        let chain = CertificateDer::pem_slice_iter(&self.chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| bad_chain(&pem_fault(&error)))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| unusable("the private key", pem_fault(&error)))?;
        let pair = |why| {
            StartError(format!(
                "certificate and private key are not usable together: {why}"
            ))
        };
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(pair)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(authorities) => {
                let roots = Arc::new(roots(authorities)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .build()
                    .map_err(|error| unusable("the client CA", error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        // This refuses a key that does not belong to the certificate.
        let mut tls = builder.with_single_cert(chain, key).map_err(pair)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // The API server does not resume sessions. Without resumption no memory and no old trust are kept for it.
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        tls.send_tls13_tickets = 0;
        let tls = Arc::new(tls);
        Ok(Loaded { tls, leaf })
    }
}

fn roots(authorities: &[u8]) -> Result<RootCertStore, StartError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        // The file may hold a key by mistake, so the parser's own message is not used.
        let certificate =
            certificate.map_err(|error| unusable("the client CA", pem_fault(&error)))?;
        roots
            .add(certificate)
            .map_err(|error| unusable("the client CA", error))?;
    }
    Ok(roots)
}

/// The identity in use.
pub(super) struct Served {
    files: Option<Reload<Files>>,
    tls: RustlsConfig,
    leaf: Certificate,
    warned: bool,
}

impl Served {
    /// Loads an identity for the first time.
    pub(super) fn new(identity: Identity, shared: &Shared) -> Result<Self, StartError> {
        let (loaded, files) = match identity {
            Identity::Files(files) => {
                let (loaded, files) = Reload::load(files)?;
                (loaded, Some(files))
            }
            Identity::Memory(pair) => {
                let material = Material {
                    chain: pair.chain.into_bytes(),
                    key: pair.key.into_bytes(),
                    client_ca: None,
                };
                (material.load(OffsetDateTime::now_utc())?, None)
            }
        };
        announce(&loaded.leaf, shared);
        Ok(Self {
            files,
            tls: RustlsConfig::from_config(loaded.tls),
            leaf: loaded.leaf,
            warned: false,
        })
    }

    /// What the acceptor takes its certificate from.
    pub(super) fn tls(&self) -> RustlsConfig {
        self.tls.clone()
    }

    /// Loads the files if they have changed, and checks the time.
    pub(super) fn look(&mut self, shared: &Shared) {
        let changed = self.files.as_mut().and_then(|files| files.look(shared));
        if let Some(Loaded { tls, leaf }) = changed {
            announce(&leaf, shared);
            self.tls.reload_from_config(tls);
            self.leaf = leaf;
            self.warned = false;
        }
        let (mut begun, mut not_expired) = (Check::Ok, Check::Ok);
        match self.leaf.validity(OffsetDateTime::now_utc()) {
            Validity::NotYet(_) => {
                let why = "the certificate is not valid yet: check the system clock";
                begun = Check::Failed(why.to_owned());
            }
            Validity::Expired(_) => {
                let why = "the certificate has expired: replace it, and it is loaded again";
                not_expired = Check::Failed(why.to_owned());
            }
            Validity::Valid(left) if left < SOON && !self.warned && self.files.is_some() => {
                let days = left.whole_days();
                tracing::warn!(days, "the certificate expires soon: replace it");
                self.warned = true;
            }
            Validity::Valid(_) => {}
        }
        shared.health.set(BEGUN, begun);
        if shared.health.set(NOT_EXPIRED, not_expired.clone()) && not_expired != Check::Ok {
            tracing::error!(
                "the certificate has expired: the API server refuses it until it is replaced"
            );
        }
    }
}

/// Logs a certificate that is served from now on.
fn announce(leaf: &Certificate, shared: &Shared) {
    let end = leaf.not_after;
    metrics::set(&shared.metrics.certificate_expiry, end);
    let ips = leaf.ip.iter().map(ToString::to_string);
    let names: Vec<_> = leaf.dns.iter().cloned().chain(ips).collect();
    tracing::info!(
        names = names.join(","),
        serial = %leaf.serial,
        not_after = rfc3339(end),
        "serving this certificate"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key whose line breaks were lost is one line, which the PEM parser would quote.
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
