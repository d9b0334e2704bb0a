//! What is said of an object is true: outcomes and reasons where nothing is injected, and hints for what users mistype.

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Change, Context, Outcome, Plan, Task, Variable};
use serde_json::{Value, json};

use super::{
    FIVE, Seen, container, decide, decide_as, decide_with, inject, names, predictor, sdep, traced,
    with_container,
};

fn on() -> Value {
    json!({"tracing": "true"})
}

/// The variables of Seldon's documentation, as users copy them.
fn by_hand() -> Value {
    json!([
        {"name": "TRACING", "value": "1"},
        {"name": "JAEGER_AGENT_HOST", "value": "jaeger-agent"},
        {"name": "JAEGER_AGENT_PORT", "value": "5775"},
        {"name": "JAEGER_SAMPLER_TYPE", "value": "const"},
        {"name": "JAEGER_SAMPLER_PARAM", "value": "1"},
    ])
}

#[test]
fn a_model_that_is_traced_by_hand_is_said_to_be() {
    let mut object = traced(&by_hand());
    object["spec"]["predictors"][0]["svcOrchSpec"] = json!({"env": by_hand()});
    let (result, seen) = decide(&object);
    assert_eq!(result, object);
    assert_eq!(seen.outcome, Outcome::TracedByHand, "{seen:?}");
    assert_eq!(seen.reasons, ["traced-by-hand"]);
}

#[test]
fn a_model_whose_user_turned_tracing_off_is_said_to_be() {
    let off = json!([{"name": "TRACING", "value": "0"}]);
    let mut object = traced(&off);
    object["spec"]["predictors"][0]["svcOrchSpec"] =
        json!({"env": [{"name": "JAEGER_DISABLED", "value": "true"}]});
    let (result, seen) = decide(&object);
    assert_eq!(result, object);
    assert_eq!(seen.outcome, Outcome::UserDisabled, "{seen:?}");
    assert_eq!(seen.reasons, ["user-disabled"]);
}

#[test]
fn an_object_in_which_nothing_can_be_traced_is_said_to_be() {
    let triton = json!({
        "annotations": {"seldon.io/no-engine": "true"},
        "graph": {"name": "m", "implementation": "TRITON_SERVER"},
    });
    let (_, seen) = decide(&sdep(&on(), &triton));
    assert_eq!(seen.outcome, Outcome::NothingToTrace, "{seen:?}");
    assert_eq!(seen.reasons, ["nothing-to-trace"]);
    assert_eq!(seen.notes_of("server-cannot-trace"), 1);

    let mut empty = sdep(&on(), &json!({}));
    empty["spec"]["predictors"] = json!([]);
    let (_, seen) = decide(&empty);
    assert_eq!(seen.outcome, Outcome::Skipped);
    assert_eq!(seen.notes_of("no-predictors"), 1);
}

#[test]
fn a_part_of_an_object_is_not_written_into() {
    let trigger = Context {
        task: Task::Trigger("true"),
        ..Context::default()
    };
    let uninject = Context {
        task: Task::Uninject,
        ..Context::default()
    };
    let mut patch = sdep(&on(), &json!({}));
    for (spec, place) in [
        (json!({"replicas": 3}), "spec"),
        (json!(null), "spec"),
        (json!({"predictors": null}), "spec"),
        (
            json!({"predictors": [{"name": "p", "replicas": 3}]}),
            "spec.predictors[0]",
        ),
        (
            json!({"predictors": [{"name": "p", "graph": null, "svcOrchSpec": {"env": []}, "componentSpecs": [{"spec": {}}]}]}),
            "spec.predictors[0]",
        ),
    ] {
        patch["spec"] = spec;
        patch["metadata"]["annotations"] = on();
        let (result, seen) = decide(&patch);
        assert_eq!(result, patch);
        assert_eq!(seen.outcome, Outcome::Skipped, "{seen:?}");
        assert_eq!(seen.notes, [format!("partial-object {place}: ")]);
        patch["metadata"]["annotations"] = json!({});
        let (result, seen) = decide_as(&patch, None, &Config::default(), &trigger);
        assert_eq!(result, patch);
        assert_eq!(seen.notes_of("partial-object"), 1, "{seen:?}");
        for quiet in [Context::default(), uninject] {
            let (_, seen) = decide_as(&patch, None, &Config::default(), &quiet);
            assert_eq!(seen.notes_of("partial-object"), 0, "{seen:?}");
        }
    }
    // A predictor that is whole is written into, whatever stands beside it.
    let mut object = traced(&json!([]));
    let predictors = object["spec"]["predictors"].as_array_mut().unwrap();
    predictors.push(json!({"name": "shadow", "replicas": 0}));
    let (result, seen) = decide(&object);
    assert_eq!(seen.reasons, ["injected", "partial-object"]);
    assert_eq!(
        result["spec"]["predictors"][1],
        object["spec"]["predictors"][1]
    );
}

/// Explains an object that is stored.
fn stored(object: &Value, config: &Config, namespace_default: bool) -> Seen {
    let context = Context {
        task: Task::Stored,
        namespace_default,
        ..Context::default()
    };
    decide_as(object, None, config, &context).1
}

