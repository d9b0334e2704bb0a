//! The controller on a real API server, as a process with the rights of its service account.

pub(crate) mod changes;
pub(crate) mod refused;
pub(crate) mod repair;
pub(crate) mod rights;
pub(crate) mod size;

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use seldon_tracing::pki::read_certificates;
use serde_json::{Value, json};

use crate::models::{is_traced, model};
use crate::rig::controller::{ACCOUNT, CA, delete, secret};
use crate::rig::installation::{self, NAME, NAMESPACE, SECRET, bundles, get, part};
use crate::rig::{Cluster, controller, metrics, until};
use crate::support::load;
use crate::support::load::process::Process;

tests![
    from_nothing_to_a_certificate_that_is_served_and_trusted,
    a_ca_bundle_that_somebody_changed_is_put_back_and_nothing_else_is_touched,
    an_api_server_that_is_not_there_is_said_once_and_the_controller_goes_on,
    an_api_server_that_hangs_is_said_once_and_the_controller_goes_on,
    the_webhook_configuration_is_waited_for,
];

/// A change of the CA takes ten seconds. If it took less, the API server would have more connections open than the webhook allows: it keeps
/// those for an earlier `caBundle`.
pub(crate) const QUICK: [&str; 3] = ["--trust-delay=1s", "--load-delay=8s", "--repair=false"];

/// The controller of one test. It is killed when this is dropped.
pub(crate) struct Controller<'c> {
    cluster: &'c Cluster,
    pub(crate) process: Process,
}

impl<'c> Controller<'c> {
    pub(crate) fn start(cluster: &'c Cluster, flags: &[&str]) -> Self {
        let process = cluster.block_on(controller::start(cluster.plane(), flags));
        Self { cluster, process }
    }

    fn page(&self, path: &str) -> (u16, String) {
        self.cluster.block_on(load::get(self.process.admin, path))
    }

    /// The sum of one of its metrics.
    fn metric(&self, name: &str, label: &str) -> f64 {
        let (_, page) = self.page("/metrics");
        metrics::sum_of(&page, name, &[label])
    }

    /// How often it did something, by the reason of the Event.
    fn steps(&self, reason: &str) -> f64 {
        let label = format!("step=\"{reason}\"");
        self.metric("seldon_tracing_controller_steps_total", &label)
    }

    /// Everything that it wrote.
    pub(crate) fn all_steps(&self) -> f64 {
        self.metric("seldon_tracing_controller_steps_total", "step=")
    }

    /// It has been told of a problem, or of none.
    fn has_problem(&self, text: &str) -> bool {
        let (status, checks) = self.page("/readyz?verbose");
        assert_eq!(status, 200, "{checks}");
        checks.contains(text)
    }
}

/// Creates a model and looks whether it was traced by way of the Service.
#[track_caller]
fn assert_traced(cluster: &Cluster, name: &str) {
    let space = cluster.space(name);
    assert!(is_traced(&space.create(&model("model"))));
}

fn patch_secret(cluster: &Cluster, name: &str, patch: &Value) {
    let patch = format!("--patch={patch}");
    let arguments = ["patch", "secret", name, "--namespace", NAMESPACE, &patch];
    cluster.kubectl(&arguments).ok();
}

/// Waits until the certificates are settled, by a CA that is not `before`, and served. Returns the CA.
pub(crate) fn until_settled(cluster: &Cluster, before: &str) -> String {
    let (ca, chain) = controller::until_settled(cluster, before);
    cluster.installation().webhook().shows(&chain, &ca);
    ca
}

fn from_nothing_to_a_certificate_that_is_served_and_trusted(cluster: &Cluster) {
    // It was made when the cluster started.
    until_settled(cluster, "");
    assert_traced(cluster, "made");
    let leaf = secret(cluster, SECRET).unwrap();
    assert_eq!(leaf["type"], "kubernetes.io/tls");
    let leaf = read_certificates(part(&leaf, "tls.crt").as_bytes()).unwrap();
    let service = installation::service_name();
    assert_eq!(leaf[0].dns, [format!("{service}.cluster.local"), service]);
    assert_eq!(secret(cluster, CA).unwrap()["type"], "Opaque");

    let events: Api<Event> = Api::namespaced(cluster.client(), NAMESPACE);
    let events = cluster.block_on(events.list(&ListParams::default()));
    let events = events.unwrap().items;
    let reasons: Vec<_> = events
        .iter()
        .filter_map(|it| it.reason.as_deref())
        .collect();
    for reason in ["CaCreated", "CaBundleWritten", "CertificateCreated"] {
        assert!(reasons.contains(&reason), "{reasons:?}");
    }

    // Once more: it finds all as it should be, and writes nothing.
    let controller = Controller::start(cluster, &[]);
    let expiry = "seldon_tracing_certificate_expiry_timestamp_seconds";
    until("it has looked", || controller.metric(expiry, "") > 1e9);
    until("it has done what was to do", || {
        controller.has_problem("[+]certificates ok")
    });
    assert!(controller.metric("seldon_tracing_ca_expiry_timestamp_seconds", "") > 1e9);
    assert!(controller.all_steps() < 0.5);
    // A page of code that is mapped from the file counts too, and a debug build has many.
    let memory = |name| controller.process.memory(name);
    let (all, own) = (memory("VmRSS"), memory("RssAnon"));
    eprintln!("cluster: the controller has {all} KiB in memory, {own} KiB of them its own");
    assert!(own < 12 << 10, "{own} KiB");
}

