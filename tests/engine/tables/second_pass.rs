//! The webhook accepts what it wrote: a second call for the same write changes nothing, and every patch applies.

use seldon_tracing::config::Config;
use seldon_tracing::inject::Context;
use serde_json::{Value, json};

use super::{container, decide_as, inject, names, predictor, record, sdep, traced, update};

const R: &str = "tracing.seldon.io/injected";

/// Calls the webhook twice for one write, and gives what is stored.
fn write(object: &Value, old: &Value) -> Value {
    let (stored, first) = update(object, old);
    assert_eq!(first.notes_of("record-unreadable"), 0);
    let (again, second) = update(&stored, old);
    assert_eq!(
        again, stored,
        "the second call for the same write: {second:?}"
    );
    let (again, second) = update(&stored, &stored);
    assert_eq!(
        again, stored,
        "the next write that changes nothing: {second:?}"
    );
    assert_eq!(second.notes_of("record-unreadable"), 0);
    stored
}

fn env(object: &mut Value) -> &mut Vec<Value> {
    object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"]
        .as_array_mut()
        .unwrap()
}

fn set_trigger(object: &mut Value, value: Option<&str>) {
    let annotations = object["metadata"]["annotations"].as_object_mut().unwrap();
    match value {
        Some(value) => annotations.insert("tracing".to_owned(), json!(value)),
        None => annotations.remove("tracing"),
    };
}

#[test]
fn half_a_pair_that_the_user_removed_takes_the_other_half_with_it() {
    for (half, other) in [
        ("JAEGER_SAMPLER_PARAM", "JAEGER_SAMPLER_TYPE"),
        ("JAEGER_SAMPLER_TYPE", "JAEGER_SAMPLER_PARAM"),
        ("JAEGER_AGENT_HOST", "JAEGER_AGENT_PORT"),
        ("JAEGER_AGENT_PORT", "JAEGER_AGENT_HOST"),
    ] {
        let stored = inject(&traced(&json!([])));
        let mut edited = stored.clone();
        env(&mut edited).retain(|entry| entry["name"] != half);
        let stored = write(&edited, &stored);
        let left = names(&container(&stored)["env"]);
        assert!(!left.contains(&half) && !left.contains(&other), "{left:?}");
        assert_eq!(left.len(), 3);
        let mut out = stored.clone();
        set_trigger(&mut out, None);
        let out = write(&out, &stored);
        assert_eq!(
            (names(&container(&out)["env"]).len(), record(&out)),
            (0, None)
        );
    }
}

#[test]
fn a_record_that_holds_half_a_pair_is_read_again() {
    let first = inject(&traced(&json!([])));
    let mut typo = first.clone();
    set_trigger(&mut typo, Some("tru"));
    let held = write(&typo, &first);
    let mut by_hand = held.clone();
    for entry in env(&mut by_hand) {
        if entry["name"] == "JAEGER_SAMPLER_PARAM" {
            entry["value"] = json!("0");
        }
    }
    let held = write(&by_hand, &held);
    let mut mended = held.clone();
    set_trigger(&mut mended, Some("true"));
    let mended = write(&mended, &held);
    assert_eq!(
        names(&container(&mended)["env"]),
        [
            "TRACING",
            "JAEGER_AGENT_HOST",
            "JAEGER_AGENT_PORT",
            "JAEGER_SAMPLER_PARAM"
        ]
    );
    // An outage let a write through that mended it.
    let mut unheard = held.clone();
    set_trigger(&mut unheard, Some("true"));
    let healed = write(&unheard, &unheard);
    assert_eq!(healed, mended);
    for from in [held, mended] {
        let mut out = from.clone();
        set_trigger(&mut out, None);
        let out = write(&out, &from);
        assert_eq!(names(&container(&out)["env"]), ["JAEGER_SAMPLER_PARAM"]);
        assert_eq!(
            (predictor(&out).get("svcOrchSpec"), record(&out)),
            (None, None)
        );
    }
}

