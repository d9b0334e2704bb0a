//! Notifies a task that an object has changed, or can be watched again.

use std::fmt::Debug;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::Api;
use kube::api::{ListParams, WatchParams};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::shared::Shared;
use super::trouble::ask;

/// How long one watch lasts, in seconds.
const LASTS: u32 = 60;

/// The API server ends a watch in time. If it does not, the connection is dead.
const DEAD: Duration = Duration::from_secs(70);

/// Notifies `changed` of every change to the object with this name, for ever. The notified task reads the object itself.
///
/// The API server sends only metadata, and nothing is kept, so there is no need to list it first. Trouble is reported as `check`.
pub(super) async fn object<K>(
    shared: &Shared,
    api: Api<K>,
    name: &str,
    check: &'static str,
    changed: &Notify,
) where
    K: Clone + Debug + DeserializeOwned,
{
    let what = format!("watch {name}");
    let one = WatchParams::default().fields(&format!("metadata.name={name}"));
    let one = one.timeout(LASTS).disable_bookmarks();
    let mut backoff = Backoff::new();
    loop {
        let watch = ask(&what, api.watch_metadata(&one, "0")).await;
        shared.report(check, &watch);
        if let Ok(events) = watch {
            // It may have changed between two watches.
            changed.notify_one();
            let mut events = pin!(events);
            while let Ok(Some(Ok(_))) = timeout(DEAD, events.next()).await {
                changed.notify_one();
            }
        }
        sleep(backoff.next(Instant::now())).await;
    }
}

/// Whether objects can be listed and watched. kube's watcher reports a failure at once, but a recovery only when an object changes.
pub(super) async fn is_possible<K>(api: &Api<K>) -> bool
where
    K: Clone + Debug + DeserializeOwned,
{
    let none = "metadata.name=-";
    let list = ListParams::default().fields(none).limit(1);
    let watch = WatchParams::default().fields(none).timeout(1);
    ask("list", api.list(&list)).await.is_ok() && ask("watch", api.watch(&watch, "0")).await.is_ok()
}
