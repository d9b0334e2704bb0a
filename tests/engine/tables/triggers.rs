//! When a predictor is traced.

use seldon_tracing::config::{Config, Settings};
use seldon_tracing::inject::{Context, Setting};
use serde_json::{Value, json};

use super::{
    Outcome, container, decide, decide_as, decide_with, inject, names, predictor, record, sdep,
    traced,
};

fn at_three_places(spec: Option<&str>, metadata: Option<&str>, predictor: Option<&str>) -> Value {
    let annotations =
        |value: Option<&str>| value.map_or_else(|| json!({}), |value| json!({"tracing": value}));
    let mut object = sdep(
        &annotations(metadata),
        &json!({"annotations": annotations(predictor)}),
    );
    object["spec"]["annotations"] = annotations(spec);
    object
}

#[test]
fn the_strongest_place_decides() {
    for (spec, metadata, predictor, traced) in [
        (None, None, None, false),
        (Some("true"), None, None, true),
        (None, Some("true"), None, true),
        (None, None, Some("true"), true),
        (Some("true"), Some("false"), None, false),
        (Some("false"), Some("true"), None, true),
        (Some("true"), Some("true"), Some("false"), false),
        (Some("false"), Some("false"), Some("true"), true),
    ] {
        let result = inject(&at_three_places(spec, metadata, predictor));
        assert_eq!(
            record(&result).is_some(),
            traced,
            "{spec:?} {metadata:?} {predictor:?}"
        );
    }
}

#[test]
fn a_trigger_says_true_false_or_a_profile() {
    let mut config = Config::default();
    let mut profile = Settings::default();
    profile.set(Setting::AgentPort, "6831");
    config.profiles.insert("sampled".to_owned(), profile);
    for (value, outcome, reason) in [
        (json!("true"), Outcome::Injected, None),
        (json!("TRUE"), Outcome::Injected, None),
        (json!("True"), Outcome::Injected, None),
        (json!("sampled"), Outcome::Injected, None),
        (json!("false"), Outcome::Skipped, None),
        (json!("FALSE"), Outcome::Skipped, None),
        // Allowed, not injected, and told what is allowed.
        (
            json!("Sampled"),
            Outcome::Skipped,
            Some("unknown-trigger-value"),
        ),
        (
            json!("ture"),
            Outcome::Skipped,
            Some("unknown-trigger-value"),
        ),
        (
            json!(" true"),
            Outcome::Skipped,
            Some("unknown-trigger-value"),
        ),
        (json!("1"), Outcome::Skipped, Some("unknown-trigger-value")),
        (json!(""), Outcome::Skipped, Some("unknown-trigger-value")),
        (json!(true), Outcome::Skipped, Some("trigger-not-text")),
        (json!(null), Outcome::Skipped, Some("trigger-not-text")),
        (json!({}), Outcome::Skipped, Some("trigger-not-text")),
    ] {
        let (_, seen) = decide_with(&sdep(&json!({"tracing": value}), &json!({})), &config);
        assert_eq!(seen.outcome, outcome, "{value}");
        assert_eq!(seen.notes.len(), usize::from(reason.is_some()), "{seen:?}");
        if let Some(reason) = reason {
            assert!(
                seen.notes[0].starts_with(&format!("{reason} metadata.annotations[\"tracing\"]"))
                    || seen.notes[0].starts_with(&format!("{reason} metadata.annotations.tracing")),
                "{seen:?}"
            );
            assert!(
                seen.notes[0].contains("allowed: \"true\", \"false\", \"sampled\""),
                "{seen:?}"
            );
        }
    }
    let (result, _) = decide_with(&sdep(&json!({"tracing": "sampled"}), &json!({})), &config);
    assert_eq!(predictor(&result)["svcOrchSpec"]["env"][2]["value"], "6831");
}