fn a_ca_bundle_that_somebody_changed_is_put_back_and_nothing_else_is_touched(cluster: &Cluster) {
    let kind = ["mutatingwebhookconfiguration", NAME];
    let controller = Controller::start(cluster, &QUICK);
    let ca = until_settled(cluster, "");
    let good = [Some(ca.clone()), Some(ca)];
    let patch = |patch: Value| {
        let patch = format!("--patch={patch}");
        let arguments = [&["patch"], &kind[..], &["--type=json", &patch]].concat();
        cluster.kubectl(&arguments).ok();
    };
    let field = |entry: usize| format!("/webhooks/{entry}/clientConfig/caBundle");
    let foreign = load::authority().certificate().to_owned();
    let foreign = serde_json::to_value(k8s_openapi::ByteString(foreign.into_bytes())).unwrap();
    let both = json!([{"op": "remove", "path": field(0)}, {"op": "remove", "path": field(1)}]);
    let mut slowest = Duration::ZERO;
    for change in [
        both,
        json!([{"op": "replace", "path": field(1), "value": foreign}]),
        json!([{"op": "replace", "path": field(0), "value": "Z2FyYmFnZQ=="}]),
    ] {
        patch(change);
        let begin = Instant::now();
        until("caBundle is put back", || bundles(cluster.plane()) == good);
        slowest = slowest.max(begin.elapsed());
    }
    eprintln!("cluster: a changed caBundle was put back in {slowest:?} at most");
    assert!(slowest < Duration::from_secs(10));
    assert_traced(cluster, "put-back");

    // Other fields belong to whoever installed it, and an entry of somebody else is left alone.
    let entry = json!([{"op": "add", "path": "/webhooks/-", "value": {
        "name": "foreign.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "failurePolicy": "Ignore", "clientConfig": {"url": "https://127.0.0.1:1/", "caBundle": foreign},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "nowhere"}},
    }}]);
    patch(entry);
    patch(json!([{"op": "remove", "path": field(0)}]));
    until("caBundle is put back", || {
        bundles(cluster.plane())[..2] == good
    });
    let stored = [
        &["get"],
        &kind[..],
        &["--show-managed-fields", "-o", "json"],
    ]
    .concat();
    let stored = cluster.kubectl(&stored).json();
    assert_eq!(stored["webhooks"][2]["clientConfig"]["caBundle"], foreign);
    let managers = stored["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers.iter().find(|it| it["manager"] == ACCOUNT).unwrap();
    let owned = ours["fieldsV1"]["f:webhooks"].as_object().unwrap();
    assert_eq!(owned.len(), 2, "{owned:?}");
    for fields in owned.values() {
        assert_eq!(*fields, json!({"f:clientConfig": {"f:caBundle": {}}}));
    }
    patch(json!([{"op": "remove", "path": "/webhooks/2"}]));
    assert!(controller.steps("CaBundleWritten") > 3.5);
}

fn an_api_server_that_is_not_there_is_said_once_and_the_controller_goes_on(cluster: &Cluster) {
    is_said_once(cluster, "127.0.0.1:1");
}

/// It takes connections, and says nothing on them.
fn an_api_server_that_hangs_is_said_once_and_the_controller_goes_on(cluster: &Cluster) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    is_said_once(cluster, &silent.local_addr().unwrap().to_string());
}

fn is_said_once(cluster: &Cluster, address: &str) {
    let plane = cluster.plane();
    let text = fs::read_to_string(plane.kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["clusters"][0]["cluster"]["server"] = json!(format!("https://{address}"));
    let file = plane.file("nowhere.kubeconfig");
    fs::write(&file, config.to_string()).unwrap();
    let process = cluster.block_on(controller::start_with(plane, file, &[]));
    let controller = Controller { cluster, process };
    until("it has tried", || {
        controller.has_problem("[!]certificates: cannot read the MutatingWebhookConfiguration")
    });
    let errors = || {
        controller.metric(
            "seldon_tracing_controller_errors_total",
            "check=\"certificates\"",
        )
    };
    until("it tries again and again", || errors() > 1.5);
    let said = controller.process.lines_with(r#""check":"certificates""#);
    assert_eq!(said, 1, "{}", controller.process.log());
    assert!(controller.has_problem("the API server did not answer"));
    assert!(controller.metric("seldon_tracing_controller_api_reachable", "") < 0.5);
    // It can be ended meanwhile.
    let Controller { mut process, .. } = controller;
    process.signal("TERM");
    let ended = cluster.block_on(process.ended());
    assert_eq!(ended.code(), Some(0), "{}", process.log());
    assert!(process.log().contains("stopped in order"));
}

fn the_webhook_configuration_is_waited_for(cluster: &Cluster) {
    let plane = cluster.plane();
    let controller = Controller::start(cluster, &QUICK);
    let ca = until_settled(cluster, "");
    let stored = get(plane, "mutatingwebhookconfiguration", NAME);
    let delete = ["delete", "mutatingwebhookconfiguration", NAME];
    cluster.kubectl(&delete).ok();
    // The rest goes on.
    self::delete(cluster, &[SECRET]);
    until("there is a certificate again", || {
        secret(cluster, SECRET).is_some()
    });
    assert!(controller.has_problem("[+]certificates ok"));
    let mut manifest = stored;
    manifest["metadata"] = json!({"name": NAME});
    for entry in manifest["webhooks"].as_array_mut().unwrap() {
        entry["clientConfig"]
            .as_object_mut()
            .unwrap()
            .remove("caBundle");
    }
    cluster
        .kubectl_with(&manifest.to_string(), &["create", "-f", "-"])
        .ok();
    assert_eq!(until_settled(cluster, ""), ca);
    until("the webhook is called again", || {
        let space = cluster.space("again");
        is_traced(&space.create(&model("model")))
    });
}
