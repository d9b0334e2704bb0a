//! We can remove all that we added, and nothing else.

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, MAX_RECORD, RECORD, Setting, Task, Variable};
use serde_json::{Value, json};

use super::{
    Outcome, container, decide, decide_as, decide_with, inject, names, predictor, record, sdep,
    traced, uninject,
};

fn env(object: &mut Value) -> &mut Vec<Value> {
    let env =
        &mut object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"];
    env.as_array_mut().unwrap()
}

fn opted_out(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"]["annotations"]["tracing"] = json!("false");
    inject(&object)
}

#[test]
fn a_variable_that_the_user_changed_is_the_users() {
    let mut object = inject(&traced(&json!([])));
    env(&mut object)[2]["value"] = json!("6831");
    let (result, seen) = decide(&object);
    assert_eq!(
        seen.choice("container model", Variable::AgentPort),
        "user-changed"
    );
    assert_eq!(
        seen.choice("container model", Variable::AgentHost),
        "pair-user-set",
        "the other half was ours and goes"
    );
    let said = seen.notes.iter();
    let of_host = said.filter(|note| note.starts_with("port-without-host "));
    assert_eq!(of_host.count(), 1, "{:?}", seen.notes);
    assert_eq!(
        names(&container(&result)["env"]),
        [
            "TRACING",
            "JAEGER_AGENT_PORT",
            "JAEGER_SAMPLER_TYPE",
            "JAEGER_SAMPLER_PARAM"
        ]
    );
    assert_eq!(decide(&result).1.outcome, Outcome::Unchanged);
    assert_eq!(
        container(&opted_out(&object))["env"],
        json!([{"name": "JAEGER_AGENT_PORT", "value": "6831"}])
    );
}

#[test]
fn a_variable_that_the_user_took_out_stays_out() {
    let mut object = inject(&traced(&json!([])));
    env(&mut object).remove(0);
    let (result, seen) = decide(&object);
    assert_eq!(
        seen.choice("container model", Variable::Tracing),
        "user-removed"
    );
    assert_eq!(names(&container(&result)["env"]), super::FIVE[1..]);
    assert!(record(&result).unwrap().contains("\"omit\":[\"TRACING\"]"));
    assert_eq!(inject(&result), result);
    // Without any of ours it is a manifest that never had them, which says nothing about one.
    env(&mut object).clear();
    assert_eq!(names(&container(&inject(&object))["env"]), super::FIVE);
}

#[test]
fn a_target_in_which_no_pair_is_whole_has_lost_all_of_ours() {
    let stored = inject(&traced(&json!([])));
    let mut object = stored.clone();
    env(&mut object).retain(|entry| entry["name"] == "JAEGER_AGENT_PORT");
    let result = inject(&object);
    assert_eq!(container(&result)["env"].as_array().unwrap().len(), 5);
    assert_eq!(inject(&result), result);
    let mut object = stored.clone();
    env(&mut object).retain(|entry| entry["name"] != "JAEGER_AGENT_HOST");
    let (result, _) = super::update(&object, &stored);
    assert_eq!(
        names(&container(&result)["env"]),
        ["TRACING", "JAEGER_SAMPLER_TYPE", "JAEGER_SAMPLER_PARAM"],
        "both or neither, in an update too"
    );
}

#[test]
fn what_the_user_put_beside_ours_stays() {
    let original = sdep(
        &json!({"tracing": "true"}),
        &json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}}),
    );
    let mut object = inject(&original);
    env(&mut object).insert(0, json!({"name": "MINE", "value": "1"}));
    let result = opted_out(&object);
    assert_eq!(
        *container(&result),
        json!({"name": "m", "env": [{"name": "MINE", "value": "1"}]}),
        "a container that has something of the user's"
    );
    assert!(predictor(&result).get("svcOrchSpec").is_none());

    let mut object = inject(&original);
    object["spec"]["predictors"][0]["svcOrchSpec"]["resources"] = json!({});
    object["spec"]["predictors"][0]["componentSpecs"][0]["metadata"] = json!({});
    let result = opted_out(&object);
    assert_eq!(predictor(&result)["svcOrchSpec"], json!({"resources": {}}));
    assert_eq!(
        predictor(&result)["componentSpecs"],
        json!([{"metadata": {}}])
    );
}

