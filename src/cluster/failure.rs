//! Why a request to the API server failed, for people.

use super::ask::is_about_rights;
use super::names::CRD;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no permission to {doing}: {said}")]
    Forbidden { doing: String, said: String },
    #[error("cannot {doing}: there is none of that name; `kubectl get sdep -A` lists all of them")]
    NotFound { doing: String },
    #[error(
        "cannot {doing}: the cluster has no SeldonDeployments, because the definition {CRD} is not installed; install Seldon Core v1, or select another cluster with --context"
    )]
    NotInstalled { doing: String },
    #[error(
        "cannot {doing}: the credentials were refused ({said}); log in again, or select another user with --context"
    )]
    Unauthorized { doing: String, said: String },
    #[error("cannot {doing}: {said}")]
    Refused { doing: String, said: String },
    #[error(
        "cannot {doing}: the API server cannot be reached; check --kubeconfig and --context with `kubectl version`"
    )]
    Unreachable {
        doing: String,
        #[source]
        why: kube::Error,
    },
    #[error("cannot {doing}: the answer of the API server cannot be read")]
    Unreadable {
        doing: String,
        #[source]
        why: serde_json::Error,
    },
}

impl Failure {
    /// Says what was tried when the request failed: `list the models`.
    pub(crate) fn of(doing: impl Into<String>, why: kube::Error) -> Self {
        let doing = doing.into();
        let status = match why {
            kube::Error::Api(status) => status,
            kube::Error::SerdeError(why) => return Self::Unreadable { doing, why },
            why => return Self::Unreachable { doing, why },
        };
        let said = status.message.clone();
        // Only the API server's own `NotFound` is about an object. Where a whole resource is not served, it has no name, or is plain text.
        let names_object = status
            .details
            .as_ref()
            .is_some_and(|it| !it.name.is_empty());
        match status.code {
            401 => Self::Unauthorized { doing, said },
            403 if is_about_rights(&said) => Self::Forbidden { doing, said },
            404 if names_object => Self::NotFound { doing },
            404 => Self::NotInstalled { doing },
            _ => Self::Refused { doing, said },
        }
    }
}
