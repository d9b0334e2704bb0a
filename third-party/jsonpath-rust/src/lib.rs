//! Stands in for the crate of this name, of which kube-client uses one function in one place: where the token is in the output of a
//! credential helper of Google Cloud (`token-key` of an `auth-provider`, which Kubernetes removed in 1.26).
//!
//! The crate brings a parser generator and regular expressions, which take a megabyte of our binary.

use serde_json::Value;

/// A path that is not a list of keys.
#[derive(Debug, thiserror::Error)]
#[error("cannot read this JSON path; use one of plain keys, such as {{.credential.access_token}}")]
pub struct Unreadable;

/// Values that are found by a path.
pub trait JsonPath {
    /// What is at a path of keys, such as `$.credential.access_token`.
    ///
    /// # Errors
    /// The path has more than keys.
    fn query(&self, path: &str) -> Result<Vec<&Self>, Unreadable>;
}

impl JsonPath for Value {
    fn query(&self, path: &str) -> Result<Vec<&Self>, Unreadable> {
        let keys = path.strip_prefix('$').ok_or(Unreadable)?;
        let is_plain = |key: &str| {
            !key.is_empty() && key.chars().all(|it| it.is_alphanumeric() || "-_".contains(it))
        };
        if !keys.split('.').skip(1).all(is_plain) {
            return Err(Unreadable);
        }
        Ok(self.pointer(&keys.replace('.', "/")).into_iter().collect())
    }
}
