//! Why a request to the API server failed.

use std::iter::successors;

use super::names::CRD;

/// A request that failed. Its text is for people who run a command.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(crate) struct Failure {
    /// What was tried: `list the models`.
    pub(crate) doing: String,
    pub(crate) why: Why,
    /// What the API server said, or why it did not.
    pub(crate) said: String,
}

/// What kind of a failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The user has no right to do it.
    Forbidden,
    /// The API server does not accept the credentials.
    Unauthorized,
    /// No object has that name.
    NotFound,
    /// There is no such resource.
    NotServed,
    /// The object has been changed since it was read.
    Conflict,
    /// Any other answer of the API server.
    Refused,
    /// There is no answer.
    Unreachable,
    /// The answer is not what was asked for.
    Unreadable,
}

impl Failure {
    pub(crate) fn new(doing: &str, why: Why, said: impl Into<String>) -> Self {
        Self {
            doing: doing.to_owned(),
            why,
            said: said.into(),
        }
    }

    /// Says what was tried when the request failed.
    pub(crate) fn of(doing: &str, error: &kube::Error) -> Self {
        let status = match error {
            kube::Error::Api(status) => status,
            kube::Error::SerdeError(error) => {
                return Self::new(doing, Why::Unreadable, error.to_string());
            }
            // A plugin for credentials failed: the errors above the first cause name it.
            error @ kube::Error::Auth(_) => {
                return Self::new(doing, Why::Unreachable, error.to_string());
            }
            error => return Self::new(doing, Why::Unreachable, innermost(error)),
        };
        // Only the API server's own `NotFound` is about an object. Where a whole resource is not served, it has no name, or is plain text.
        let details = status.details.as_ref();
        let names_object = details.is_some_and(|it| !it.name.is_empty());
        let why = match status.code {
            401 => Why::Unauthorized,
            // Admission refuses with the same code, and with other words.
            403 if is_about_rights(&status.message) => Why::Forbidden,
            404 if names_object => Why::NotFound,
            404 => Why::NotServed,
            409 => Why::Conflict,
            _ => Why::Refused,
        };
        Self::new(doing, why, status.message.as_str())
    }

    /// Whether there is no such object, or no such resource.
    pub(crate) const fn is_absence(&self) -> bool {
        matches!(self.why, Why::NotFound | Why::NotServed)
    }

    fn text(&self) -> String {
        let Self { doing, said, .. } = self;
        match self.why {
            Why::Forbidden => format!("no permission to {doing}: {said}"),
            Why::Unauthorized => format!(
                "cannot {doing}: the credentials were refused ({said}); log in again, or select another user with --context"
            ),
            Why::NotFound => format!("cannot {doing}: not found; `kubectl get sdep -A` lists all"),
            Why::NotServed => format!(
                "cannot {doing}: the cluster has no SeldonDeployments, because the definition {CRD} is not installed; install Seldon Core v1, or select another cluster with --context"
            ),
            Why::Conflict | Why::Refused => format!("cannot {doing}: {said}"),
            Why::Unreachable => format!(
                "cannot {doing}: the API server cannot be reached; check --kubeconfig and --context with `kubectl version`: {said}"
            ),
            Why::Unreadable => {
                format!("cannot {doing}: the answer of the API server cannot be read: {said}")
            }
        }
    }
}

/// Whether a refusal comes from the API server's authorization: `User "x" cannot get resource "y" …`, or `cannot get path`.
fn is_about_rights(message: &str) -> bool {
    let rest = message.split_once("\" cannot ").map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split(' ').nth(1))
        .is_some_and(|word| matches!(word, "resource" | "path"))
}

/// The text of the first cause; the errors above it only say that a request failed.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_by_authorization_is_told_from_one_by_admission() {
        for (message, is) in [
            (
                "pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
                true,
            ),
            ("forbidden: User \"ann\" cannot get path \"/apis\"", true),
            (
                "seldondeployments \"x\" is forbidden: exceeded quota: models",
                false,
            ),
            ("admission webhook \"x\" denied: you cannot do that", false),
        ] {
            assert_eq!(is_about_rights(message), is, "{message}");
        }
    }
}
