//! Repair: models that were stored while the webhook was down get the tracing that they ask for.
//!
//! It decides nothing about a model. An empty merge patch makes the API server call the webhook, which decides as always. An object that is
//! up to date is not changed.
//!
//! Whole objects are watched, because an annotation of a predictor may ask for tracing, and a user may have set the variables by hand.
//! Only their standing is kept in memory.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::{Namespace as NamespaceObject, ObjectReference};
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DynamicObject, PartialObjectMeta, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{interval, sleep_until};

use super::events::News;
use super::fleet::{Fleet, Key, is_repaired};
use super::metrics::Repaired;
use super::queue::{Limits, Next, Vain};
use super::shared::Shared;
use super::trouble::{Trouble, ask};
use super::watch;
use crate::cluster::namespaces::state;
use crate::config::Config;
use crate::files;
use crate::inject::{Assessment, Namespace, Standing, assess};
use crate::process::health::Check;

/// Objects in one answer to a list. An object takes several times its bytes in memory.
const PAGE: u32 = 50;

/// How often the config file is read.
const CONFIG: Duration = Duration::from_secs(5);

/// The names under which trouble is reported.
const WATCH: &str = "watch-models";
const NAMESPACES: &str = "watch-namespaces";
const CONFIG_FILE: &str = "config";
const REPAIR: &str = "repair";

/// What a watch gives.
type Watched<T> = Result<Event<T>, watcher::Error>;

/// How models are repaired.
pub(crate) struct RepairOptions {
    /// The config file of the webhook. Without one, the built-in configuration counts.
    pub(crate) config: Option<PathBuf>,
    pub(crate) grace: Duration,
    pub(crate) per_minute: u16,
}

/// Repairs models until the process ends.
pub(super) async fn keep(shared: Arc<Shared>, options: RepairOptions) {
    let limits = Limits {
        grace: options.grace,
        per_minute: options.per_minute,
    };
    let mut repair = Repair {
        fleet: Fleet::new(limits),
        resource: resource(),
        config: Config::default(),
        text: String::new(),
        file: options.config,
        namespaces: BTreeMap::new(),
        shared,
    };
    repair.read_config();
    loop {
        repair.watch().await;
    }
}

struct Repair {
    shared: Arc<Shared>,
    fleet: Fleet,
    resource: ApiResource,
    file: Option<PathBuf>,
    config: Config,
    /// The text of the config file.
    text: String,
    /// The namespaces whose tracing is not left to annotations alone.
    namespaces: BTreeMap<String, Namespace>,
}

fn resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("machinelearning.seldon.io", "v1", "SeldonDeployment");
    ApiResource::from_gvk_with_plural(&kind, "seldondeployments")
}

impl Repair {
    /// Watches until something changes on which every decision depends: the config, or the labels of a namespace.
    async fn watch(&mut self) {
        let api: Api<PartialObjectMeta<NamespaceObject>> = Api::all(self.shared.client.clone());
        let all = watcher::Config::default();
        let mut namespaces = pin!(watcher(api.clone(), all).default_backoff());
        self.read_namespaces(&mut namespaces).await;
        let models_api = Api::<DynamicObject>::all_with(self.shared.client.clone(), &self.resource);
        let pages = watcher::Config::default().page_size(PAGE);
        let mut models = pin!(watcher(models_api.clone(), pages).default_backoff());
        let mut ticks = interval(CONFIG);
        loop {
            let next = self.fleet.queue.next(Instant::now());
            tokio::select! {
                event = models.next() => self.of_models(event).await,
                event = namespaces.next() => {
                    if self.of_namespaces(event) {
                        return;
                    }
                }
                _ = ticks.tick() => {
                    if self.read_config() {
                        return;
                    }
                    self.look_at_trouble(NAMESPACES, &api).await;
                    self.look_at_trouble(WATCH, &models_api).await;
                }
                key = due(next) => {
                    if let Some(key) = key {
                        self.repair(&key).await;
                    }
                }
            }
        }
    }

    /// Reads the labels of all namespaces, on which the assessment of every model depends.
    async fn read_namespaces(
        &mut self,
        events: &mut (impl Stream<Item = Watched<PartialObjectMeta<NamespaceObject>>> + Unpin),
    ) {
        self.namespaces.clear();
        while let Some(event) = events.next().await {
            let is_complete = matches!(event, Ok(Event::InitDone));
            self.of_namespaces(Some(event));
            if is_complete {
                return;
            }
        }
    }

