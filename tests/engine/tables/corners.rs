//! Cases in which two rules meet.

use serde_json::json;

use super::*;

#[test]
fn a_config_map_that_came_and_went_leaves_what_an_injection_without_it_makes() {
    let plain = with_container(&json!({"tracing": "true"}), &json!({}));
    let mut asked = plain.clone();
    asked["metadata"]["annotations"]["tracing.seldon.io/config-map"] = json!("cm");
    let mut came = inject(&asked);
    let annotations = came["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.shift_remove("tracing.seldon.io/config-map");
    let went = inject(&came);
    assert_eq!(record(&went), record(&inject(&plain)));
    assert_eq!(uninject(&went), plain);
}

#[test]
fn a_config_map_without_room_is_told_of() {
    let mount = json!({"volumeMounts": [{"name": "etc", "mountPath": "/etc", "readOnly": true}]});
    let annotations = json!({"tracing": "true", "tracing.seldon.io/config-map": "cm"});
    let (_, seen) = decide(&with_container(&annotations, &mount));
    assert_eq!(seen.notes_of("config-map-blocked"), 1, "{seen:?}");
    // An explainer is no place for it, and so there is nothing to tell.
    let explainer = json!({"explainer": {"type": "AnchorTabular", "containerSpec": {"name": "e"}}});
    let (_, seen) = decide(&sdep(&annotations, &explainer));
    assert_eq!(seen.notes_of("config-map-blocked"), 0, "{seen:?}");
}

#[test]
fn a_trigger_may_have_our_own_prefix() {
    let config = Config {
        trigger: "tracing.seldon.io/enabled".to_owned(),
        ..Config::default()
    };
    let annotations = json!({"tracing.seldon.io/enabled": "true"});
    let (result, seen) = decide_with(&with_container(&annotations, &json!({})), &config);
    assert_eq!(seen.notes, Vec::<String>::new());
    assert_eq!(names(&container(&result)["env"]), FIVE);
}

#[test]
fn a_host_without_a_port_is_told_of() {
    let env = json!([{"name": "JAEGER_AGENT_HOST", "value": "jaeger-agent"}]);
    let (_, seen) = decide(&traced(&env));
    assert_eq!(seen.notes_of("host-without-port"), 1, "{seen:?}");
}

#[test]
fn what_env_from_brings_is_told_of() {
    let env_from = json!({"envFrom": [{"secretRef": {"name": "s3"}}]});
    let (_, seen) = decide(&with_container(&json!({"tracing": "true"}), &env_from));
    assert_eq!(seen.notes_of("env-from"), 1, "{seen:?}");
}

#[test]
fn the_orchestrator_can_be_excluded_by_its_name() {
    let annotations = json!({"tracing": "true", "tracing.seldon.io/exclude-containers": "seldon-container-engine"});
    let (result, seen) = decide(&with_container(&annotations, &json!({})));
    assert_eq!(seen.target("orchestrator").left, Some("excluded"));
    assert_eq!(seen.notes_of("excluded-unknown"), 0);
    assert_eq!(predictor(&result).get("svcOrchSpec"), None);
}

#[test]
fn a_name_that_is_no_text_is_told_of() {
    let (_, seen) = decide(&with_container(
        &json!({"tracing": "true"}),
        &json!({"name": false}),
    ));
    assert_eq!(seen.notes_of("odd-type"), 1, "{seen:?}");
}

#[test]
fn an_exclusion_for_all_predictors_need_be_in_one_only() {
    let annotations = json!({"tracing": "true", "tracing.seldon.io/exclude-containers": "other"});
    let mut object = with_container(&annotations, &json!({}));
    let mut second = predictor(&object).clone();
    second["name"] = json!("second");
    second["componentSpecs"][0]["spec"]["containers"][0]["name"] = json!("other");
    object["spec"]["predictors"]
        .as_array_mut()
        .unwrap()
        .push(second);
    let (_, seen) = decide(&object);
    assert_eq!(seen.notes_of("excluded-unknown"), 0, "{seen:?}");
}
