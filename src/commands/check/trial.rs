//! A model that is created as a dry run, which shows whether tracing works.

use kube::Client;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::cluster::ask::{Asked, Kind, send};
use crate::cluster::names::{GROUP, MODELS};

/// Creates a model that asks for tracing with this key of the trigger. Nothing is stored. Gives it as it would be stored.
pub(super) async fn run(client: &Client, namespace: &str, trigger: &str) -> Asked<Value> {
    let models = Kind::new(GROUP, MODELS, Some(namespace));
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let model = model(trigger).to_string().into_bytes();
    let request = models.collection().create(&dry_run, model);
    send(client, &models.words("create"), request).await
}

/// A small model that any version of Seldon's validation takes.
fn model(trigger: &str) -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"generateName": "tracing-check-", "annotations": {trigger: "true"}},
        "spec": {
            "predictors": [{
                "name": "default",
                "replicas": 1,
                "graph": {"name": "model", "type": "MODEL", "endpoint": {"type": "REST"}, "children": []},
                "componentSpecs": [{"spec": {"containers": [
                    {"name": "model", "image": "example.com/tracing-check:1"},
                ]}}],
            }],
        },
    })
}
