//! Reads objects into the caller's type, which has the few fields that the caller needs.

use std::time::Duration;

use axum::http::Request;
use kube::api::{GetParams, ListParams};
use kube::core::request::{Error as BadRequest, Request as Collection};
use kube::{Client, Error};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::failure::{Failure, Why};

/// How long one answer may take. The API server waits up to 30 seconds for a webhook before it answers a write
/// (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts>).
const PATIENCE: Duration = Duration::from_secs(35);

/// How many objects one page of a list has.
const PAGE: u32 = 500;

/// The answer to a request, or why it failed.
pub(crate) type Asked<T> = Result<T, Failure>;

/// A kind of objects in its version `v1`, and where they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind<'a> {
    /// Empty for the core group.
    pub(crate) group: &'a str,
    pub(crate) plural: &'a str,
    /// None for all namespaces, and for objects without one.
    pub(crate) namespace: Option<&'a str>,
}

impl<'a> Kind<'a> {
    pub(crate) const fn new(group: &'a str, plural: &'a str, namespace: Option<&'a str>) -> Self {
        Self {
            group,
            plural,
            namespace,
        }
    }

    /// Their collection, of which requests are made.
    pub(crate) fn collection(self) -> Collection {
        Collection::new(self.path())
    }

    fn path(self) -> String {
        let group = match self.group {
            "" => "/api".to_owned(),
            group => format!("/apis/{group}"),
        };
        let namespace = self.namespace.map(|name| format!("/namespaces/{name}"));
        let namespace = namespace.unwrap_or_default();
        format!("{group}/v1{namespace}/{}", self.plural)
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
    doing: &str,
    kind: Kind<'_>,
    name: &str,
) -> Asked<T> {
    let request = kind.collection().get(name, &GetParams::default());
    send(client, doing, request).await
}

/// The objects with these labels, page by page. The API server gives them in the order of their names.
///
/// # Errors
/// Also that of `take`, which cannot read an object.
pub(crate) async fn each<T: DeserializeOwned>(
    client: &Client,
    doing: &str,
    kind: Kind<'_>,
    labels: Option<&str>,
    mut take: impl FnMut(T) -> serde_json::Result<()>,
) -> Asked<()> {
    let mut page = ListParams::default().limit(PAGE);
    page.label_selector = labels.map(str::to_owned);
    loop {
        let list: List<T> = send(client, doing, kind.collection().list(&page)).await?;
        let mut items = list.items.into_iter().flatten();
        items
            .try_for_each(&mut take)
            .map_err(|error| Failure::new(doing, Why::Unreadable, error.to_string()))?;
        match list.metadata.next {
            Some(next) if !next.is_empty() => page.continue_token = Some(next),
            _ => return Ok(()),
        }
    }
}

/// Sends a request, and reads the answer.
pub(crate) async fn send<T: DeserializeOwned>(
    client: &Client,
    doing: &str,
    request: Result<Request<Vec<u8>>, BadRequest>,
) -> Asked<T> {
    let answer = async { client.request(request.map_err(Error::BuildRequest)?).await };
    within(PATIENCE, doing, answer).await
}

/// Waits for an answer for a limited time.
pub(crate) async fn within<T>(
    patience: Duration,
    doing: &str,
    answer: impl Future<Output = kube::Result<T>>,
) -> Asked<T> {
    // A request of kube is a large future, and many are asked at once.
    if let Ok(answer) = timeout(patience, Box::pin(answer)).await {
        return answer.map_err(|error| Failure::of(doing, &error));
    }
    let said = format!("no answer within {} s", patience.as_secs());
    Err(Failure::new(doing, Why::Unreachable, said))
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
    fn paths_and_words_are_those_of_kubernetes() {
        let kind = Kind::new("apps", "deployments", Some("a"));
        assert_eq!(kind.path(), "/apis/apps/v1/namespaces/a/deployments");
        assert_eq!(kind.words("get"), "get deployments.apps in a");
        let kind = Kind::new("", "pods", None);
        assert_eq!(kind.path(), "/api/v1/pods");
        assert_eq!(kind.words("list"), "list pods");
    }
}
