//! Certificates: a CA and what it signs, and what is in a file of certificates.
//!
//! Pure but for the randomness of keys and serial numbers: nothing here reads a file or a clock. `now` is always given, so that what
//! will be true in a year can be asked today.
//!
//! The API server trusts a webhook by the CA bundle in `clientConfig.caBundle` and by the DNS names of the webhook's certificate; the
//! common name counts for nothing
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

/// Why a certificate cannot be made, or a file of certificates not be read.
///
/// No message holds anything of a key. Texts from a file stand in them only where they have been escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// A DNS name that cannot be in a certificate.
    #[error("{name:?} cannot be a DNS name of a certificate: {why}")]
    Name {
        /// The name, as it was given.
        name: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A server without a name.
    #[error(
        "a server's certificate needs a name that clients can check: give a DNS name (--dns) or an address (--ip)"
    )]
    NoName,
    /// A common name that a CA cannot have.
    #[error(
        "{0:?} cannot be the common name of a CA: it needs 1 to 64 characters, none of them a control character"
    )]
    CommonName(String),
    /// A duration that a certificate cannot have.
    #[error("a certificate cannot be valid for {days} days: {why}")]
    Days {
        /// The days that were asked for.
        days: u32,
        /// What is wrong with them, and what to do.
        why: &'static str,
    },
    /// A CA that is not valid at the time of signing.
    #[error(
        "the CA is valid from {} until {} only, so nothing that it signs now would be trusted: make a new CA",
        .not_before.date(),
        .not_after.date()
    )]
    AuthorityNotValid {
        /// Since when it is valid.
        not_before: time::OffsetDateTime,
        /// Until when it is valid.
        not_after: time::OffsetDateTime,
    },
    /// The machine gives no random numbers, or the library that signs fails.
    #[error("cannot make a certificate: {0}")]
    Making(String),
    /// A file that is longer than any file of certificates.
    #[error(
        "it is longer than {} MiB, and no file of certificates is: name another file",
        MAX_BYTES / 1024 / 1024
    )]
    TooLong,
    /// A file with a private key in it.
    #[error(
        "there is a private key in it, so it was not read any further: keep the key in a file of its own that only its owner can read, and name a file that holds certificates only"
    )]
    PrivateKey,
    /// A file without a certificate.
    #[error("there is no certificate in it: {0}")]
    NoCertificate(String),
    /// A certificate that cannot be read.
    #[error("certificate {number} in it is broken: {why}")]
    Broken {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}
