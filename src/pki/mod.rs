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
//! let authority = Authority::new(None, now, 3650)?;
//! let names = Names { dns: vec!["seldon-tracing.seldon-tracing.svc".to_owned()], ip: vec![] };
//! let pair = authority.issue(&names, Purpose::Server, now, 365)?;
//!
//! let certificates = read_certificates(pair.chain.as_bytes())?;
//! assert_eq!(certificates.len(), 2); // the leaf, then the CA
//! let left = Validity::Valid { left: Duration::days(365) };
//! assert_eq!(certificates[0].validity(now), left);
//! # Ok(())
//! # }
//! ```

mod authority;
mod chain;
mod names;
mod read;
mod validity;

pub use authority::{Authority, Pair, Purpose};
pub use chain::{Link, chain};
pub use names::Names;
pub(crate) use read::pem_fault;
pub use read::{Certificate, MAX_BYTES, read_certificates};
pub use validity::Validity;

/// An error in making or reading certificates.
///
/// No message contains a part of a key. Texts from a file are escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// An invalid DNS name.
    #[error("{name:?} is not a valid DNS name: {why}")]
    Name {
        /// The name.
        name: String,
        /// The problem, and how to solve it.
        why: String,
    },
    /// A server without a name.
    #[error("a server's certificate needs a name that clients can check: use --dns or --ip")]
    NoName,
    /// An invalid common name of a CA.
    #[error(
        "{0:?} is not a valid common name of a CA: it must have 1 to 64 characters and no control characters"
    )]
    CommonName(String),
    /// An invalid duration.
    #[error("a certificate cannot be valid for {days} days: {why}")]
    Days {
        /// The days.
        days: u32,
        /// The problem.
        why: &'static str,
    },
    /// The CA is not valid at the time of signing.
    #[error(
        "the CA is valid from {} until {} only, and clients would not trust what it signs now: make a new CA",
        .not_before.date(),
        .not_after.date()
    )]
    AuthorityNotValid {
        /// The first moment of its validity.
        not_before: time::OffsetDateTime,
        /// The last moment of its validity.
        not_after: time::OffsetDateTime,
    },
    /// The system gives no random numbers, or the library cannot sign.
    #[error("cannot make a certificate: {0}")]
    Making(String),
    /// The file is too long.
    #[error(
        "it is longer than {} MiB, which is the limit for certificates",
        MAX_BYTES / 1024 / 1024
    )]
    TooLong,
    /// The file has a private key.
    #[error(
        "there is a private key in it: keep keys in separate files that only their owner can read"
    )]
    PrivateKey,
    /// The file has no certificate.
    #[error("there is no certificate in it: {0}")]
    NoCertificate(String),
    /// A certificate is invalid.
    #[error("certificate {number} in it is broken: {why}")]
    Broken {
        /// Its position in the file, from 1.
        number: usize,
        /// The problem.
        why: String,
    },
}