    /// Updates the namespaces. Returns whether a namespace now says something else about tracing.
    fn of_namespaces(
        &mut self,
        event: Option<Watched<PartialObjectMeta<NamespaceObject>>>,
    ) -> bool {
        let Some(event) = self.watched(NAMESPACES, "watch the namespaces", event) else {
            return false;
        };
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let name = object.name_any();
                match state(&name, object.labels(), &self.shared.namespace) {
                    Namespace::Off => self.namespaces.remove(&name).is_some(),
                    other => self.namespaces.insert(name, other) != Some(other),
                }
            }
            // Its models are deleted too.
            Event::Delete(object) => {
                self.namespaces.remove(&object.name_any());
                false
            }
            Event::Init | Event::InitDone => false,
        }
    }

    async fn of_models(&mut self, event: Option<Watched<DynamicObject>>) {
        let Some(event) = self.watched(WATCH, "watch the SeldonDeployments", event) else {
            return;
        };
        match event {
            Event::Init => return self.fleet.list_begins(),
            Event::InitApply(object) => {
                self.saw(&object).await;
                // Counting is for the end of the list, or its cost would grow with the square of it.
                return;
            }
            Event::Apply(object) => {
                self.saw(&object).await;
            }
            Event::Delete(object) => self.fleet.gone(&key(&object)),
            Event::InitDone => self.fleet.list_ends(),
        }
        for standing in Standing::ALL {
            let count = self.fleet.count(standing);
            self.shared.metrics.models(standing.code(), count);
        }
        self.shared.metrics.waiting(self.fleet.queue.len());
    }

    /// Reports a failure of a watch, which retries by itself.
    fn watched<T>(
        &self,
        check: &'static str,
        doing: &str,
        event: Option<Watched<T>>,
    ) -> Option<Event<T>> {
        let result = event?.map_err(|error| Trouble::of_watch(doing, &error));
        // The begin of a list comes before the first request for it.
        if !matches!(result, Ok(Event::Init)) {
            self.shared.report(check, &result);
        }
        result.ok()
    }

    /// Reports that a watch works again.
    async fn look_at_trouble<K>(&self, check: &'static str, api: &Api<K>)
    where
        K: Clone + Debug + DeserializeOwned,
    {
        let is_troubled = matches!(self.shared.health.get(check), Some(Check::Problem(_)));
        if is_troubled && watch::is_possible(api).await {
            self.shared.report(check, &Ok(()));
        }
    }

    /// Updates the state of a model. Returns its assessment, unless the model is being deleted.
    async fn saw(&mut self, object: &DynamicObject) -> Option<Assessment> {
        let key = key(object);
        if object.metadata.deletion_timestamp.is_some() {
            self.fleet.gone(&key);
            return None;
        }
        let namespace = self.namespaces.get(&key.namespace).copied();
        let namespace = namespace.unwrap_or(Namespace::Off);
        let assessed =
            serde_json::to_vec(object).and_then(|json| assess(&json, &self.config, namespace));
        let assessment = match assessed {
            Ok(assessment) => assessment,
            Err(error) => {
                let Key { namespace, name } = &key;
                tracing::error!(namespace, name, %error, "a bug: a model cannot be assessed, so it is not repaired");
                self.fleet.gone(&key);
                return None;
            }
        };
        let fingerprint = self.fingerprint(object, namespace);
        let standing = assessment.standing;
        let uid = object.metadata.uid.as_deref();
        let state = (standing, fingerprint);
        let is_new = self.fleet.saw(&key, uid, state, Instant::now());
        if is_new && standing == Standing::Problem {
            self.tell(&key, News::Problem, &assessment.why).await;
        }
        Some(assessment)
    }

    /// A hash of everything that the standing of a model depends on. It does not change with the status.
    fn fingerprint(&self, object: &DynamicObject, namespace: Namespace) -> u64 {
        let mut hasher = DefaultHasher::new();
        let metadata = &object.metadata;
        (&metadata.uid, metadata.generation, &metadata.annotations).hash(&mut hasher);
        (&self.text, namespace).hash(&mut hasher);
        hasher.finish()
    }

    /// Writes a model without a change, so that the API server calls the webhook for it.
    async fn repair(&mut self, key: &Key) {
        let api = Api::<DynamicObject>::namespaced_with(
            self.shared.client.clone(),
            &key.namespace,
            &self.resource,
        );
        let what = format!("write the SeldonDeployment {}/{}", key.namespace, key.name);
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(json!({})));
        let result = ask(&what, api.patch(&key.name, &parameters, &patch)).await;
        self.shared.report(REPAIR, &result);
        let now = Instant::now();
        let object = match result {
            Ok(object) => object,
            Err(trouble) => {
                self.shared.metrics.repaired(Repaired::Failed);
                if trouble.is_gone() {
                    self.fleet.gone(key);
                } else if trouble.is_answer() {
                    // The refusal is about this model only, so the others need not wait.
                    let why = format!("The API server refuses the repair: {trouble}");
                    self.in_vain(key, &why).await;
                } else {
                    self.fleet.queue.failed(now);
                }
                return;
            }
        };
        let Some(assessment) = self.saw(&object).await else {
            return;
        };
        if is_repaired(assessment.standing) {
            self.shared.metrics.repaired(Repaired::InVain);
            let why = "The controller wrote the model again, but the webhook changed nothing; it probably cannot be reached";
            return self.in_vain(key, why).await;
        }
        self.fleet.queue.repaired(key, now);
        self.shared.metrics.repaired(Repaired::Done);
        tracing::info!(namespace = key.namespace, name = key.name, "repaired");
        let note = "The controller wrote the model again, and the webhook updated its tracing. Its pods restart once.";
        self.tell(key, News::Repaired, note).await;
    }

    /// Records a repair that changed nothing. An Event reports the first one, and that the model is given up.
    async fn in_vain(&mut self, key: &Key, why: &str) {
        // Events of one reason become one, with the first text.
        let (news, note) = match self.fleet.queue.was_vain(key, Instant::now()) {
            Vain::Again { first: true } => (
                News::NotRepaired,
                format!("{why}. The controller tries again."),
            ),
            Vain::GivenUp => (
                News::GivenUp,
                format!(
                    "{why}. Other models are repaired, so the controller does not try again until this model changes; \
                     `seldon-tracing check` looks for the cause."
                ),
            ),
            Vain::Again { first: false } => return,
        };
        tracing::warn!(
            namespace = key.namespace,
            name = key.name,
            note,
            "not repaired"
        );
        self.tell(key, news, &note).await;
    }

    /// Writes an Event on a model.
    async fn tell(&self, key: &Key, news: News, note: &str) {
        let about = ObjectReference {
            api_version: Some(self.resource.api_version.clone()),
            kind: Some(self.resource.kind.clone()),
            namespace: Some(key.namespace.clone()),
            name: Some(key.name.clone()),
            uid: self.fleet.uid(key).map(str::to_owned),
            ..ObjectReference::default()
        };
        // An Event has room for 1 kB.
        let note: String = note.chars().take(900).collect();
        let result = self
            .shared
            .events
            .tell(&about, news.type_and_reason(), "Repair", note)
            .await;
        self.shared.report("events", &result);
    }

    /// Reads the config file. Returns whether it has changed. The last valid one stays in use.
    fn read_config(&mut self) -> bool {
        let Some(path) = &self.file else {
            return false;
        };
        let text = files::read(path, Config::MAX_BYTES).and_then(files::text);
        let config = text.map_err(|error| error.to_string()).and_then(|text| {
            if text == self.text {
                return Ok(None);
            }
            let config = Config::read(&text).map_err(|problems| {
                let path = path.display().to_string();
                problems.lines(&path).collect::<Vec<_>>().join("; ")
            })?;
            Ok(Some((text, config)))
        });
        let name = path.display();
        let result = config.map_err(|why| Trouble::Config(format!("{name}: {why}")));
        self.shared.report(CONFIG_FILE, &result);
        let Ok(Some((text, config))) = result else {
            return false;
        };
        (self.text, self.config) = (text, config);
        true
    }
}

fn key(object: &DynamicObject) -> Key {
    Key {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

/// Waits until a model is due, or until the queue must be asked again.
async fn due(next: Next<Key>) -> Option<Key> {
    match next {
        Next::Repair(key) => return Some(key),
        Next::Wait(until) => sleep_until(until.into()).await,
        Next::Nothing => std::future::pending().await,
    }
    None
}
