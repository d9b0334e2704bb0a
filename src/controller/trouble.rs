//! What the API server did not do, and why.

use std::time::Duration;

use kube::runtime::watcher;
use tokio::time::timeout;

use crate::cluster::ask::innermost;
use crate::pki::PkiError;

/// How long a request may take. The API server itself gives up after a minute.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why something could not be done. It says what, on what, and what helps.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It answered that this may not be done.
    #[error(
        "cannot {what}: no permission; see that the Role and the ClusterRole of the controller are bound to it: {message}"
    )]
    Forbidden { what: String, message: String },
    /// Somebody else was faster.
    #[error("cannot {what}: it has been changed at the same time: {message}")]
    Conflict { what: String, message: String },
    /// There is no such object.
    #[error("cannot {what}: it is not there: {message}")]
    Gone { what: String, message: String },
    /// It answered something else than what was asked for.
    #[error("cannot {what}: {message}")]
    Refused { what: String, message: String },
    /// It did not answer.
    #[error("cannot {what}: the API server does not answer: {message}")]
    Unreachable { what: String, message: String },
    /// No certificate can be made.
    #[error(transparent)]
    Certificate(#[from] PkiError),
}

impl Trouble {
    pub(super) fn new(what: &str, error: &kube::Error) -> Self {
        let what = what.to_owned();
        match error {
            kube::Error::Api(status) => {
                let message = status.message.clone();
                if status.is_forbidden() {
                    Self::Forbidden { what, message }
                } else if status.is_not_found() {
                    Self::Gone { what, message }
                } else if status.is_conflict() || status.is_already_exists() {
                    Self::Conflict { what, message }
                } else {
                    Self::Refused { what, message }
                }
            }
            error => Self::Unreachable {
                what,
                message: innermost(error),
            },
        }
    }

    /// Of a watch.
    pub(super) fn of_watch(what: &str, error: &watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Self::new(what, error),
            error => Self::Refused {
                what: what.to_owned(),
                message: error.to_string(),
            },
        }
    }

    /// Whether the object is not there.
    pub(super) const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone { .. })
    }

    /// Whether it is enough to read again.
    pub(super) const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether the API server answered.
    pub(super) const fn is_answer(&self) -> bool {
        !matches!(self, Self::Unreachable { .. })
    }
}

/// Waits for an answer, but not for long.
pub(super) async fn ask<T>(
    what: &str,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, Trouble> {
    match timeout(PATIENCE, request).await {
        Ok(answer) => answer.map_err(|error| Trouble::new(what, &error)),
        Err(_) => Err(Trouble::Unreachable {
            what: what.to_owned(),
            message: format!("nothing came for {} seconds", PATIENCE.as_secs()),
        }),
    }
}
