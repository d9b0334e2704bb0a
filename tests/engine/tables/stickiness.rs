//! Injected values stay as they are until the user changes something.

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, RECORD, Setting};
use serde_json::{Value, json};

use super::{Outcome, decide_as, inject, names, predictor, sdep, traced, update};

fn other_config() -> Config {
    let mut config = Config::default();
    config.defaults.set(Setting::AgentPort, "6831");
    config.defaults.set(Setting::Tags, "env=prod");
    config.targets.init_containers = true;
    config
}

fn update_as(object: &Value, old: &Value) -> (Value, super::Seen) {
    decide_as(object, Some(old), &other_config(), &Context::default())
}

#[test]
fn a_new_config_changes_nothing_until_the_spec_changes() {
    let result = inject(&traced(&json!([])));
    let (same, seen) = update_as(&result, &result);
    assert_eq!((&same, seen.outcome), (&result, Outcome::Unchanged));

    let edits: [fn(&mut Value); 6] = [
        |object| object["spec"]["predictors"][0]["replicas"] = json!(2),
        |object| {
            object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["image"] =
                json!("m:2");
        },
        |object| object["spec"]["predictors"][0]["graph"]["name"] = json!("other"),
        |object| object["spec"]["annotations"] = json!({"a": "b"}),
        |object| object["metadata"]["annotations"]["tracing.seldon.io/agent-host"] = json!("j"),
        |object| object["metadata"]["annotations"]["tracing"] = json!("TRUE"),
    ];
    for (at, edit) in edits.iter().enumerate() {
        let mut edited = result.clone();
        edit(&mut edited);
        let (fresh, seen) = update_as(&edited, &result);
        assert_eq!(
            predictor(&fresh)["svcOrchSpec"]["env"]
                .as_array()
                .unwrap()
                .len(),
            6,
            "edit {at}: {seen:?}"
        );
    }
    let mut edited = result.clone();
    edited["metadata"]["annotations"]["unrelated"] = json!("x");
    edited["metadata"]["labels"] = json!({"a": "b"});
    edited["status"] = json!({"state": "Available"});
    assert_eq!(update_as(&edited, &result).0, edited);
}

#[test]
fn a_manifest_that_is_applied_again_gets_back_what_was_there() {
    for original in [
        traced(&json!([{"name": "A", "value": "b"}])),
        sdep(
            &json!({"tracing": "true", "tracing.seldon.io/config-map": "cm"}),
            &json!({"graph": {"name": "a#2", "implementation": "SKLEARN_SERVER"}}),
        ),
        sdep(
            &json!({"tracing": "true"}),
            &json!({"explainer": {"type": "A", "containerSpec": {}}, "componentSpecs": [{"spec": {"containers": [{"name": "x"}, {"name": "x"}]}}]}),
        ),
    ] {
        let stored = inject(&original);
        let (result, seen) = update_as(&original, &stored);
        assert_eq!((&result, seen.outcome), (&stored, Outcome::Injected));
        // A three-way merge keeps our annotation and drops our variables from lists that it replaces.
        let mut merged = original.clone();
        merged["metadata"]["annotations"][RECORD] =
            stored["metadata"]["annotations"][RECORD].clone();
        assert_eq!(update_as(&merged, &stored).0, stored);
    }
}

#[test]
fn what_stood_between_the_users_entries_goes_back_between_them() {
    let original = traced(&json!([{"name": "A", "value": "1"}]));
    let mut stored = inject(&original);
    let env = stored["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"]
        .as_array_mut()
        .unwrap();
    env.push(json!({"name": "B", "value": "2"}));
    let stored = inject(&stored);
    let applied = traced(&json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]));
    assert_eq!(update(&applied, &stored).0, stored);
}