#[test]
fn a_stub_that_the_user_made_a_container_keeps_what_is_the_users() {
    let mut object = inject(&sdep(
        &json!({"tracing": "true"}),
        &json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}}),
    ));
    object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["image"] =
        json!("mine:1");
    let (result, seen) = decide(&object);
    assert_eq!(seen.notes_of("own-container"), 1);
    assert_eq!(names(&container(&result)["env"]), super::FIVE);
    assert_eq!(
        *container(&uninject(&result)),
        json!({"name": "m", "image": "mine:1"})
    );
}

#[test]
fn stubs_follow_the_graph() {
    let graph = |names: &[&str]| json!({"name": "r", "implementation": "SIMPLE_ROUTER", "children": names.iter().map(|name| json!({"name": name, "implementation": "SKLEARN_SERVER"})).collect::<Value>()});
    let mut object = inject(&sdep(
        &json!({"tracing": "true"}),
        &json!({"graph": graph(&["a", "b"])}),
    ));
    for order in [
        &["a", "b", "c"][..],
        &["c", "a"],
        &["a"],
        &["b"],
        &["b", "a"],
        &[],
    ] {
        object["spec"]["predictors"][0]["graph"] = graph(order);
        object = inject(&object);
        assert_eq!(
            names(&predictor(&object)["componentSpecs"][0]["spec"]["containers"]),
            order
        );
        assert_eq!(
            object,
            inject(&sdep(
                &json!({"tracing": "true"}),
                &json!({"graph": graph(order)})
            ))
        );
    }
}

#[test]
fn records_that_are_not_ours_are_ignored_with_a_warning() {
    let good = inject(&traced(&json!([])));
    let text = record(&good).unwrap().to_owned();
    for bad in [
        json!("{}"),
        json!("not json"),
        json!(""),
        json!(null),
        json!(7),
        json!(text.replacen("\"v\":1", "\"v\":2", 1)),
        json!(text.replacen("TRACING", "PATH", 1)),
        json!(text.replacen("5775", "0", 1)),
        json!(text[..text.len() - 1]),
        json!(format!("{text}{}", " ".repeat(200 * 1024))),
    ] {
        for trigger in ["false", "true"] {
            let mut object = good.clone();
            object["metadata"]["annotations"][RECORD] = bad.clone();
            object["metadata"]["annotations"]["tracing"] = json!(trigger);
            let (result, seen) = decide(&object);
            assert_eq!(seen.notes_of("record-unreadable"), 1, "{bad}");
            assert_eq!(
                result["spec"], good["spec"],
                "what is there counts as the user's"
            );
            let expected = match trigger {
                "true" => Outcome::TracedByHand,
                _ => Outcome::Skipped,
            };
            assert_eq!(decide(&result).1.outcome, expected);
        }
    }
}

#[test]
fn a_copied_record_claims_nothing_that_is_not_there_unchanged() {
    let text = json!(record(&inject(&traced(&json!([])))).unwrap());
    for env in [
        json!([{"name": "TRACING", "value": "0"}, {"name": "JAEGER_AGENT_PORT", "value": "6831"}]),
        json!([{"name": "TRACING", "value": "1", "extra": true}]),
        json!([{"name": "JAEGER_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP", "apiVersion": "v1"}}}]),
        json!([{"name": "TRACING", "value": "1", "valueFrom": null}]),
        json!([{"name": "PATH", "value": "1"}]),
    ] {
        let mut object = traced(&env);
        object["metadata"]["annotations"] = json!({"tracing": "false", RECORD: text});
        let result = inject(&object);
        assert_eq!(result["spec"], object["spec"], "{env}");
        assert_eq!(record(&result), None);
    }
}

