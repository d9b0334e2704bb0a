//! The limits on what is read of an object and on what is added to it.

use seldon_tracing::inject::{MAX_ADDED, MAX_CONTAINERS, MAX_NODES, MAX_PREDICTORS};
use serde_json::{Value, json};

use super::{Outcome, decide, sdep, update};

fn object(annotations: &Value, predictors: &[Value]) -> Value {
    json!({
        "metadata": {"name": "iris", "namespace": "seldon", "annotations": annotations},
        "spec": {"predictors": predictors},
    })
}

fn containers(count: usize) -> Value {
    let containers: Vec<Value> = (0..count)
        .map(|at| json!({"name": format!("c{at}")}))
        .collect();
    json!({"componentSpecs": [{"spec": {"containers": containers}}]})
}

#[test]
fn an_object_over_a_bound_is_left_as_it_is_with_one_warning() {
    let tracing = json!({"tracing": "true"});
    let nodes: Vec<Value> = (0..MAX_NODES).map(|_| json!({"name": "n"})).collect();
    let tags = json!({"tracing": "true", "tracing.seldon.io/tags": format!("a={}{{container}}", "x".repeat(2000))});
    let long =
        json!({"tracing": "true", "tracing.seldon.io/tags": format!("a={}", "x".repeat(2000))});
    let table = [
        (
            "too-many-predictors",
            object(&tracing, &vec![json!({}); MAX_PREDICTORS + 1]),
        ),
        (
            "too-many-targets",
            object(&tracing, &[containers(MAX_CONTAINERS + 1)]),
        ),
        // Each target has a record of its own.
        ("record-too-large", object(&tags, &[containers(100)])),
        // All share one record, but the object would be larger than etcd stores.
        (
            "too-many-targets",
            object(&long, &[containers(MAX_ADDED / 2000 + 10)]),
        ),
    ];
    for (reason, object) in table {
        let (result, seen) = decide(&object);
        assert_eq!(result, object, "{reason}");
        assert_eq!(
            (seen.outcome, seen.notes_of(reason)),
            (Outcome::Skipped, 1),
            "{:?}",
            seen.notes
        );
    }
    // A graph that is too wide costs only its prepackaged servers.
    let wide = sdep(
        &tracing,
        &json!({"graph": {"name": "g", "children": nodes}}),
    );
    let (result, seen) = decide(&wide);
    assert_eq!(seen.notes_of("too-many-targets"), 1, "{:?}", seen.notes);
    assert_ne!(result, wide, "the orchestrator is traced");
}

#[test]
fn an_object_at_a_bound_is_injected() {
    let tracing = json!({"tracing": "true"});
    for object in [
        object(&tracing, &vec![json!({"graph": {}}); MAX_PREDICTORS]),
        object(&tracing, &[containers(MAX_CONTAINERS)]),
    ] {
        let (result, seen) = decide(&object);
        assert_eq!(seen.outcome, Outcome::Injected, "{:?}", seen.notes);
        assert_eq!(update(&result, &result).0, result);
    }
}

#[test]
fn a_template_is_not_expanded_beyond_what_can_be_used() {
    let mut object = sdep(
        &json!({"tracing": "true", "tracing.seldon.io/tags": "a={name}", "tracing.seldon.io/service-name": "{name}"}),
        &containers(1),
    );
    object["metadata"]["name"] = json!("n".repeat(1_000_000));
    let (_, seen) = decide(&object);
    assert_eq!(seen.notes_of("template-unresolved"), 3, "{:?}", seen.notes);
    assert!(seen.notes.iter().all(|note| note.len() < 200));
}