#[test]
fn a_stub_between_the_users_containers_is_settled_when_it_is_back() {
    let containers = |list: Value| {
        sdep(
            &json!({"tracing": "true"}),
            &json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}, "componentSpecs": [{"spec": {"containers": list}}]}),
        )
    };
    let mut stored = inject(&containers(
        json!([{"name": "a", "env": [{"name": "TRACING", "value": "1"}]}]),
    ));
    let list = stored["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"]
        .as_array_mut()
        .unwrap();
    list.push(json!({"name": "b", "env": [{"name": "JAEGER_CONFIG_PATH", "value": "/x"}]}));
    let stored = inject(&stored);
    let applied = containers(
        json!([{"name": "a", "env": [{"name": "TRACING", "value": "1"}]}, {"name": "b", "env": [{"name": "JAEGER_CONFIG_PATH", "value": "/x"}]}]),
    );
    let (result, _) = update(&applied, &stored);
    assert_eq!(result, stored);
}

#[test]
fn a_variable_that_the_user_took_out_is_not_restored() {
    let stored = inject(&traced(&json!([])));
    let mut edited = stored.clone();
    let env = edited["spec"]["predictors"][0]["svcOrchSpec"]["env"]
        .as_array_mut()
        .unwrap();
    env.remove(0);
    let (result, _) = update(&edited, &stored);
    assert_eq!(
        names(&predictor(&result)["svcOrchSpec"]["env"]),
        super::FIVE[1..]
    );
    assert_eq!(update(&result, &result).0, result);
}