#[test]
fn the_record_of_many_containers_with_tags_of_their_own_is_short() {
    let containers: Value = (0..20)
        .map(|at| json!({"name": format!("model-{at}")}))
        .collect();
    let annotations =
        json!({"tracing": "true", "tracing.seldon.io/tags": "model={name},container={container}"});
    let object = sdep(
        &annotations,
        &json!({"componentSpecs": [{"spec": {"containers": containers}}]}),
    );
    let result = inject(&object);
    let length = record(&result).unwrap().len();
    assert!(length < 2400, "{length}");
    assert_eq!(inject(&result), result);
    assert_eq!(uninject(&result), object);
}

#[test]
fn an_object_that_needs_too_large_a_record_is_left_alone() {
    let containers: Value = (0..1500)
        .map(|at| json!({"name": format!("container-with-a-rather-long-name-{at}")}))
        .collect();
    let object = sdep(
        &json!({"tracing": "true", "tracing.seldon.io/tags": "c={container}"}),
        &json!({"componentSpecs": [{"spec": {"containers": containers}}]}),
    );
    let (result, seen) = decide(&object);
    assert_eq!((&result, seen.outcome), (&object, Outcome::Skipped));
    assert_eq!(seen.notes_of("record-too-large"), 1);
    let few = sdep(&json!({"tracing": "true"}), &json!({}));
    assert!(record(&inject(&few)).unwrap().len() < MAX_RECORD / 100);
}

#[test]
fn another_config_map_takes_the_place_of_the_first() {
    let mut config = Config::default();
    let object = sdep(
        &json!({"tracing": "true"}),
        &json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}}),
    );
    let mut result = object.clone();
    for name in ["one", "two/x.yml", "two/y.yml", "", "one"] {
        config.defaults.set(Setting::ConfigMap, name);
        result = decide_with(&result, &config).0;
        assert_eq!(
            result["spec"],
            decide_with(&object, &config).0["spec"],
            "{name}"
        );
    }
    assert_eq!(uninject(&result), object);
}

#[test]
fn lists_that_came_with_a_stub_go_with_it() {
    for pod in [
        json!({}),
        json!({"nodeSelector": {}}),
        json!({"containers": [{"name": "own", "env": [{"name": "JAEGER_CONFIG_PATH", "value": "/x"}]}]}),
    ] {
        let object = sdep(
            &json!({"tracing": "true", "tracing.seldon.io/config-map": "cm"}),
            &json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}, "componentSpecs": [{"spec": pod}]}),
        );
        assert_eq!(uninject(&inject(&object)), object);
    }
}

#[test]
fn a_trigger_of_ours_is_taken_out_and_one_of_the_users_is_not() {
    let trigger = Context {
        task: Task::Trigger("true"),
        ..Context::default()
    };
    for annotations in [json!({}), json!({"team": "mine"})] {
        let object = sdep(&annotations, &json!({}));
        let (result, _) = decide_as(&object, None, &Config::default(), &trigger);
        assert_eq!(result["metadata"]["annotations"]["tracing"], "true");
        assert_eq!(inject(&result), result);
        assert_eq!(uninject(&result), object);
        let mut users = result.clone();
        users["metadata"]["annotations"]["tracing"] = json!("false");
        assert_eq!(
            uninject(&users)["metadata"]["annotations"]["tracing"],
            "false"
        );
    }
    let object = sdep(&json!({"tracing": "true"}), &json!({}));
    let (result, _) = decide_as(&object, None, &Config::default(), &trigger);
    assert_eq!(uninject(&result), object);
}

#[test]
fn a_copy_of_a_stub_in_another_pod_is_settled() {
    let object = sdep(
        &json!({"tracing": "true"}),
        &json!({"graph": {"name": "m", "implementation": "SKLEARN_SERVER"}}),
    );
    let mut object = inject(&object);
    let components = &mut object["spec"]["predictors"][0]["componentSpecs"];
    let copy = components[0].clone();
    components.as_array_mut().unwrap().push(copy);
    let result = inject(&object);
    assert_eq!(decide(&result).1.outcome, Outcome::Unchanged, "{result}");
}
