//! Any text as the record of an object. Whatever it is, nothing but what could be ours goes, and the second pass is empty.

#![no_main]

#[path = "../../tests/support/checked.rs"]
#[allow(dead_code)]
mod checked;
#[path = "../../tests/support/forms.rs"]
#[allow(dead_code, clippy::unwrap_used)]
mod forms;
#[path = "../../tests/support/variables.rs"]
#[allow(dead_code)]
mod variables;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seldon_tracing::admission::Route;
use seldon_tracing::apiserver::question::Operation;
use seldon_tracing::config::Config;
use seldon_tracing::inject::RECORD;
use serde_json::{Value, json};

/// A model that has been injected, with a part of everything that a record can speak of.
static INJECTED: LazyLock<Value> = LazyLock::new(|| {
    let object = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris", "namespace": "models", "annotations": {
            "tracing": "true", "tracing.seldon.io/config-map": "cm", "tracing.seldon.io/tags": "c={container}"}},
        "spec": {"predictors": [
            {"name": "main", "graph": {"name": "model", "implementation": "SKLEARN_SERVER"},
             "explainer": {"type": "AnchorTabular", "containerSpec": {"name": "explainer"}}},
            {"name": "own", "graph": {"name": "one"}, "svcOrchSpec": {"env": [{"name": "FOO", "value": "bar"}]},
             "componentSpecs": [{"spec": {"containers": [
                {"name": "one", "image": "x", "env": [{"name": "JAEGER_AGENT_PORT", "value": "6831"}]}]}}]},
        ]},
    });
    see(&object, None).expect("there is an object")
});

fn see(object: &Value, old: Option<&Value>) -> Option<Value> {
    let operation = if old.is_some() {
        Operation::Update
    } else {
        Operation::Create
    };
    let question = checked::question(operation, Some(object), old).to_string();
    let seen = checked::look(question.as_bytes(), Route::Mutate, &Config::default());
    seen.expect("the question is good").result
}

// The first byte says what the object asks for, the rest is the record.
fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let mut object = INJECTED.clone();
    let annotations = &mut object["metadata"]["annotations"];
    annotations["tracing"] = json!(["true", "false", "tru"][usize::from(*first) % 3]);
    annotations[RECORD] = json!(text);
    let olds = [None, Some(&*INJECTED), Some(&object)];
    let old = olds[usize::from(*first / 3) % 3];
    let result = see(&object, old).expect("there is an object");
    assert_eq!(
        forms::stripped(&object),
        forms::stripped(&result),
        "only ours goes"
    );
    assert_eq!(see(&result, old), Some(result.clone()), "a second time");
    assert_eq!(
        see(&result, Some(&result)),
        Some(result.clone()),
        "without a change"
    );
});
