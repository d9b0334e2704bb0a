//! Users who write all the time: fifty objects a second, by a clock, whatever happens meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::models;
use crate::rig::{Cluster, Space, metrics, until};
use crate::support::wait::LONG;

/// From one write to the next.
const EVERY: Duration = Duration::from_millis(20);

/// Who is late does not keep the others waiting.
const USERS: usize = 16;

/// Two minutes of writes: no test takes so long.
const MOST: usize = 6_000;

/// Writes at the same time: more than the connections that the API server has open before, to the webhook with this `caBundle`. It keeps 25
/// for each earlier one for 90 seconds, and the webhook allows one client 200.
const CROWD: usize = 45;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Create,
    /// The object as the user has it, without anything of ours in it.
    Replace,
    Delete,
}

/// One write and what the API server answered.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    verb: Verb,
    pub(crate) name: String,
    pub(crate) ended: Instant,
    /// The stored object, or what went wrong.
    answer: Result<Value, String>,
}

impl Write {
    /// An object that was to be traced and is not.
    pub(crate) fn is_lost(&self) -> bool {
        let stored = self.answer.as_ref().ok();
        self.verb != Verb::Delete && stored.is_some_and(|object| !models::is_traced(object))
    }
}

/// Writes that go on until this is ended.
pub(crate) struct Writes<'s> {
    space: &'s Space<'s>,
    shared: Arc<Shared>,
    users: JoinSet<()>,
    start: Instant,
}

struct Shared {
    api: Api<DynamicObject>,
    stop: AtomicBool,
    tickets: AtomicUsize,
    crowds: AtomicUsize,
    done: Mutex<Vec<Write>>,
}

impl<'s> Writes<'s> {
    pub(crate) fn start(space: &'s Space<'s>) -> Self {
        let shared = Arc::new(Shared {
            api: space.models(),
            stop: AtomicBool::new(false),
            tickets: AtomicUsize::new(0),
            crowds: AtomicUsize::new(0),
            done: Mutex::default(),
        });
        let start = Instant::now();
        let users = space.cluster.block_on(async {
            let mut users = JoinSet::new();
            for _ in 0..USERS {
                users.spawn(user(Arc::clone(&shared), start));
            }
            users
        });
        Self {
            space,
            shared,
            users,
            start,
        }
    }

    /// Waits until so many more writes are done.
    pub(crate) fn more(&self, count: usize) {
        let done = || self.shared.done.lock().unwrap().len();
        let before = done();
        until("writes go on", || done() >= before + count);
    }

    /// Some more users create an object each, all at the same time: the API server needs more connections for a moment.
    pub(crate) fn crowd(&self) {
        let number = self.shared.crowds.fetch_add(1, Ordering::AcqRel);
        self.space.cluster.block_on(async {
            let mut crowd = JoinSet::new();
            for user in 0..CROWD {
                let shared = Arc::clone(&self.shared);
                let name = format!("crowd-{number}-{user}");
                crowd.spawn(async move { shared.create(&name).await });
            }
            crowd.join_all().await;
        });
    }

    /// Ends the writes. Gives what there is to say about all of them.
    pub(crate) fn end(mut self) -> Outcome {
        self.shared.stop.store(true, Ordering::Release);
        let cluster: &Cluster = self.space.cluster;
        cluster.block_on(async {
            let all = async { while self.users.join_next().await.is_some() {} };
            tokio::time::timeout(LONG, all).await.unwrap();
        });
        let seconds = self.start.elapsed().as_secs_f64();
        let tickets = self.shared.tickets.load(Ordering::Acquire);
        assert!(tickets < MOST, "the writes ended before what they were for");
        let writes = std::mem::take(&mut *self.shared.done.lock().unwrap());
        let failed = |write: &Write| {
            let error = write.answer.as_ref().err()?;
            Some(format!("{:?} {}: {error}", write.verb, write.name))
        };
        let errors = writes.iter().filter_map(failed).collect();
        let created = writes.iter().filter(|write| write.verb == Verb::Create);
        let crowds = self.shared.crowds.load(Ordering::Acquire);
        Outcome {
            created: created.count(),
            errors,
            lost: writes.iter().filter(|it| it.is_lost()).cloned().collect(),
            by_clock: writes.len() - crowds * CROWD,
            at_once: crowds * CROWD,
            seconds,
        }
    }
}

/// What came of all writes.
#[derive(Debug)]
pub(crate) struct Outcome {
    by_clock: usize,
    at_once: usize,
    pub(crate) created: usize,
    pub(crate) errors: Vec<String>,
    pub(crate) lost: Vec<Write>,
    seconds: f64,
}

