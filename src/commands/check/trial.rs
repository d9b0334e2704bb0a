//! A model that is created as a dry run: the last word on whether tracing works.

use kube::Client;
use kube::api::PostParams;
use kube::core::Request;
use serde_json::{Value, json};

use super::seen::Trial;
use crate::cluster::ask::{Asked, Kind, get, send};

/// Creates a model that asks for tracing with this key of the trigger. Nothing is stored.
pub(super) async fn run(client: &Client, namespace: &str, trigger: &str) -> Trial {
    let namespaces = Kind {
        group: "",
        version: "v1",
        plural: "namespaces",
        namespace: None,
    };
    let models = Kind {
        group: "machinelearning.seldon.io",
        version: "v1",
        plural: "seldondeployments",
        namespace: Some(namespace),
    };
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let body = model(trigger).to_string().into_bytes();
    let request = Request::new(models.path()).create(&dry_run, body);
    let request = request.map_err(kube::Error::BuildRequest);
    let (around, answer) = tokio::join!(get(client, namespaces, namespace), send(client, request));
    Trial {
        namespace: namespace.to_owned(),
        around,
        created: Asked {
            what: models.words("create"),
            answer,
        },
    }
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
