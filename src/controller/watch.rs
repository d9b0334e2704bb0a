//! Says that one of a few objects has changed. What it is now is read anew by whoever wants to know.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, Stream, StreamExt};
use kube::api::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use tokio::time::timeout;

use super::shared::Shared;
use super::trouble::Trouble;

/// A change of an object.
pub(super) type Change = Pin<Box<dyn Stream<Item = ()> + Send>>;

/// Changes of the object with this name. Only its metadata are sent, and nothing is kept.
///
/// `check` is the name under which trouble is reported.
pub(super) fn object<K>(
    shared: &Arc<Shared>,
    api: Api<PartialObjectMeta<K>>,
    name: &str,
    check: &'static str,
) -> Change
where
    K: Resource + Clone + std::fmt::Debug + Send + 'static,
    PartialObjectMeta<K>: Resource,
{
    let shared = Arc::clone(shared);
    let what = format!("watch {name}");
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let changes = watcher(api, config)
        .default_backoff()
        .filter_map(move |event| {
            let result = event.map_err(|error| Trouble::of_watch(&what, &error));
            shared.report(check, &result);
            ready(result.ok().map(drop))
        });
    Box::pin(changes)
}

/// Waits for a change, but not longer than this.
pub(super) async fn wait(changes: &mut stream::SelectAll<Change>, most: Duration) {
    if timeout(most, changes.next()).await.is_ok() {
        // One look is enough for all that has changed by now.
        while changes.next().now_or_never().flatten().is_some() {}
    }
}