impl Outcome {
    /// Says what was reached, and demands that it was about what was wanted: slower, it would be another test.
    pub(crate) fn say(&self, during: &str) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let rate = self.by_clock as f64 / self.seconds;
        assert!(
            rate > 30.0,
            "{rate:.0} writes a second: the machine is too slow for this"
        );
        eprintln!(
            "writes: {during}: {} writes in {:.1} s, {rate:.0} a second, and {} in crowds of {CROWD}; {} of them created an object; \
             {} errors, {} untraced",
            self.by_clock,
            self.seconds,
            self.at_once,
            self.created,
            self.errors.len(),
            self.lost.len(),
        );
    }
}

/// How often the API server went on without a webhook.
pub(crate) fn failed_open(cluster: &Cluster) -> f64 {
    metrics::sum(cluster, "apiserver_admission_webhook_fail_open_count", &[])
}

/// Objects of a namespace of which the audit log says that.
pub(crate) fn told_as_failed_open(cluster: &Cluster, space: &Space<'_>) -> BTreeSet<String> {
    let events = cluster.plane().audit_with(&space.name);
    assert!(
        !events.is_empty(),
        "the audit log does not know {}",
        space.name
    );
    let told = events.iter().filter(|event| {
        let annotations = event["annotations"].as_object();
        let mut keys = annotations.into_iter().flatten().map(|(key, _)| key);
        keys.any(|key| key.starts_with("failed-open."))
    });
    // The name of an object that is created is not in its path.
    told.map(|event| {
        let name = &event["requestObject"]["metadata"]["name"];
        name.as_str().unwrap().to_owned()
    })
    .collect()
}

/// Not one error, not one untraced object, and the API server has not gone on without us.
#[track_caller]
pub(crate) fn not_noticed(cluster: &Cluster, space: &Space<'_>, outcome: &Outcome, before: f64) {
    assert_eq!(outcome.errors, Vec::<String>::new());
    let untraced: Vec<_> = outcome.lost.iter().map(|write| &write.name).collect();
    assert_eq!(untraced, Vec::<&String>::new());
    assert!(outcome.created > 100, "{}", outcome.created);
    assert_eq!(told_as_failed_open(cluster, space), BTreeSet::new());
    let after = failed_open(cluster);
    assert!((after - before).abs() < 0.5, "{before} {after}");
}

/// One of the users: of ten writes, eight create an object, one replaces one and one deletes one.
async fn user(shared: Arc<Shared>, start: Instant) {
    let mut own = Vec::new();
    loop {
        let ticket = shared.tickets.fetch_add(1, Ordering::AcqRel);
        if ticket >= MOST || shared.stop.load(Ordering::Acquire) {
            return;
        }
        let due = EVERY * u32::try_from(ticket).unwrap();
        tokio::time::sleep_until((start + due).into()).await;
        let object = match ticket % 10 {
            8 => own.pop().map(|object| (Verb::Replace, object)),
            9 => own.pop().map(|object| (Verb::Delete, object)),
            _ => None,
        };
        match object {
            Some((Verb::Replace, object)) => own.extend(shared.replace(&object).await),
            Some((_, object)) => shared.delete(&object).await,
            None => own.extend(shared.create(&format!("model-{ticket}")).await),
        }
    }
}

impl Shared {
    async fn create(&self, name: &str) -> Option<Value> {
        let object = object(&models::model(name));
        let parameters = PostParams::default();
        self.write(Verb::Create, name, self.api.create(&parameters, &object))
            .await
    }

    async fn replace(&self, stored: &Value) -> Option<Value> {
        let name = stored["metadata"]["name"].as_str().unwrap();
        let mut model = models::model(name);
        model["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
        model["spec"]["predictors"][0]["replicas"] = 2.into();
        let object = object(&model);
        let parameters = PostParams::default();
        let call = self.api.replace(name, &parameters, &object);
        self.write(Verb::Replace, name, call).await
    }

    async fn delete(&self, stored: &Value) {
        let name = stored["metadata"]["name"].as_str().unwrap();
        let parameters = DeleteParams::default();
        let call = async {
            let deleted = self.api.delete(name, &parameters).await?;
            Ok(deleted.left().unwrap_or_else(|| object(stored)))
        };
        self.write(Verb::Delete, name, call).await;
    }

    async fn write(
        &self,
        verb: Verb,
        name: &str,
        call: impl Future<Output = kube::Result<DynamicObject>>,
    ) -> Option<Value> {
        let answer = call.await;
        let ended = Instant::now();
        let answer = answer
            .map(|object| serde_json::to_value(object).unwrap())
            .map_err(|error| error.to_string());
        let stored = answer.clone().ok();
        self.done.lock().unwrap().push(Write {
            verb,
            name: name.to_owned(),
            ended,
            answer,
        });
        stored
    }
}

fn object(value: &Value) -> DynamicObject {
    serde_json::from_value(value.clone()).unwrap()
}
