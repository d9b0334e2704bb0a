//! Errors in making or reading certificates.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The limit for a file of certificates. A bundle of all public CAs has a quarter of a megabyte.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A time as people and programs read it.
#[must_use]
pub fn rfc3339(time: OffsetDateTime) -> String {
    // Years after 9999 have no such form.
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

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
        rfc3339(*.not_before),
        rfc3339(*.not_after)
    )]
    AuthorityNotValid {
        /// The first moment of its validity.
        not_before: OffsetDateTime,
        /// The last moment of its validity.
        not_after: OffsetDateTime,
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
