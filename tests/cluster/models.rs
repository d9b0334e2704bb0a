//! SeldonDeployments of the tests, and what is looked for in them.

use serde_json::{Value, json};

/// The record of what was injected.
pub(crate) const RECORD: &str = "tracing.seldon.io/injected";

/// A model with one container that asks for tracing.
pub(crate) fn model(name: &str) -> Value {
    let mut model = untraced(name);
    model["metadata"]["annotations"] = json!({"tracing": "true"});
    model
}

/// One that does not ask.
pub(crate) fn untraced(name: &str) -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": name},
        "spec": {
            "name": name,
            "predictors": [{
                "name": "default",
                "replicas": 1,
                "graph": {"name": "classifier", "type": "MODEL", "endpoint": {"type": "REST"}, "children": []},
                "componentSpecs": [{"spec": {"containers": [{"name": "classifier", "image": "example.com/model:1"}]}}],
            }],
        },
    })
}

/// The first container of the first predictor.
pub(crate) fn container(object: &Value) -> &Value {
    &object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]
}

/// Names of the variables of a container or orchestrator, in order.
pub(crate) fn names(holder: &Value) -> Vec<&str> {
    let env = holder["env"].as_array();
    let names = env.into_iter().flatten();
    names
        .map(|variable| variable["name"].as_str().unwrap())
        .collect()
}

/// The value of a variable of a container.
pub(crate) fn value<'v>(holder: &'v Value, name: &str) -> Option<&'v str> {
    let env = holder["env"].as_array()?;
    let variable = env.iter().find(|variable| variable["name"] == name)?;
    variable["value"].as_str()
}

/// Whether the first container and the orchestrator of every predictor have `TRACING`, and the object its record.
pub(crate) fn is_traced(object: &Value) -> bool {
    let predictors = object["spec"]["predictors"].as_array().unwrap();
    let all = predictors.iter().all(|predictor| {
        let container = &predictor["componentSpecs"][0]["spec"]["containers"][0];
        [container, &predictor["svcOrchSpec"]]
            .iter()
            .all(|holder| value(holder, "TRACING") == Some("1"))
    });
    all && object["metadata"]["annotations"][RECORD].is_string()
}

/// What a user wrote or can see: the object without what the API server writes into its metadata, and without status.
pub(crate) fn essence(object: &Value) -> Value {
    let mut essence = object.clone();
    if let Some(object) = essence.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = essence["metadata"].as_object_mut() {
        for key in [
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "uid",
        ] {
            metadata.remove(key);
        }
    }
    essence
}

/// What restarts pods when it changes, and what changes with every write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) generation: i64,
    pub(crate) resource_version: String,
}

pub(crate) fn written(object: &Value) -> Written {
    Written {
        generation: object["metadata"]["generation"].as_i64().unwrap(),
        resource_version: object["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .to_owned(),
    }
}
