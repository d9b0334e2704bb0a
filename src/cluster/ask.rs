//! Reads objects as they are, into whatever type the caller has for the few fields that it needs.

use std::time::Duration;

use axum::http::Request;
use kube::api::{GetParams, ListParams};
use kube::{Client, Error};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many objects one page of a list has.
const PAGE: u32 = 500;

/// What a question came to.
#[derive(Clone, Debug)]
pub(crate) enum Answer<T> {
    Found(T),
    /// There is no such object, or no such resource.
    Absent,
    /// The user has no right to ask.
    Forbidden,
    /// Why there is no answer.
    Failed(String),
}

impl<T> Answer<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Found(found) => Answer::Found(change(found)),
            Self::Absent => Answer::Absent,
            Self::Forbidden => Answer::Forbidden,
            Self::Failed(why) => Answer::Failed(why),
        }
    }
}

/// A question and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Asked<T> {
    /// What was asked, such as `get deployments.apps in seldon-tracing`.
    pub(crate) what: String,
    pub(crate) answer: Answer<T>,
}

impl<T> Asked<T> {
    pub(crate) const fn found(&self) -> Option<&T> {
        match &self.answer {
            Answer::Found(found) => Some(found),
            _ => None,
        }
    }

    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self.answer, Answer::Absent)
    }
}

/// A kind of objects, and where they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind<'a> {
    /// Empty for the core group.
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) plural: &'a str,
    /// None for all namespaces, and for objects without one.
    pub(crate) namespace: Option<&'a str>,
}

impl Kind<'_> {
    /// The path of their collection.
    pub(crate) fn path(self) -> String {
        let group = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        let namespace = self.namespace.map(|name| format!("/namespaces/{name}"));
        format!("{group}{}/{}", namespace.unwrap_or_default(), self.plural)
    }

    /// The words for what is done with them, as `kubectl auth can-i` takes them.
    pub(crate) fn words(self, verb: &str) -> String {
        let group = match self.group {
            "" => String::new(),
            group => format!(".{group}"),
        };
        let place = self.namespace.map(|name| format!(" in {name}"));
        format!("{verb} {}{group}{}", self.plural, place.unwrap_or_default())
    }
}

/// One object.
pub(crate) async fn get<T: DeserializeOwned>(
    client: &Client,
    kind: Kind<'_>,
    name: &str,
) -> Asked<T> {
    let request = kube::core::Request::new(kind.path()).get(name, &GetParams::default());
    Asked {
        what: kind.words("get"),
        answer: send(client, request.map_err(Error::BuildRequest)).await,
    }
}

/// The objects with these labels, page by page. The API server gives them in the order of their names.
pub(crate) async fn each<T: DeserializeOwned>(
    client: &Client,
    kind: Kind<'_>,
    labels: &str,
    mut take: impl FnMut(T),
) -> Answer<()> {
    let mut page = ListParams::default().labels(labels).limit(PAGE);
    loop {
        let request = kube::core::Request::new(kind.path()).list(&page);
        let answer = send::<List<T>>(client, request.map_err(Error::BuildRequest)).await;
        let list = match answer {
            Answer::Found(list) => list,
            none => return none.map(|_| ()),
        };
        list.items.into_iter().flatten().for_each(&mut take);
        match list.metadata.next {
            Some(next) if !next.is_empty() => page.continue_token = Some(next),
            _ => return Answer::Found(()),
        }
    }
}

/// The same as a list.
pub(crate) async fn list<T: DeserializeOwned>(
    client: &Client,
    kind: Kind<'_>,
    labels: &str,
) -> Asked<Vec<T>> {
    let mut all = Vec::new();
    let answer = each(client, kind, labels, |object| all.push(object)).await;
    Asked {
        what: kind.words("list"),
        answer: answer.map(|()| all),
    }
}

/// Sends a request.
pub(crate) async fn send<T: DeserializeOwned>(
    client: &Client,
    request: Result<Request<Vec<u8>>, Error>,
) -> Answer<T> {
    let answer = async { client.request(request?).await };
    match timeout(PATIENCE, answer).await {
        Ok(Ok(found)) => Answer::Found(found),
        Ok(Err(error)) => answer_of(error),
        Err(_) => Answer::Failed(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// What an error of the client means.
pub(crate) fn answer_of<T>(error: Error) -> Answer<T> {
    match error {
        Error::Api(status) if status.code == 404 => Answer::Absent,
        // Admission refuses with the same code, and with other words.
        Error::Api(status) if status.code == 403 && is_about_rights(&status.message) => {
            Answer::Forbidden
        }
        Error::Api(status) => Answer::Failed(status.message),
        error => Answer::Failed(innermost(&error)),
    }
}

/// Whether a refusal comes from the API server's authorization: `User "x" cannot get resource "y" …`, or `cannot get path`.
pub(crate) fn is_about_rights(message: &str) -> bool {
    let rest = message.split_once("\" cannot ").map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split(' ').nth(1))
        .is_some_and(|word| matches!(word, "resource" | "path"))
}

/// The text of the first cause; the errors above it only say that a request failed.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[derive(Deserialize)]
struct List<T> {
    /// Null where there are none.
    items: Option<Vec<T>>,
    #[serde(default)]
    metadata: Position,
}

#[derive(Default, Deserialize)]
struct Position {
    #[serde(rename = "continue")]
    next: Option<String>,
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

    #[test]
    fn paths_and_words_are_those_of_kubernetes() {
        let kind = Kind {
            group: "apps",
            version: "v1",
            plural: "deployments",
            namespace: Some("a"),
        };
        assert_eq!(kind.path(), "/apis/apps/v1/namespaces/a/deployments");
        assert_eq!(kind.words("get"), "get deployments.apps in a");
        let kind = Kind {
            group: "",
            version: "v1",
            plural: "pods",
            namespace: None,
        };
        assert_eq!(kind.path(), "/api/v1/pods");
        assert_eq!(kind.words("list"), "list pods");
    }
}