#[test]
fn a_stored_object_is_explained_as_it_is() {
    let config = |text: &str| Config::read(text).unwrap();
    let other = config("defaults: {agentPort: \"6831\"}");
    let object = with_container(&on(), &json!({}));
    let (live, _) = decide_with(&object, &other);
    let seen = stored(&live, &Config::default(), false);
    assert_eq!(seen.outcome, Outcome::Unchanged, "{seen:?}");
    assert_eq!(seen.reasons, ["restored"]);
    assert_eq!(
        seen.choice("container model", Variable::AgentPort),
        "6831 (record)"
    );
    assert_eq!(
        seen.notes,
        [r#"outdated metadata.annotations["tracing.seldon.io/injected"]: JAEGER_AGENT_PORT"#]
    );
    // With the config that it was injected by there is nothing to say.
    assert_eq!(stored(&live, &other, false).notes, [""; 0]);
    // Without a record it is explained as ever.
    let seen = stored(&object, &Config::default(), false);
    assert_eq!((seen.outcome, seen.notes.len()), (Outcome::Injected, 0));
    // What no longer asks for tracing loses it, as at the webhook.
    let mut off = live.clone();
    off["metadata"]["annotations"]["tracing"] = json!("false");
    let seen = stored(&off, &Config::default(), false);
    assert_eq!((seen.outcome, seen.notes.len()), (Outcome::Removed, 0));
}

#[test]
fn an_object_that_is_traced_by_its_namespace_is_explained_as_it_is() {
    let labelled = Context {
        namespace_default: true,
        ..Context::default()
    };
    let object = with_container(&json!({}), &json!({}));
    let (live, _) = decide_as(&object, None, &Config::default(), &labelled);
    let seen = stored(&live, &Config::default(), false);
    assert_eq!(seen.outcome, Outcome::Unchanged, "{seen:?}");
    assert_eq!(seen.notes_of("by-namespace"), 1, "{seen:?}");
    assert_eq!(seen.notes.len(), 1);
    assert_eq!(stored(&live, &Config::default(), true).notes, [""; 0]);
}

#[test]
fn a_value_that_takes_the_place_of_ours_is_said_to_replace_it() {
    let other = Config::read("defaults: {agentPort: \"6831\"}").unwrap();
    let live = inject(&traced(&json!([])));
    let change = |plan: &Plan<'_>| *plan.targets[0].changes.get(Variable::AgentPort);
    let context = Context::default();
    let (_, change) = crate::support::common::run(&live, None, &other, &context, change);
    assert_eq!(change, Change::Replace);
}

#[test]
fn an_image_of_the_users_that_runs_mlserver_gets_the_variables_and_a_note() {
    let mut object = with_container(&on(), &json!({}));
    object["spec"]["protocol"] = json!("v2");
    let place = "own-mlserver spec.predictors[0].componentSpecs[0].spec.containers[0]: ";
    for (config, advice) in [
        ("{}", "HOST:PORT of an OTLP receiver"),
        (
            "defaults: {otlpEndpoint: \"otel:4317\"}",
            "is for prepackaged servers only",
        ),
    ] {
        let config = Config::read(config).unwrap();
        let (result, seen) = decide_with(&object, &config);
        assert_eq!(names(&container(&result)["env"]), FIVE);
        let notes: Vec<_> = seen
            .notes
            .iter()
            .filter(|note| note.starts_with(place))
            .collect();
        assert!(notes.len() == 1 && notes[0].contains(advice), "{seen:?}");
    }
    // Whoever sets the endpoint knows.
    for knows in [
        json!({"env": [{"name": "MLSERVER_TRACING_SERVER", "value": "otel:4317"}]}),
        json!({"name": "sidecar"}),
    ] {
        let container = object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"]
            [0]
        .as_object_mut()
        .unwrap();
        container.extend(knows.as_object().unwrap().clone());
        assert_eq!(decide(&object).1.notes_of("own-mlserver"), 0);
        object = with_container(&on(), &json!({}));
        object["spec"]["protocol"] = json!("v2");
    }
    object["metadata"]["annotations"]["tracing.seldon.io/otlp-endpoint"] = json!("otel:4317");
    assert_eq!(decide(&object).1.notes_of("own-mlserver"), 0);
}

#[test]
fn injected_is_said_only_of_what_is_injected() {
    let (result, seen) = decide(&traced(&json!([])));
    assert_eq!(seen.outcome, Outcome::Injected);
    assert_eq!(seen.reasons, ["injected"]);
    assert_eq!(decide(&result).1.outcome, Outcome::Unchanged);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn a_trigger_that_stands_where_it_does_not_count_is_pointed_out() {
    let plain = || with_container(&json!({}), &json!({}));
    let at = |pointer: &str, key: &str, value: Value| {
        let mut object = plain();
        let mut holder = &mut object;
        for part in pointer.split('/').skip(1) {
            holder = match part.parse::<usize>() {
                Ok(index) => &mut holder[index],
                Err(_) => &mut holder[part],
            };
        }
        holder[key] = value;
        object
    };
    let first = "/spec/predictors/0";
    for (object, place) in [
        (at("/metadata", "labels", on()), "metadata: labels.tracing"),
        (
            at("/metadata", "annotations", json!({"Tracing": "true"})),
            "metadata: annotations.Tracing",
        ),
        (
            at(
                "/metadata",
                "annotations",
                json!({"seldon.io/tracing": "true"}),
            ),
            "metadata: annotations.seldon.io/tracing",
        ),
        (
            at("/spec", "annotations", json!({"TRACING": "true"})),
            "spec: annotations.TRACING",
        ),
        (
            at(first, "labels", on()),
            "spec.predictors[0]: labels.tracing",
        ),
        (
            at(
                &format!("{first}/componentSpecs/0"),
                "metadata",
                json!({"annotations": on()}),
            ),
            "spec.predictors[0].componentSpecs[0]: metadata.annotations.tracing",
        ),
        (
            at(
                &format!("{first}/componentSpecs/0"),
                "metadata",
                json!({"labels": on()}),
            ),
            "spec.predictors[0].componentSpecs[0]: labels.tracing",
        ),
    ] {
        let (result, mut seen) = decide(&object);
        assert_eq!(result, object);
        assert_eq!(
            seen.notes.remove(0),
            format!(
                "misplaced-trigger {place} is ignored here; set the annotation tracing of the SeldonDeployment"
            )
        );
    }
    // Where the trigger is right, another spelling beside it does no harm.
    let annotations = json!({"tracing": "true", "Tracing": "true"});
    let (_, seen) = decide(&with_container(&annotations, &json!({})));
    assert_eq!(seen.notes_of("misplaced-trigger"), 0, "{seen:?}");
}

#[test]
fn half_a_sampler_is_none_and_the_warning_says_which_is_used() {
    for (annotations, said) in [
        (
            json!({"tracing.seldon.io/sampler-type": "probabilistic"}),
            r#"bad-sampler-pair metadata.annotations["tracing.seldon.io/sampler-type"]: needs sampler-param; const 1 is used: every request is traced"#,
        ),
        (
            json!({"tracing.seldon.io/sampler-param": "0.1"}),
            r#"bad-sampler-pair metadata.annotations["tracing.seldon.io/sampler-param"]: needs sampler-type; const 1 is used: every request is traced"#,
        ),
        (
            json!({"tracing.seldon.io/sampler-type": "probabilistic", "tracing.seldon.io/sampler-param": "10%"}),
            r#"bad-sampler-pair metadata.annotations["tracing.seldon.io/sampler-type"]: needs sampler-param; const 1 is used: every request is traced"#,
        ),
        (
            json!({"tracing.seldon.io/sampler-type": "const", "tracing.seldon.io/sampler-param": "2"}),
            r#"bad-sampler-pair metadata.annotations["tracing.seldon.io/sampler-param"]: must be 0 or 1 for const; const 1 is used: every request is traced"#,
        ),
    ] {
        let mut object = with_container(&on(), &json!({}));
        let all = object["metadata"]["annotations"].as_object_mut().unwrap();
        all.extend(annotations.as_object().unwrap().clone());
        let (result, seen) = decide(&object);
        assert_eq!(seen.notes.last().unwrap(), said);
        let env = &predictor(&result)["svcOrchSpec"]["env"];
        assert_eq!(
            (&env[3]["value"], &env[4]["value"]),
            (&json!("const"), &json!("1"))
        );
    }
}

#[test]
fn values_and_items_that_the_api_server_refuses_are_told_of() {
    let env = json!([null, "TEXT", {"name": "PORT", "value": 1}, {"name": "ON", "value": true}]);
    let (_, seen) = decide(&traced(&env));
    assert_eq!(seen.notes_of("odd-type"), 4, "{seen:?}");
    let mut named = traced(&json!([]));
    named["spec"]["predictors"][0]["name"] = json!(1);
    assert_eq!(
        decide(&named).1.notes,
        ["odd-type spec.predictors[0]: expected a string as its name, found a number"]
    );
    // What an API server has stored has none of these.
    let (_, seen) = decide(&traced(&json!([{"name": "PORT", "value": "1"}])));
    assert_eq!(seen.notes_of("odd-type"), 0, "{seen:?}");
}

#[test]
fn a_reference_to_a_variable_that_comes_later_is_told_of() {
    let env = json!([{"name": "URL", "value": "http://$(JAEGER_AGENT_HOST):$(PORT)"}]);
    let (result, seen) = decide(&traced(&env));
    assert_eq!(seen.notes_of("not-expanded"), 1, "{seen:?}");
    // Behind ours, it is expanded.
    let mut moved = result;
    let list = moved["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"]
        .as_array_mut()
        .unwrap();
    list.rotate_left(1);
    let (result, seen) = decide(&moved);
    assert_eq!(seen.notes_of("not-expanded"), 0, "{seen:?}");
    assert_eq!(names(&container(&result)["env"]).last(), Some(&"URL"));
}
