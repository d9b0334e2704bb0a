//! What is done to models in many tests, and what is asked about it.

use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::models::{essence, written};
use crate::rig::{Cluster, Space};

/// The minor version of Kubernetes since which an apply that changes nothing is no write for custom resources either:
/// <https://github.com/kubernetes/kubernetes/pull/125263>.
const TAKES_BACK_THE_TIME: u32 = 31;

/// Creates a model of version v1, as a program does.
#[track_caller]
pub(crate) fn create(space: &Space<'_>, model: &Value) -> Value {
    post(space, model, false)
}

/// What the API server would store for it.
#[track_caller]
pub(crate) fn created_dry(space: &Space<'_>, model: &Value) -> Value {
    post(space, model, true)
}

fn post(space: &Space<'_>, model: &Value, dry_run: bool) -> Value {
    let model: DynamicObject = serde_json::from_value(model.clone()).unwrap();
    let parameters = PostParams {
        dry_run,
        ..PostParams::default()
    };
    let models = space.models();
    let created = space.cluster.block_on(models.create(&parameters, &model));
    serde_json::to_value(created.unwrap()).unwrap()
}

/// What a user would have without us: the model without its trigger on the object, as the API server stores it.
#[track_caller]
pub(crate) fn without_us(space: &Space<'_>, model: &Value) -> Value {
    let mut model = model.clone();
    // Not just absent, so that it is the same where tracing is the default.
    model["metadata"]["annotations"]["tracing"] = json!("false");
    let mut stored = essence(&created_dry(space, &model));
    let metadata = stored["metadata"].as_object_mut().unwrap();
    let annotations = metadata["annotations"].as_object_mut().unwrap();
    annotations.remove("tracing");
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    stored
}

/// Changes a stored model by a merge patch.
#[track_caller]
pub(crate) fn merge(space: &Space<'_>, name: &str, patch: &Value) -> Value {
    let models = space.models();
    let parameters = PatchParams::default();
    let patch = Patch::Merge(patch);
    let patched = models.patch(name, &parameters, &patch);
    serde_json::to_value(space.cluster.block_on(patched).unwrap()).unwrap()
}

/// Applies a manifest by server-side apply, as Flux and Argo CD do.
pub(crate) fn apply_as(
    space: &Space<'_>,
    manager: &str,
    manifest: &Value,
    change: impl FnOnce(&mut PatchParams),
) -> kube::Result<Value> {
    let mut parameters = PatchParams::apply(manager);
    change(&mut parameters);
    let name = manifest["metadata"]["name"].as_str().unwrap();
    let models = space.models();
    let manifest = Patch::Apply(manifest);
    let applied = models.patch(name, &parameters, &manifest);
    let applied = space.cluster.block_on(applied)?;
    Ok(serde_json::to_value(applied).unwrap())
}

/// Holds that an apply came to nothing: no new generation, no change that anybody can see, and no write at all.
///
/// The API server has stamped the time of the apply into `managedFields` by then, for it does so before it calls webhooks, and takes it
/// back before it writes. Old ones do that for their own kinds of objects alone and write the time.
#[track_caller]
pub(crate) fn assert_unwritten(space: &Space<'_>, again: &Value, first: &Value) {
    assert_eq!(essence(again), essence(first), "sticky");
    let [mut again, mut first] = [written(again), written(first)];
    if writes_the_time(space.cluster) {
        again.resource_version.clear();
        first.resource_version.clear();
    }
    assert_eq!(again, first, "sticky");
}

/// Whether an apply that changes nothing is a write of its time.
pub(crate) fn writes_the_time(cluster: &Cluster) -> bool {
    let client = cluster.client();
    let version = cluster.block_on(client.apiserver_version()).unwrap();
    version.minor.parse::<u32>().unwrap() < TAKES_BACK_THE_TIME
}

/// For every write of a model, by the audit log: whether a webhook was called.
pub(crate) fn calls(space: &Space<'_>, name: &str) -> Vec<bool> {
    let of_this = |event: &Value| {
        let object = &event["objectRef"];
        object["namespace"] == space.name.as_str() && object["name"] == name
    };
    let called = |event: &Value| {
        let annotations = event["annotations"].as_object();
        let mut keys = annotations.into_iter().flat_map(|of| of.keys());
        keys.any(|key| key.starts_with("mutation.webhook.admission.k8s.io/"))
    };
    let events = space.cluster.plane().audit();
    events
        .iter()
        .filter(|event| of_this(event))
        .map(called)
        .collect()
}

/// What the webhook has logged about a model.
pub(crate) fn logged(space: &Space<'_>, name: &str) -> Vec<Value> {
    let cluster: &Cluster = space.cluster;
    let log = cluster.installation().webhook().log();
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["namespace"] == space.name.as_str() && line["name"] == name)
        .collect()
}