#[test]
fn half_a_pair_that_was_held_goes_with_its_record_and_a_whole_one_comes() {
    let mut manifest = traced(&json!([]));
    manifest["spec"]["predictors"][0]["annotations"] = json!({"seldon.io/no-engine": "true"});
    let first = inject(&manifest);
    let mut half = first.clone();
    set_trigger(&mut half, Some("tru"));
    env(&mut half).retain(|entry| entry["name"] == "JAEGER_AGENT_PORT");
    let held = write(&half, &first);
    // During an outage the trigger is mended; then a write loses the record.
    let mut mended = held;
    set_trigger(&mut mended, Some("true"));
    let mut lost = mended.clone();
    lost["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(R);
    let stored = write(&lost, &mended);
    assert_eq!(names(&container(&stored)["env"]).len(), 5, "{stored}");
}

#[test]
fn a_port_set_by_hand_during_an_outage_does_not_cost_the_host() {
    let plain = traced(&json!([]));
    let mut asked = plain.clone();
    asked["metadata"]["annotations"]["tracing.seldon.io/agent-port"] = json!("5776");
    let mut old = inject(&asked);
    old["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("tracing.seldon.io/agent-port");
    for path in [
        "/spec/predictors/0/componentSpecs/0/spec/containers/0/env",
        "/spec/predictors/0/svcOrchSpec/env",
    ] {
        for entry in old.pointer_mut(path).unwrap().as_array_mut().unwrap() {
            if entry["name"] == "JAEGER_AGENT_PORT" {
                entry["value"] = json!("5775");
            }
        }
    }
    let stored = write(&plain, &old);
    assert_eq!(names(&container(&stored)["env"]), super::FIVE);
}

#[test]
fn a_copied_record_claims_only_what_is_there() {
    let stored = inject(&traced(&json!([])));
    let mut asked = traced(&json!([]));
    asked["metadata"]["annotations"]["tracing.seldon.io/tags"] = json!("a=b");
    asked["metadata"]["annotations"]["tracing.seldon.io/agent-port"] = json!("6831");
    let other = inject(&asked);
    let mut copied = stored.clone();
    copied["metadata"]["annotations"][R] = other["metadata"]["annotations"][R].clone();
    let healed = write(&copied, &stored);
    assert_eq!(
        healed, stored,
        "the record of what was there before is put back"
    );
}

#[test]
fn what_a_record_with_swapped_names_leaves_empty_is_the_users() {
    let graph = json!({"name": "m", "implementation": "SKLEARN_SERVER"});
    let orchestrator = json!({"env": [{"name": "FOO", "value": "bar"}]});
    let named = json!({"name": "main", "graph": graph, "svcOrchSpec": orchestrator});
    let mut manifest = sdep(&json!({}), &named);
    let predictors = manifest["spec"]["predictors"].as_array_mut().unwrap();
    predictors.push(json!({"name": "canary", "graph": graph}));
    let labelled = Context {
        namespace_default: true,
        ..Context::default()
    };
    let stored = decide_as(&manifest, None, &Config::default(), &labelled).0;
    let mut edited = stored.clone();
    let swapped = record(&stored)
        .unwrap()
        .replace("\"main\"", "\"other\"")
        .replace("\"canary\"", "\"main\"")
        .replace("\"other\"", "\"canary\"");
    edited["metadata"]["annotations"][R] = json!(swapped);
    let left = write(&edited, &stored);
    assert_eq!((record(&left), predictor(&left)), (None, &named));
}

/// `volumes` or `volumeMounts` of another type than a list, where the `ConfigMap` is or would be mounted.
#[test]
fn a_patch_applies_whatever_stands_where_a_list_belongs() {
    let annotations = json!({"tracing": "true", "tracing.seldon.io/config-map": "jaeger"});
    let with_container =
        json!({"componentSpecs": [{"spec": {"containers": [{"name": "m", "image": "x"}]}}]});
    let with_stub = json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}});
    for kind in [with_container, with_stub] {
        let stored = inject(&sdep(&annotations, &kind));
        let pod = "/spec/predictors/0/componentSpecs/0/spec";
        for path in [
            "volumes",
            "containers/0/volumeMounts",
            "containers/0/env",
            "containers",
            "initContainers",
        ] {
            for odd in [
                json!(null),
                json!("x"),
                json!({}),
                json!([]),
                json!(1),
                json!([null]),
                json!(["x"]),
            ] {
                for trigger in [Some("true"), Some("false"), Some("tru"), None] {
                    let mut edited = stored.clone();
                    let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
                    let slash = if parent.is_empty() { "" } else { "/" };
                    edited
                        .pointer_mut(&format!("{pod}{slash}{parent}"))
                        .unwrap()[key] = odd.clone();
                    set_trigger(&mut edited, trigger);
                    for old in [&stored, &edited, &json!({})] {
                        write(&edited, old);
                    }
                }
            }
        }
    }
}

/// A model whose stub a user doubled in its pod, and the model before that.
fn with_doubled_stub(annotations: &Value, edit: fn(&mut Value)) -> (Value, Value) {
    let graph = json!({"name": "m", "implementation": "SKLEARN_SERVER"});
    let no_engine = json!({"seldon.io/no-engine": "true"});
    let manifest = sdep(
        annotations,
        &json!({"graph": graph, "annotations": no_engine}),
    );
    let stored = inject(&manifest);
    let mut doubled = stored.clone();
    let path = "/spec/predictors/0/componentSpecs/0/spec/containers";
    let containers = doubled.pointer_mut(path).unwrap().as_array_mut().unwrap();
    let mut copy = containers[0].clone();
    edit(&mut copy);
    containers.push(copy);
    (doubled, stored)
}

#[test]
fn a_copy_of_a_stub_goes_with_it() {
    let (doubled, stored) = with_doubled_stub(&json!({"tracing": "true"}), |_| ());
    let config = Config::read("trigger: team/trace").unwrap();
    let call = |object| decide_as(object, Some(&stored), &config, &Context::default()).0;
    let left = call(&doubled);
    assert_eq!(
        (predictor(&left).get("componentSpecs"), record(&left)),
        (None, None)
    );
    assert_eq!(call(&left), left);
}

#[test]
fn a_copy_of_a_stub_stays_with_it_whatever_is_taken_out_of_either() {
    let config_map = "tracing.seldon.io/config-map";
    let annotations = json!({"tracing": "true", config_map: "cm"});
    let edits: [fn(&mut Value); 3] = [
        |_| (),
        |copy| {
            let env = copy["env"].as_array_mut().unwrap();
            env.retain(|entry| entry["name"] != "JAEGER_CONFIG_PATH");
        },
        |copy| copy["volumeMounts"] = json!([]),
    ];
    for edit in edits {
        let (mut doubled, stored) = with_doubled_stub(&annotations, edit);
        write(&doubled, &stored);
        let annotations = doubled["metadata"]["annotations"].as_object_mut();
        annotations.unwrap().remove(config_map);
        let written = write(&doubled, &stored);
        assert_eq!(inject(&written), written, "as a CREATE");
        let containers = &predictor(&written)["componentSpecs"][0]["spec"]["containers"];
        assert_eq!(names(containers), ["m", "m"]);
        // While the webhook was away, the user took out the setting and wrote the copy.
        write(&doubled, &doubled);
    }
}
