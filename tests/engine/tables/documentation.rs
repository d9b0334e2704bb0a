//! The engine writes what the example on Seldon's tracing page has.

use serde_json::{Value, json};

use super::{Outcome, container, decide, inject, predictor, record};

fn five() -> Value {
    json!([
        {"name": "TRACING", "value": "1"},
        {"name": "JAEGER_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        {"name": "JAEGER_AGENT_PORT", "value": "5775"},
        {"name": "JAEGER_SAMPLER_TYPE", "value": "const"},
        {"name": "JAEGER_SAMPLER_PARAM", "value": "1"},
    ])
}

fn example() -> Value {
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "tracing-example", "namespace": "seldon", "annotations": {"tracing": "true"}},
        "spec": {
            "name": "tracing-example",
            "predictors": [{
                "name": "tracing",
                "replicas": 1,
                "graph": {"children": [], "name": "model1", "type": "MODEL", "endpoint": {"type": "REST"}},
                "componentSpecs": [{"spec": {
                    "containers": [{"name": "model1", "image": "seldonio/mock_classifier_rest:1.3"}],
                    "terminationGracePeriodSeconds": 1,
                }}],
            }],
        },
    })
}

#[test]
fn the_example_gets_exactly_the_ten_entries() {
    let result = inject(&example());
    assert_eq!(container(&result)["env"], five());
    assert_eq!(predictor(&result)["svcOrchSpec"], json!({"env": five()}));
    let order: Vec<_> = container(&result)["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["name"])
        .collect();
    assert_eq!(order, super::FIVE);
}

#[test]
fn an_example_that_was_written_by_hand_is_left_as_it_is() {
    let mut object = example();
    object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"] = five();
    object["spec"]["predictors"][0]["svcOrchSpec"] = json!({"env": five()});
    let (result, seen) = decide(&object);
    assert_eq!((seen.outcome, &result), (Outcome::TracedByHand, &object));
    assert_eq!(record(&result), None);
    assert!(seen.notes.is_empty(), "{seen:?}");
}
