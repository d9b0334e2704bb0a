//! Keeps the CA, the webhook's certificate and `caBundle`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::Api;
use kube::runtime::events::EventType;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::backoff::Backoff;
use super::ca_bundle::Registered;
use super::secrets::Stored;
use super::shared::Shared;
use super::trouble::Trouble;
use super::watch;
use crate::cluster::names::{CA_SECRET, LEAF_SECRET, NAME};
use crate::pki::Names;
use crate::pki::lifecycle::{LeafSecret, Next, Seen, Step, Times, Why, next};

/// Its name in `/readyz` and in the metrics.
const CHECK: &str = "certificates";

/// Everything is read again after this time, in case a watch has missed a change.
const LOOK: Duration = Duration::from_mins(1);

/// Runs for ever.
pub(super) async fn keep(shared: Arc<Shared>, times: Times) {
    let changed = Notify::new();
    let secrets = || Api::<Secret>::namespaced(shared.client.clone(), &shared.namespace);
    let webhooks = Api::<MutatingWebhookConfiguration>::all(shared.client.clone());
    tokio::join!(
        watch::object(&shared, secrets(), CA_SECRET, "watch-ca", &changed),
        watch::object(
            &shared,
            secrets(),
            LEAF_SECRET,
            "watch-certificate",
            &changed
        ),
        watch::object(&shared, webhooks, NAME, "watch-webhook", &changed),
        look_again(&shared, times, &changed),
    );
}

/// Looks when something has changed, or is due.
async fn look_again(shared: &Arc<Shared>, times: Times, changed: &Notify) {
    let steps = Why::ALL.into_iter().filter(|why| why.is_step());
    shared.metrics.steps_begin(steps.map(Why::reason));
    let mut keeper = Keeper::new(Arc::clone(shared), times);
    let mut backoff = Backoff::new();
    loop {
        let looked = keeper.look().await;
        let is_conflict = looked.as_ref().is_err_and(Trouble::is_conflict);
        if !is_conflict {
            shared.report(CHECK, &looked);
        }
        match looked {
            Ok(Some(pause)) => {
                // What comes first.
                let _ = timeout(pause.min(LOOK), changed.notified()).await;
            }
            // The next step, the next attempt, or what another controller has made of it.
            Ok(None) | Err(_) => sleep(backoff.next(Instant::now())).await,
        }
    }
}

/// What was last seen, and since when it has been the same.
struct Steady<T> {
    value: T,
    since: Instant,
}

impl<T: Default + PartialEq> Steady<T> {
    fn new() -> Self {
        Self {
            value: T::default(),
            since: Instant::now(),
        }
    }

    fn see(&mut self, value: T) -> time::Duration {
        if self.value != value {
            self.value = value;
            self.since = Instant::now();
        }
        // Longer than all waits.
        time::Duration::try_from(self.since.elapsed()).unwrap_or(time::Duration::MAX)
    }
}

struct Keeper {
    shared: Arc<Shared>,
    secrets: Api<Secret>,
    webhooks: Api<MutatingWebhookConfiguration>,
    names: Names,
    times: Times,
    bundles: Steady<Vec<String>>,
    leaf: Steady<LeafSecret>,
    /// Why the last look had no step to do, which is logged once.
    waits_for: Option<Why>,
}

impl Keeper {
    fn new(shared: Arc<Shared>, times: Times) -> Self {
        let service = format!("{NAME}.{}.svc", shared.namespace);
        Self {
            secrets: Api::namespaced(shared.client.clone(), &shared.namespace),
            webhooks: Api::all(shared.client.clone()),
            names: Names {
                dns: vec![format!("{service}.cluster.local"), service],
                ip: Vec::new(),
            },
            times,
            bundles: Steady::new(),
            leaf: Steady::new(),
            waits_for: None,
            shared,
        }
    }

    /// Does one step. If there is none, returns how long to wait, unless something changes.
    async fn look(&mut self) -> Result<Option<Duration>, Trouble> {
        // Objects that depend on others are read before them, so that a change between two reads is seen when it is written.
        let registered = Registered::read(&self.webhooks).await?;
        let leaf_secret = Stored::read(&self.secrets, LEAF_SECRET).await?;
        let ca_secret = Stored::read(&self.secrets, CA_SECRET).await?;
        let bundles_for = self.bundles.see(registered.bundles());
        let leaf_for = self.leaf.see(leaf_secret.leaf());
        let seen = Seen {
            ca: &ca_secret.ca(),
            leaf: &self.leaf.value,
            bundles: &self.bundles.value,
            bundles_for,
            leaf_for,
        };
        let next = next(&seen, &self.names, OffsetDateTime::now_utc(), &self.times)?;
        self.shared.metrics.ends(next.leaf_end, next.ca_end);
        let Next { step, why, .. } = next;
        let about = match step {
            // A little later, so that it is not a little too early.
            Step::Wait(time) => {
                if self.waits_for.replace(why) != Some(why) {
                    tracing::info!(reason = why.reason(), "{}", why.text());
                }
                let pause = Duration::try_from(time).unwrap_or_default();
                return Ok(Some(pause + Duration::from_millis(10)));
            }
            Step::Ca(ca) => Some(ca_secret.write_ca(&self.secrets, ca).await?),
            Step::Leaf(leaf) => Some(leaf_secret.write_leaf(&self.secrets, leaf).await?),
            Step::Bundle(bundle) => {
                registered.write(&self.webhooks, &bundle).await?;
                // An Event about the configuration, which is in no namespace, would be in the namespace `default`.
                ca_secret.reference()
            }
        };
        self.waits_for = None;
        self.tell(about, why.reason(), why.text()).await;
        Ok(None)
    }

    /// Reports a step that was done.
    async fn tell(&self, about: Option<ObjectReference>, reason: &'static str, text: &str) {
        tracing::info!(reason, "{text}");
        self.shared.metrics.step(reason);
        if let Some(about) = about {
            let (events, news) = (&self.shared.events, (EventType::Normal, reason));
            let told = events.tell(&about, news, "KeepCertificates", text.to_owned());
            let told = told.await;
            self.shared.report("events", &told);
        }
    }
}
