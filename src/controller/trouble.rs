//! The failures of tasks.

use std::time::Duration;

use kube::runtime::watcher;

use crate::cluster::ask::within;
use crate::cluster::failure::{Failure, Why};
use crate::pki::PkiError;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a task failed. Its text says what was tried, on which object, and what helps.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The API server did not do it.
    #[error("{}", text(.0))]
    Request(Failure),
    /// The config file cannot be used.
    #[error("cannot use the config file {0}")]
    Config(String),
    /// No certificate can be made.
    #[error(transparent)]
    Certificate(#[from] PkiError),
}

fn text(Failure { doing, why, said }: &Failure) -> String {
    let cause = match why {
        Why::Forbidden => {
            "no permission; check that the Role and the ClusterRole of the controller are bound to its service account: "
        }
        Why::Unreachable => "the API server did not answer: ",
        Why::Unreadable => "the answer of the API server cannot be read: ",
        _ => "",
    };
    format!("cannot {doing}: {cause}{said}")
}

impl Trouble {
    /// The failure of a watch.
    pub(super) fn of_watch(doing: &str, error: &watcher::Error) -> Self {
        Self::Request(match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Failure::of(doing, error),
            error => Failure::new(doing, Why::Refused, error.to_string()),
        })
    }

    fn why(&self) -> Option<Why> {
        match self {
            Self::Request(failure) => Some(failure.why),
            _ => None,
        }
    }

    /// Whether the object is not there.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.why(), Some(Why::NotFound | Why::NotServed))
    }

    /// Whether the object has changed since it was read, so that reading it again helps.
    pub(super) fn is_conflict(&self) -> bool {
        self.why() == Some(Why::Conflict)
    }

    /// Whether the API server itself answered.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self.why(), Some(Why::Unreachable | Why::Unreadable))
    }
}

/// Waits for an answer for a limited time.
pub(super) async fn ask<T>(
    doing: &str,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, Trouble> {
    let answer = within(PATIENCE, doing, request).await;
    answer.map_err(Trouble::Request)
}