#[test]
fn opting_out_is_not_sticky() {
    let original = traced(&json!([]));
    let stored = inject(&original);
    for value in [Some("false"), None] {
        let mut edited = stored.clone();
        let annotations = edited["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.remove("tracing");
        annotations.extend(value.map(|value| ("tracing".to_owned(), json!(value))));
        let (result, seen) = update(&edited, &stored);
        assert_eq!(seen.outcome, Outcome::Removed);
        assert_eq!(result["spec"], original["spec"]);
        assert!(result["metadata"]["annotations"].get(RECORD).is_none());
    }
}

#[test]
fn a_container_that_another_webhook_puts_back_is_restored_by_the_second_call() {
    let sidecar = json!({"name": "sidecar", "image": "s:1"});
    let containers = "/spec/predictors/0/componentSpecs/0/spec/containers";
    let add = |object: &Value| {
        let mut object = object.clone();
        let list = object.pointer_mut(containers).unwrap();
        list.as_array_mut().unwrap().push(sidecar.clone());
        object
    };
    let manifest = traced(&json!([]));
    let stored = inject(&add(&manifest));
    // The manifest is applied again: it has neither the sidecar nor our variables, but kubectl keeps the record.
    let mut applied = manifest;
    applied["metadata"]["annotations"] = stored["metadata"]["annotations"].clone();
    let first = update(&applied, &stored).0;
    let second = update(&add(&first), &stored).0;
    assert_eq!(second, stored);
}

/// Writes an object while the config has changed, twice for one write, and gives what is stored.
fn write_as(object: &Value, old: &Value) -> Value {
    let (stored, first) = update_as(object, old);
    assert_eq!(first.reasons, ["restored"]);
    assert_eq!(update_as(&stored, old).0, stored, "the second call");
    stored
}

#[test]
fn an_earlier_object_that_is_put_back_keeps_what_it_has_where_the_config_excludes_it_now() {
    let mut config = other_config();
    let names = "model,seldon-container-engine";
    config.defaults.set(Setting::ExcludeContainers, names);
    let write_as =
        |object: &Value, old: &Value| decide_as(object, Some(old), &config, &Context::default()).0;
    let earlier = inject(&traced(&json!([])));
    let mut edited = earlier.clone();
    let env = "/spec/predictors/0/componentSpecs/0/spec/containers/0/env";
    let entries = edited.pointer_mut(env).unwrap().as_array_mut().unwrap();
    entries.retain(|entry| entry["name"] != "TRACING");
    let stored = update(&edited, &earlier).0;
    assert_ne!(stored["metadata"], earlier["metadata"]);
    assert_eq!(write_as(&earlier, &stored), earlier);
    // What the user changes beside it is decided by the config.
    let mut changed = earlier.clone();
    changed["spec"]["predictors"][0]["replicas"] = json!(2);
    let first = write_as(&changed, &stored);
    assert!(first["metadata"]["annotations"].get(RECORD).is_none());
    assert_eq!(write_as(&first, &stored), first);
}

#[test]
fn the_second_call_knows_as_restored_what_found_no_room_for_a_volume() {
    let annotations = json!({"tracing": "true", "tracing.seldon.io/config-map": "cm"});
    let pod = json!({"containers": [{"name": "model", "image": "m:1"}]});
    let manifest = sdep(&annotations, &json!({"componentSpecs": [{"spec": pod}]}));
    // During an outage the manifest is applied again, with a volume of the user's under the name of ours.
    let mut applied = manifest.clone();
    applied["metadata"]["annotations"] = inject(&manifest)["metadata"]["annotations"].clone();
    let pod = &mut applied["spec"]["predictors"][0]["componentSpecs"][0]["spec"];
    pod["volumes"] = json!([{"name": "seldon-tracing-config", "emptyDir": {}}]);
    let mut emptied = applied.clone();
    emptied["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["volumeMounts"] =
        json!([]);
    for applied in [applied, emptied] {
        let stored = write_as(&applied, &applied);
        assert_eq!(
            names(&super::container(&stored)["env"]),
            ["TRACING", "JAEGER_AGENT_HOST", "JAEGER_AGENT_PORT"]
        );
    }
}

#[test]
fn the_second_call_leaves_the_record_of_a_stub_that_was_written_anew() {
    let graph = json!({"name": "m", "implementation": "SKLEARN_SERVER"});
    let mut manifest = sdep(&json!({"tracing": "true"}), &json!({"graph": graph}));
    // The stub stood there before its mount, which is created by itself.
    let mut old = inject(&manifest);
    for object in [&mut old, &mut manifest] {
        object["metadata"]["annotations"]["tracing.seldon.io/config-map"] = json!("cm");
    }
    let old = inject(&old);
    let restored = write_as(&manifest, &old);
    assert_eq!(restored["spec"], old["spec"]);
}

#[test]
fn the_second_call_knows_as_restored_what_needs_annotations_again() {
    let traced = json!({"annotations": {"tracing": "true"}});
    let manifest = sdep(&json!({"team": "a"}), &traced);
    let stored = inject(&manifest);
    let mut applied = manifest;
    applied["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    let restored = write_as(&applied, &stored);
    assert_eq!(restored["spec"], stored["spec"]);
    assert_eq!(super::uninject(&restored), applied);
}

#[test]
fn a_structure_that_the_user_emptied_is_the_users_when_a_stub_goes_back_into_it() {
    let graph = json!({"name": "m", "implementation": "SKLEARN_SERVER"});
    let manifest = sdep(&json!({"tracing": "true"}), &json!({"graph": graph}));
    let stored = inject(&manifest);
    for emptied in [
        json!([]),
        json!([{}]),
        json!([{"spec": {}}]),
        json!([{"spec": {"containers": []}}]),
    ] {
        // During an outage.
        let mut edited = stored.clone();
        edited["spec"]["predictors"][0]["componentSpecs"] = emptied.clone();
        let restored = write_as(&edited, &edited);
        assert_eq!(super::container(&restored), super::container(&stored));
        let taken_out = super::uninject(&restored);
        assert_eq!(predictor(&taken_out)["componentSpecs"], emptied);
    }
}

#[test]
fn an_orchestrator_that_the_user_emptied_is_the_users() {
    let manifest = traced(&json!([]));
    let stored = inject(&manifest);
    for emptied in [json!({}), json!({"env": []})] {
        let mut edited = stored.clone();
        edited["spec"]["predictors"][0]["svcOrchSpec"] = emptied;
        // During an outage, and at once.
        for old in [&edited, &stored] {
            let (filled, _) = update(&edited, old);
            assert_eq!(update(&filled, old).0, filled, "the second call");
            assert!(!filled["spec"]["predictors"][0]["svcOrchSpec"]["env"][0].is_null());
            // The list was created for ours, and goes with them.
            let taken_out = super::uninject(&filled);
            assert_eq!(predictor(&taken_out)["svcOrchSpec"], json!({}));
        }
    }
}
