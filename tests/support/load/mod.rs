//! The server under load: a webhook in this process or in its own, clients that behave as the API server does, a stand-in for
//! kube-proxy, and clients that behave badly.

pub(crate) mod h2;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod raw;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seldon_tracing::apiserver::client::{Answered, Client, Target, Trust};
use seldon_tracing::apiserver::question::{Operation, Question};
use seldon_tracing::apiserver::verify::verify;
use seldon_tracing::pki::{Authority, Names, Pair, Purpose};
use seldon_tracing::serve::{ConfigSource, Files, Identity, Options, Server, Stopped};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::fixtures::folder;
pub(crate) use super::wait::LONG;

/// The longest timeout of the API server.
pub(crate) const ADMISSION: Duration = Duration::from_secs(30);

pub(crate) fn authority() -> Authority {
    Authority::new(None, OffsetDateTime::now_utc(), time::Duration::days(30)).unwrap()
}

/// A certificate for loopback, issued at `now`.
pub(crate) fn pair_at(authority: &Authority, now: OffsetDateTime) -> Pair {
    let names = Names {
        dns: vec!["localhost".to_owned()],
        ip: vec![[127, 0, 0, 1].into()],
    };
    authority
        .issue(&names, Purpose::Server, now, time::Duration::DAY)
        .unwrap()
}

pub(crate) fn pair(authority: &Authority) -> Pair {
    pair_at(authority, OffsetDateTime::now_utc())
}

/// A folder with `tls.crt` and `tls.key`.
pub(crate) fn folder_of(pair: &Pair) -> TempDir {
    folder(&[("tls.crt", &pair.chain), ("tls.key", &pair.key)])
}

pub(crate) fn files(folder: &std::path::Path) -> Files {
    Files {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        client_ca: None,
    }
}

/// Options for a webhook on free loopback ports.
pub(crate) fn settings(identity: Identity) -> Options {
    let any_port = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let config = ConfigSource::Fixed(Box::default());
    let mut settings = Options::new(any_port.clone(), identity, config);
    settings.admin_listen = any_port;
    settings.lame_duck = Duration::ZERO;
    settings.drain = Duration::ZERO;
    settings
}

/// A webhook in this process. It ends when the runtime of the test ends.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) ca: String,
    pub(crate) stop: mpsc::Sender<()>,
    pub(crate) ended: JoinHandle<Stopped>,
}

pub(crate) async fn serve(settings: Options, ca: &str) -> Running {
    let server = Server::bind(settings).await.unwrap();
    let address = server.address;
    let admin = server.admin_address.unwrap();
    let (stop, stopping) = mpsc::channel(2);
    let ended = tokio::spawn(server.run(stopping));
    until("it is ready", || async {
        get(admin, "/readyz").await.0 == 200
    })
    .await;
    Running {
        address,
        admin,
        ca: ca.to_owned(),
        stop,
        ended,
    }
}

/// The same with a new certificate and changed settings.
pub(crate) async fn serve_with(change: impl FnOnce(&mut Options)) -> Running {
    let authority = authority();
    let mut settings = settings(Identity::Memory(pair(&authority)));
    change(&mut settings);
    serve(settings, authority.certificate()).await
}

impl Running {
    pub(crate) fn client(&self) -> Client {
        client(self.address, &self.ca)
    }

    /// The value of a metric, by its name and labels as written. An absent metric is 0.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        metric(self.admin, name).await
    }
}

/// A webhook at an address, with its CA.
pub(crate) fn target(address: SocketAddr, ca: &str) -> Target {
    Target {
        url: format!("https://{address}"),
        trust: Trust::Authorities(ca.as_bytes().to_vec()),
        server_name: None,
        identity: None,
    }
}

/// A client that waits only 100 ms for each second of `Retry-After`.
pub(crate) fn client(address: SocketAddr, ca: &str) -> Client {
    Client::new(&target(address, ca))
        .unwrap()
        .with_second(Duration::from_millis(100))
}

