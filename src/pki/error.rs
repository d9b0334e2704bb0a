//! Errors in making or reading certificates.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A time as people and programs read it.
#[must_use]
pub fn rfc3339(time: OffsetDateTime) -> String {
    // Years after 9999 have no such form.
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// An error in making or reading certificates: the problem, and how to solve it.
///
/// No message contains a part of a key. Texts from a file are escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PkiError(pub(super) String);

impl From<&str> for PkiError {
    fn from(problem: &str) -> Self {
        Self(problem.to_owned())
    }
}

/// The library cannot sign, or the system gives no random numbers.
impl From<rcgen::Error> for PkiError {
    fn from(error: rcgen::Error) -> Self {
        Self(format!("cannot make a certificate: {error}"))
    }
}
