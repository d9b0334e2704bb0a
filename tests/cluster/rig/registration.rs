//! A webhook of one test, registered for one namespace alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::installation::{NAME, overlay};
use super::{Cluster, Space};
use crate::models::{is_traced, model};

/// A registered webhook, until this is dropped.
pub(crate) struct Registration<'c> {
    cluster: &'c Cluster,
    pub(crate) name: String,
}

/// Registers what answers at `url` for a namespace, which should be [`Cluster::apart`]: our own first entry in all else.
pub(crate) fn register<'c>(
    space: &Space<'c>,
    url: &str,
    ca: &str,
    change: impl FnOnce(&mut Value),
) -> Registration<'c> {
    register_as(&format!("{NAME}-{}", space.name), space, url, ca, change)
}

/// The same with another name for the entry, by which the API server's metrics and messages tell it from all others.
pub(crate) fn register_named<'c>(
    space: &Space<'c>,
    name: &str,
    url: &str,
    ca: &str,
    change: impl FnOnce(&mut Value),
) -> Registration<'c> {
    register(space, url, ca, |entry| {
        entry["name"] = json!(name);
        change(entry);
    })
}

/// The same under a name of the configuration: the API server calls webhooks in the order of their configurations' names.
pub(crate) fn register_as<'c>(
    name: &str,
    space: &Space<'c>,
    url: &str,
    ca: &str,
    change: impl FnOnce(&mut Value),
) -> Registration<'c> {
    let name = name.to_owned();
    let mut entry = ours(space.cluster);
    entry["namespaceSelector"] =
        json!({"matchLabels": {"kubernetes.io/metadata.name": space.name}});
    entry["clientConfig"] = json!({"url": url, "caBundle": STANDARD.encode(ca)});
    change(&mut entry);
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [entry],
    });
    let registration = Registration {
        cluster: space.cluster,
        name,
    };
    registration.replace(&configuration);
    registration
}

impl Registration<'_> {
    /// Changes the entry. The API server takes a moment to hear of it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Value)) {
        let kind = "mutatingwebhookconfiguration";
        let get = ["get", kind, &self.name, "-o", "json"];
        let mut configuration = self.cluster.kubectl(&get).json();
        change(&mut configuration["webhooks"][0]);
        self.replace(&configuration);
    }

    fn replace(&self, configuration: &Value) {
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        let mut configuration = configuration.clone();
        if let Some(metadata) = configuration["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        self.cluster
            .kubectl_with(&configuration.to_string(), &apply)
            .ok();
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let kind = "mutatingwebhookconfiguration";
        // A test that fails has said enough.
        self.cluster
            .kubectl(&["delete", kind, &self.name, "--ignore-not-found"]);
    }
}

/// Waits until the API server works by a configuration that was just written: tries to create a model that asks for tracing, which writes
/// nothing, until what comes of it is this.
#[track_caller]
pub(crate) fn until_in_force(
    space: &Space<'_>,
    what: &str,
    condition: impl Fn(&Result<Value, String>) -> bool,
) {
    let model = serde_json::from_value(model("trial")).unwrap();
    let models = space.models();
    let trial = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    super::until(what, || {
        let tried = space.cluster.block_on(models.create(&trial, &model));
        let outcome = tried
            .map(|object| serde_json::to_value(object).unwrap())
            .map_err(|error| error.to_string());
        condition(&outcome)
    });
}

/// The condition that our webhook is called and answers.
pub(crate) fn is_called(outcome: &Result<Value, String>) -> bool {
    outcome.as_ref().is_ok_and(is_traced)
}

/// The first entry of our configuration, as it is rendered.
fn ours(cluster: &Cluster) -> Value {
    let kustomize = [
        "create",
        "--dry-run=client",
        "-o",
        "json",
        "-k",
        &overlay("base"),
    ];
    let rendered = cluster.kubectl(&kustomize).ok();
    // One object after the other, without a list around them.
    serde_json::Deserializer::from_str(&rendered)
        .into_iter::<Value>()
        .map(Result::unwrap)
        .find(|object| object["kind"] == "MutatingWebhookConfiguration")
        .map(|configuration| configuration["webhooks"][0].clone())
        .unwrap()
}