/// Waits for a condition as [`wait::until`](super::wait::until) does, and blocks nothing.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let end = Instant::now() + LONG;
    while !condition().await {
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Gets a page of the admin port. The status is 0 if nothing listens.
pub(crate) async fn get(admin: SocketAddr, path: &str) -> (u16, String) {
    let path = path.to_owned();
    let got = tokio::task::spawn_blocking(move || raw::get(admin, &path));
    got.await.unwrap().unwrap_or_default()
}

pub(crate) async fn metric(admin: SocketAddr, name: &str) -> u64 {
    let (_, text) = get(admin, "/metrics").await;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

/// A review of an object with the trigger.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) uid: String,
    pub(crate) object: Value,
    pub(crate) body: Bytes,
}

/// A review with this uid.
pub(crate) fn asked(uid: &str) -> Asked {
    asked_with(uid, &json!({"tracing": "true"}))
}

/// A review of about so many bytes.
pub(crate) fn asked_of_size(uid: &str, bytes: usize) -> Asked {
    asked_with(
        uid,
        &json!({"tracing": "true", "ballast": "x".repeat(bytes)}),
    )
}

/// A review of so many containers. Its answer is longer than the review.
pub(crate) fn asked_of_containers(uid: &str, count: usize) -> Asked {
    let mut asked = asked(uid);
    let containers = (0..count).map(|number| json!({"name": format!("c{number}")}));
    asked.object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"] =
        containers.collect();
    asked_for(uid, asked.object)
}

fn asked_with(uid: &str, annotations: &Value) -> Asked {
    let object = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "model", "namespace": "models", "annotations": annotations},
        "spec": {"name": "model", "predictors": [{
            "name": "default",
            "replicas": 1,
            "componentSpecs": [{"spec": {"containers": [{"name": "classifier", "image": "model:1"}]}}],
            "graph": {"name": "classifier", "type": "MODEL", "endpoint": {"type": "REST"}, "children": []},
        }]},
    });
    asked_for(uid, object)
}

fn asked_for(uid: &str, object: Value) -> Asked {
    let question = Question {
        uid,
        operation: Operation::Create,
        namespace: "models",
        name: Some("model"),
        version: "v1",
        dry_run: false,
        user: "somebody",
        object: Some(&object),
        old_object: None,
    };
    let body = Bytes::from(question.to_bytes());
    Asked {
        uid: uid.to_owned(),
        object,
        body,
    }
}

/// Checks an answer against the rules of the API server and applies the patch. Returns the object.
#[track_caller]
pub(crate) fn patched(asked: &Asked, answered: &Answered) -> Value {
    let verified = verify(&asked.uid, &answered.reply).unwrap_or_else(|refusal| {
        panic!("{}: {refusal}: {:?}", asked.uid, answered.reply);
    });
    assert!(
        verified.allowed && verified.losses.is_empty(),
        "{verified:?}"
    );
    verified.result(Some(&asked.object)).unwrap().unwrap()
}

/// The same, and the object must be traced.
#[track_caller]
pub(crate) fn check(asked: &Asked, answered: &Answered) -> Value {
    let result = patched(asked, answered);
    let first = "/spec/predictors/0/componentSpecs/0/spec/containers/0/env";
    let env = result.pointer(first).and_then(Value::as_array).unwrap();
    let tracing = json!({"name": "TRACING", "value": "1"});
    assert!(env.contains(&tracing), "{env:?}");
    result
}

/// Calls and checks the answer. An error is one that the API server would count.
pub(crate) async fn call(client: &Client, asked: &Asked) -> Result<Answered, String> {
    let answered = client.call(asked.body.clone(), ADMISSION).await;
    let answered = answered.map_err(|error| error.to_string())?;
    check(asked, &answered);
    Ok(answered)
}

/// Clients that call until they are told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    pub(crate) done: Arc<AtomicUsize>,
    pub(crate) closes: Arc<AtomicUsize>,
    callers: JoinSet<Vec<String>>,
}

/// Starts so many clients. `client` is called for each call: a clone shares connections, a new client opens its own.
pub(crate) fn load(callers: usize, client: impl Fn() -> Client + Clone + Send + 'static) -> Load {
    let mut load = Load {
        stop: Arc::default(),
        done: Arc::default(),
        closes: Arc::default(),
        callers: JoinSet::new(),
    };
    for caller in 0..callers {
        let (client, stop) = (client.clone(), Arc::clone(&load.stop));
        let (done, closes) = (Arc::clone(&load.done), Arc::clone(&load.closes));
        load.callers.spawn(async move {
            let mut failed = Vec::new();
            for number in 0..100_000 {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let asked = asked(&format!("caller-{caller}-{number}"));
                match call(&client(), &asked).await {
                    Ok(answered) => {
                        closes.fetch_add(usize::from(answered.closes), Ordering::AcqRel);
                    }
                    Err(error) => failed.push(error),
                }
                done.fetch_add(1, Ordering::AcqRel);
            }
            failed
        });
    }
    load
}

impl Load {
    /// Waits until this many more calls have ended.
    pub(crate) async fn more(&self, calls: usize) {
        let before = self.done.load(Ordering::Acquire);
        until("calls go on", || async {
            self.done.load(Ordering::Acquire) >= before + calls
        })
        .await;
    }

    /// Stops the clients. Returns the errors.
    pub(crate) async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Release);
        let failed = timeout(LONG, self.callers.join_all()).await.unwrap();
        failed.concat()
    }
}
