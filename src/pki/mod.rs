//! Certificates: making a CA and the certificates that it signs, and reading a file of certificates.
//!
//! Pure, except for random keys and serial numbers. Callers pass the time as `now`.
//!
//! The API server trusts a webhook if a CA in `clientConfig.caBundle` has signed its certificate and the certificate has the right DNS
//! name; the common name is ignored
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers>).
//!
//! ```
//! # use seldon_tracing::pki::{Authority, Names, Purpose, Validity, read_certificates};
//! # use time::{Duration, OffsetDateTime};
//! # fn main() -> Result<(), seldon_tracing::pki::PkiError> {
//! let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
//! let authority = Authority::new(None, now, Duration::days(3650))?;
//! let names = Names { dns: vec!["seldon-tracing.seldon-tracing.svc".to_owned()], ip: vec![] };
//! let pair = authority.issue(&names, Purpose::Server, now, Duration::days(365))?;
//!
//! let certificates = read_certificates(pair.chain.as_bytes())?;
//! assert_eq!(certificates.len(), 2); // the leaf, then the CA
//! let left = Validity::Valid(Duration::days(365));
//! assert_eq!(certificates[0].validity(now), left);
//! # Ok(())
//! # }
//! ```

mod authority;
mod error;
pub(crate) mod lifecycle;
mod names;
mod read;
mod trust;
mod validity;

pub use authority::{Authority, Pair, Purpose};
pub use error::{PkiError, rfc3339};
pub use names::Names;
pub(crate) use read::pem_fault;
pub use read::{Certificate, MAX_BYTES, read_certificate, read_certificates};
pub use trust::{Distrust, trust};
pub use validity::Validity;
