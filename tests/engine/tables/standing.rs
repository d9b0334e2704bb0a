//! Where a stored object is against what it asks for.

use std::collections::BTreeSet;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Asker, Assessment, Namespace, RECORD, Standing, assess};
use serde_json::{Value, json};

use super::{inject, sdep, traced};
use crate::support::fixtures::example_objects;

fn config(port: &str) -> Config {
    let text = format!(
        "defaults: {{agentPort: {port}}}\nprofiles: {{sampled: {{samplerType: const, samplerParam: 0}}}}"
    );
    Config::read(&text).unwrap()
}

fn assessed(object: &Value, port: &str, namespace: Namespace) -> Assessment {
    assess(object.to_string().as_bytes(), &config(port), namespace).unwrap()
}

const fn default(on: bool) -> Namespace {
    if on { Namespace::On } else { Namespace::Off }
}

fn with(mut object: Value, edit: impl FnOnce(&mut Value)) -> Value {
    edit(&mut object);
    object
}

fn annotate(object: Value, key: &str, value: &str) -> Value {
    with(object, |it| {
        it["metadata"]["annotations"][key] = json!(value);
    })
}

fn without(object: Value, key: &str) -> Value {
    with(object, |it| {
        let annotations = it["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.remove(key);
    })
}

/// With the five variables of Seldon's documentation in both of its targets.
fn documented() -> Value {
    let mut object = inject(&traced(&json!([])));
    object["metadata"]["annotations"] = json!({"tracing": "true"});
    object
}

/// An object, whether its namespace has the label, and what is said of it: standing, targets that have the variables, all targets, why.
type Row = (
    &'static str,
    Value,
    Namespace,
    Standing,
    [usize; 2],
    &'static str,
);

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn rows() -> Vec<Row> {
    use Standing::{Leftover, Missing, Off, Outdated, Problem, Traced, TracedByHand};
    let asks = traced(&json!([]));
    let stored = inject(&asks);
    let silent = without(asks.clone(), "tracing");
    let by_hand = json!([{"name": "TRACING", "value": "1"}]);
    let stale = with(asks.clone(), |it| {
        it["metadata"]["annotations"][RECORD] = stored["metadata"]["annotations"][RECORD].clone();
    });
    let grown = with(stored.clone(), |it| {
        let list = &mut it["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"];
        list.as_array_mut().unwrap().push(json!({"name": "late"}));
    });
    vec![
        (
            "as it should be",
            stored.clone(),
            Namespace::Off,
            Traced,
            [2, 2],
            "",
        ),
        (
            "written during an outage",
            asks.clone(),
            Namespace::Off,
            Missing,
            [0, 2],
            "no variables in model, orchestrator",
        ),
        (
            "applied again during an outage",
            stale.clone(),
            Namespace::Off,
            Missing,
            [0, 2],
            "no variables in model, orchestrator",
        ),
        (
            "an empty record",
            annotate(asks.clone(), RECORD, "{}"),
            Namespace::Off,
            Missing,
            [0, 2],
            "no variables in model, orchestrator",
        ),
        (
            "turned off during an outage",
            annotate(stored.clone(), "tracing", "false"),
            Namespace::Off,
            Leftover,
            [2, 2],
            "the tracing annotation is false",
        ),
        (
            "no longer asked for",
            without(stored.clone(), "tracing"),
            Namespace::Off,
            Leftover,
            [2, 2],
            "no tracing annotation",
        ),
        (
            "only the record is left",
            without(stale, "tracing"),
            Namespace::Off,
            Leftover,
            [0, 0],
            "no tracing annotation",
        ),
        (
            "by the namespace",
            without(stored.clone(), "tracing"),
            Namespace::On,
            Traced,
            [2, 2],
            "",
        ),
        (
            "by a namespace that is not known",
            without(stored.clone(), "tracing"),
            Namespace::Unknown,
            Traced,
            [2, 2],
            "",
        ),
        (
            "never by the namespace",
            silent.clone(),
            Namespace::On,
            Missing,
            [0, 2],
            "no variables in model, orchestrator",
        ),
        (
            "a container more, during an outage",
            grown,
            Namespace::Off,
            Outdated,
            [2, 3],
            "TRACING, JAEGER_AGENT_HOST, JAEGER_AGENT_PORT, JAEGER_SAMPLER_TYPE, JAEGER_SAMPLER_PARAM would change",
        ),
        (
            "not asked for",
            silent.clone(),
            Namespace::Off,
            Off,
            [0, 0],
            "no tracing annotation",
        ),
        (
            "opted out",
            annotate(silent.clone(), "tracing", "false"),
            Namespace::On,
            Off,
            [0, 0],
            "the tracing annotation is false",
        ),
        (
            "being deleted",
            with(asks.clone(), |it| {
                it["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }),
            Namespace::Off,
            Off,
            [0, 0],
            "the object has a deletionTimestamp, so it is not changed",
        ),
        (
            "by hand",
            documented(),
            Namespace::Off,
            TracedByHand,
            [2, 2],
            "you set the tracing variables",
        ),
        (
            "by hand, not all of them",
            with(traced(&by_hand), |it| {
                it["spec"]["predictors"][0]["svcOrchSpec"] = json!({"env": by_hand});
            }),
            Namespace::Off,
            Missing,
            [2, 2],
            "no variables in model, orchestrator",
        ),
        (
            "turned off by hand",
            sdep(
                &json!({"tracing": "true"}),
                &json!({"svcOrchSpec": {"env": [{"name": "TRACING", "value": "0"}]}}),
            ),
            Namespace::Off,
            Off,
            [0, 0],
            "you turned tracing off here with TRACING=0 or JAEGER_DISABLED",
        ),
        (
            "an unknown value",
            annotate(stored.clone(), "tracing", "yes"),
            Namespace::Off,
            Problem,
            [2, 2],
            "unknown-trigger-value: metadata.annotations.tracing: \"yes\" is unknown; allowed: \"true\", \"false\", \"sampled\"",
        ),
        (
            "a label instead of an annotation",
            with(silent, |it| {
                it["metadata"]["labels"] = json!({"tracing": "true"});
            }),
            Namespace::Off,
            Problem,
            [0, 0],
            "misplaced-trigger",
        ),
        (
            "a setting that does not exist",
            annotate(stored.clone(), "tracing.seldon.io/agent-prt", "1"),
            Namespace::Off,
            Problem,
            [2, 2],
            "unknown-setting",
        ),
        (
            "a record that cannot be read, and nothing else",
            annotate(asks, RECORD, "?"),
            Namespace::Off,
            Missing,
            [0, 2],
            "no variables in model, orchestrator",
        ),
        (
            "a record that was damaged",
            annotate(stored, RECORD, "?"),
            Namespace::Off,
            Problem,
            [2, 2],
            "record-unreadable",
        ),
        (
            "not an object",
            json!([]),
            Namespace::Off,
            Problem,
            [0, 0],
            "odd-type",
        ),
    ]
}

#[test]
fn an_object_has_the_first_standing_that_holds() {
    let mut seen = BTreeSet::new();
    for (what, object, namespace, standing, targets, why) in rows() {
        let found = assessed(&object, "5775", namespace);
        assert_eq!(found.standing, standing, "{what}: {found:?}");
        assert_eq!([found.traced, found.targets], targets, "{what}: {found:?}");
        assert!(found.why.starts_with(why), "{what}: {found:?}");
        assert_eq!(found.why.is_empty(), standing == Standing::Traced, "{what}");
        seen.insert(standing);
    }
    assert_eq!(seen, BTreeSet::from(Standing::ALL), "each has a row");
}

#[test]
fn it_is_outdated_once_the_config_gives_something_else() {
    let stored = inject(&traced(&json!([])));
    let found = assessed(&stored, "6831", Namespace::Off);
    assert_eq!(found.standing, Standing::Outdated);
    assert_eq!(found.why, "JAEGER_AGENT_PORT would change");
    // What is missing comes first, for the next write brings it.
    let lacking = traced(&json!([]));
    assert_eq!(
        assessed(&lacking, "6831", Namespace::Off).standing,
        Standing::Missing
    );
}

#[test]
fn where_the_webhook_is_not_called_nothing_brings_it_up_to_date() {
    let stored = inject(&traced(&json!([])));
    for (object, port, standing) in [
        (traced(&json!([])), "5775", Standing::Problem),
        (
            without(stored.clone(), "tracing"),
            "5775",
            Standing::Problem,
        ),
        (stored.clone(), "6831", Standing::Problem),
        (stored, "5775", Standing::Traced),
        (sdep(&json!({}), &json!({})), "5775", Standing::Off),
    ] {
        let found = assessed(&object, port, Namespace::Excluded);
        assert_eq!(found.standing, standing, "{found:?}");
    }
}

#[test]
fn what_asks_is_told_by_its_place() {
    let places = json!({"tracing": "sampled"});
    let plain = |annotations: Value| sdep(&annotations, &json!({}));
    let spec = with(plain(json!({})), |it| {
        it["spec"]["annotations"] = places.clone();
    });
    let predictor = sdep(&json!({}), &json!({"annotations": places}));
    let two = with(annotate(predictor.clone(), "tracing", "true"), |it| {
        let second = json!({"name": "second", "graph": {"name": "m"}});
        it["spec"]["predictors"]
            .as_array_mut()
            .unwrap()
            .push(second);
    });
    for (object, namespace, asked_by) in [
        (plain(places.clone()), false, vec![Asker::Annotation]),
        (spec, false, vec![Asker::SpecAnnotation]),
        (predictor, true, vec![Asker::Predictor]),
        (plain(json!({})), true, vec![Asker::Namespace]),
        (two, false, vec![Asker::Predictor, Asker::Annotation]),
        (plain(json!({})), false, vec![]),
        (plain(json!({"tracing": "false"})), true, vec![]),
        (plain(json!({"tracing": "?"})), true, vec![]),
    ] {
        assert_eq!(
            assessed(&object, "5775", default(namespace)).asked_by,
            asked_by,
            "{object}"
        );
    }
}

/// A write without a change, which is what the controller does, leaves nothing missing and nothing over.
#[test]
fn the_next_write_brings_what_is_missing_and_takes_what_is_left_over() {
    let mut repaired = 0;
    let objects = example_objects().into_iter().map(|(_, object)| object);
    let objects = objects.chain(rows().into_iter().map(|row| row.1));
    for object in objects {
        let mut now = object.clone();
        for namespace in [false, true] {
            for _ in 0..2 {
                let found = assessed(&now, "5775", default(namespace));
                if matches!(found.standing, Standing::Missing | Standing::Leftover) {
                    let context = seldon_tracing::inject::Context {
                        namespace_default: namespace,
                        ..Default::default()
                    };
                    now = super::decide_as(&now, Some(&now), &config("5775"), &context).0;
                    repaired += 1;
                }
            }
            let found = assessed(&now, "5775", default(namespace));
            assert!(
                !matches!(found.standing, Standing::Missing | Standing::Leftover),
                "{found:?}: {now}"
            );
        }
    }
    assert!(repaired >= 27, "{repaired}");
}