#[test]
fn an_unclear_trigger_holds_what_is_there_and_adds_nothing() {
    let mut result = inject(&traced(&json!([])));
    for unclear in [json!("ture"), json!(7)] {
        result["metadata"]["annotations"]["tracing"] = unclear;
        let env =
            result["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"]
                .as_array_mut()
                .unwrap();
        env.retain(|entry| entry["name"] != "JAEGER_AGENT_PORT");
        let (held, seen) = decide(&result);
        assert_eq!(held["spec"], result["spec"]);
        assert_eq!(seen.notes.len(), 1);
        assert!(names(&container(&held)["env"]).contains(&"TRACING"));
    }
}

#[test]
fn a_namespace_can_make_true_the_default() {
    let context = Context {
        namespace_default: true,
        ..Context::default()
    };
    for (annotations, outcome) in [
        (json!({}), Outcome::Injected),
        (json!({"tracing": "false"}), Outcome::Skipped),
        (json!({"tracing": "ture"}), Outcome::Skipped),
    ] {
        let (_, seen) = decide_as(
            &sdep(&annotations, &json!({})),
            None,
            &Config::default(),
            &context,
        );
        assert_eq!(seen.outcome, outcome, "{annotations}");
    }
    let mut bare = sdep(&json!({}), &json!({}));
    bare["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    let (result, _) = decide_as(&bare, None, &Config::default(), &context);
    assert_eq!(
        super::uninject(&result),
        bare,
        "the annotations that were created go too"
    );
}

#[test]
fn an_object_that_is_being_deleted_is_never_touched() {
    // Also not to take something out, for the removal of finalizers must pass.
    let mut object = inject(&traced(&json!([])));
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    object["metadata"]["annotations"]["tracing"] = json!("false");
    let (result, seen) = decide(&object);
    assert_eq!((&result, seen.outcome), (&object, Outcome::Skipped));
    assert_eq!(seen.notes_of("being-deleted"), 1);
    object["metadata"]["deletionTimestamp"] = json!(null);
    assert_eq!(decide(&object).1.outcome, Outcome::Removed);
}

#[test]
fn the_key_is_configurable() {
    let config = Config {
        trigger: "example.com/tr~ace".to_owned(),
        ..Config::default()
    };
    let (result, _) = decide_with(&sdep(&json!({"tracing": "true"}), &json!({})), &config);
    assert_eq!(record(&result), None);
    let (result, _) = decide_with(
        &sdep(&json!({"example.com/tr~ace": "true"}), &json!({})),
        &config,
    );
    assert!(record(&result).is_some());
}

#[test]
fn odd_places_are_skipped_and_said() {
    for (path, note) in [
        (
            "/metadata",
            "odd-type metadata: expected an object, found a string",
        ),
        (
            "/metadata/annotations",
            "odd-type metadata.annotations: expected an object, found a string",
        ),
        ("/spec", "odd-type spec: expected an object, found a string"),
        (
            "/spec/predictors",
            "odd-type spec.predictors: expected a list, found a string",
        ),
        (
            "/spec/predictors/0",
            "odd-type spec.predictors[0]: expected an object, found a string",
        ),
        (
            "/spec/predictors/0/componentSpecs",
            "odd-type spec.predictors[0].componentSpecs: expected a list, found a string",
        ),
        (
            "/spec/predictors/0/componentSpecs/0",
            "odd-type spec.predictors[0].componentSpecs[0]: expected an object, found a string",
        ),
        (
            "/spec/predictors/0/componentSpecs/0/spec/containers/0",
            "odd-type spec.predictors[0].componentSpecs[0].spec.containers[0]: expected an object, found a string",
        ),
        (
            "/spec/predictors/0/componentSpecs/0/spec/containers/0/env",
            "odd-type spec.predictors[0].componentSpecs[0].spec.containers[0].env: expected a list, found a string",
        ),
    ] {
        let mut object = traced(&json!([]));
        *object.pointer_mut(path).unwrap() = json!("odd");
        let (result, seen) = decide(&object);
        assert_eq!(result.pointer(path), Some(&json!("odd")));
        assert_eq!(seen.notes, [note]);
    }
}
