//! `MLServer`, which traces by OTLP and reads nothing of Jaeger's.

use seldon_tracing::config::Config;
use seldon_tracing::inject::{Setting, Variable};
use serde_json::{Value, json};

use super::{
    FIVE, Outcome, container, decide, decide_with, inject, names, predictor, record, sdep,
    uninject, update,
};

const KEY: &str = "tracing.seldon.io/otlp-endpoint";
const ENDPOINT: &str = "otel-collector.observability:4317";

/// A traced server with an endpoint and that protocol.
fn server(implementation: &str, protocol: &str) -> Value {
    let mut object = sdep(
        &json!({"tracing": "true", KEY: ENDPOINT}),
        &json!({"graph": {"name": "m", "implementation": implementation}}),
    );
    object["spec"]["protocol"] = json!(protocol);
    object
}

/// The same with a container of the user's under the name of the node.
fn own(env: &Value) -> Value {
    let mut object = server("SKLEARN_SERVER", "v2");
    object["spec"]["predictors"][0]["componentSpecs"] =
        json!([{"spec": {"containers": [{"name": "m", "image": "mlserver:1.7.1", "env": env}]}}]);
    object
}

fn one() -> Value {
    json!([{"name": "MLSERVER_TRACING_SERVER", "value": ENDPOINT}])
}

#[test]
fn servers_that_run_mlserver_get_one_variable_and_others_as_before() {
    for (implementation, protocol, expected) in [
        ("SKLEARN_SERVER", "v2", Ok(true)),
        ("SKLEARN_SERVER", "kfserving", Ok(true)),
        ("XGBOOST_SERVER", "v2", Ok(true)),
        ("MLFLOW_SERVER", "v2", Ok(true)),
        ("HUGGINGFACE_SERVER", "v2", Ok(true)),
        ("TEMPO_SERVER", "v2", Ok(true)),
        ("OUR_OWN_SERVER", "v2", Ok(true)),
        ("TRITON_SERVER", "v2", Err("server-cannot-trace")),
        ("TENSORFLOW_SERVER", "v2", Err("protocol-cannot-trace")),
        ("SKLEARN_SERVER", "tensorflow", Err("protocol-cannot-trace")),
        ("HUGGINGFACE_SERVER", "seldon", Err("server-cannot-trace")),
        ("TEMPO_SERVER", "", Err("server-cannot-trace")),
        ("SIMPLE_MODEL", "v2", Err("built-in-node")),
        ("SKLEARN_SERVER", "seldon", Ok(false)),
        ("TENSORFLOW_SERVER", "seldon", Ok(false)),
    ] {
        let object = server(implementation, protocol);
        let (result, seen) = decide(&object);
        let what = format!("{implementation} {protocol} {seen:?}");
        match expected {
            Ok(true) => assert_eq!(
                container(&result),
                &json!({"name": "m", "env": one()}),
                "{what}"
            ),
            Ok(false) => assert_eq!(names(&container(&result)["env"]), FIVE, "{what}"),
            Err(reason) => {
                assert!(container(&result).is_null(), "{what}");
                assert_eq!(seen.notes_of(reason), 1, "{what}");
            }
        }
        assert_eq!(
            names(&predictor(&result)["svcOrchSpec"]["env"]),
            FIVE,
            "the orchestrator traces as before: {what}"
        );
        assert_eq!(inject(&result), result, "{what}");
        assert_eq!(uninject(&result), object, "{what}");
    }
}

#[test]
fn nothing_is_added_to_mlserver_until_there_is_an_endpoint() {
    let mut object = server("SKLEARN_SERVER", "v2");
    let annotations = object["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.remove(KEY);
    let (result, seen) = decide(&object);
    assert_eq!(
        seen.notes,
        ["needs-otlp-endpoint spec.predictors[0].graph: m (SKLEARN_SERVER)"]
    );
    assert!(container(&result).is_null());
    let mut by_hand = own(&json!([{"name": "FOO", "value": "bar"}]));
    by_hand["metadata"]["annotations"][KEY] = json!("");
    let (result, seen) = decide(&by_hand);
    assert_eq!(
        seen.choice("container m", Variable::OtlpEndpoint),
        "needs-otlp-endpoint"
    );
    assert_eq!(
        predictor(&result)["componentSpecs"],
        predictor(&by_hand)["componentSpecs"]
    );
    // What is no HOST:PORT is as none, and said.
    for bad in [
        "otel",
        "http://otel:4317",
        "otel:0",
        "status.hostIP:4317",
        "$(NODE):4317",
    ] {
        by_hand["metadata"]["annotations"][KEY] = json!(bad);
        let (again, seen) = decide(&by_hand);
        assert_eq!(seen.notes_of("bad-setting"), 1, "{bad} {seen:?}");
        assert_eq!(again["spec"], result["spec"], "{bad}");
    }
}

#[test]
fn the_endpoint_comes_from_every_layer() {
    let mut config = Config::default();
    config.defaults.set(Setting::OtlpEndpoint, "otel:1");
    let mut object = own(&json!([]));
    let endpoint = |object: &Value, config: &Config| {
        let (_, seen) = decide_with(object, config);
        seen.choice("container m", Variable::OtlpEndpoint)
            .to_owned()
    };
    assert_eq!(
        endpoint(&object, &config),
        format!("{ENDPOINT} (annotation)")
    );
    object["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(KEY);
    assert_eq!(endpoint(&object, &config), "otel:1 (config)");
    let mut namespace = config.defaults.clone();
    namespace.set(Setting::OtlpEndpoint, "otel:2");
    config.namespaces.insert("seldon".to_owned(), namespace);
    assert_eq!(endpoint(&object, &config), "otel:2 (namespace)");
    let (_, seen) = decide_with(&object, &config);
    assert_eq!(
        seen.choice("orchestrator", Variable::OtlpEndpoint),
        "",
        "the config means its MLServers"
    );
    object["spec"]["predictors"][0]["annotations"] = json!({KEY: ""});
    assert_eq!(
        endpoint(&object, &config),
        "needs-otlp-endpoint",
        "an empty one takes it back"
    );
}

#[test]
fn a_container_of_the_users_that_runs_mlserver_gets_it_behind_the_users_variables() {
    let object = own(&json!([{"name": "FOO", "value": "bar"}]));
    let (result, seen) = decide(&object);
    assert_eq!(
        names(&container(&result)["env"]),
        ["FOO", "MLSERVER_TRACING_SERVER"]
    );
    assert_eq!(seen.choice("container m", Variable::Tracing), "");
    assert_eq!(seen.choice("container m", Variable::AgentHost), "");
    assert_eq!(uninject(&result), object);
    // A container beside it is as it always was.
    let mut object = own(&json!([]));
    object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "beside"}));
    let (result, seen) = decide(&object);
    let containers = &predictor(&result)["componentSpecs"][0]["spec"]["containers"];
    assert_eq!(containers[0]["env"], one());
    assert_eq!(names(&containers[1]["env"]), FIVE);
    assert_eq!(
        seen.choice("container beside", Variable::OtlpEndpoint),
        "not-read-here"
    );
    assert_eq!(
        seen.choice("orchestrator", Variable::OtlpEndpoint),
        "not-read-here"
    );
}

#[test]
fn an_image_of_the_users_own_runs_mlserver_where_an_annotation_gives_an_endpoint() {
    let custom = |implementation: &Value, protocol: &str| {
        let mut object = own(&json!([]));
        object["spec"]["protocol"] = json!(protocol);
        object["spec"]["predictors"][0]["graph"] =
            json!({"name": "m", "type": "MODEL", "implementation": implementation});
        object
    };
    let none = [json!(null), json!("")];
    for (implementation, protocol) in none
        .iter()
        .flat_map(|none| ["v2", "kfserving"].map(|protocol| (none, protocol)))
    {
        let object = custom(implementation, protocol);
        let (result, seen) = decide(&object);
        assert_eq!(container(&result)["env"], one(), "{seen:?}");
        assert_eq!(inject(&result), result);
        assert_eq!(uninject(&result), object);
    }
    // With the protocol of the Python wrapper it is the Python wrapper.
    let (result, seen) = decide(&custom(&none[0], "seldon"));
    assert_eq!(names(&container(&result)["env"]), FIVE);
    assert_eq!(
        seen.choice("container m", Variable::OtlpEndpoint),
        "not-read-here"
    );
    // An endpoint of the config means the prepackaged servers, and an empty annotation none at all.
    let mut config = Config::default();
    config.defaults.set(Setting::OtlpEndpoint, "otel:1");
    let mut object = custom(&none[0], "v2");
    for text in [None, Some("")] {
        let annotations = object["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.remove(KEY);
        annotations.extend(text.map(|text| (KEY.to_owned(), json!(text))));
        let (result, seen) = decide_with(&object, &config);
        assert_eq!(names(&container(&result)["env"]), FIVE, "{text:?}");
        assert_eq!(seen.choice("container m", Variable::OtlpEndpoint), "");
    }
    // One that was injected before there was an endpoint loses what nobody reads.
    let mut stored = inject(&object);
    stored["metadata"]["annotations"][KEY] = json!(ENDPOINT);
    assert_eq!(container(&inject(&stored))["env"], one());
}

#[test]
fn what_the_user_says_of_mlserver_stands() {
    for (env, reason) in [
        (
            json!([{"name": "MLSERVER_TRACING_SERVER", "value": "mine:1"}]),
            "user-set",
        ),
        (
            json!([{"name": "MLSERVER_TRACING_SERVER", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]),
            "user-set",
        ),
        (json!([{"name": "TRACING", "value": "0"}]), "user-disabled"),
        (
            json!([{"name": "JAEGER_DISABLED", "value": "true"}]),
            "user-disabled",
        ),
    ] {
        let object = own(&env);
        let (result, seen) = decide(&object);
        assert_eq!(container(&result)["env"], env);
        assert_eq!(seen.choice("container m", Variable::OtlpEndpoint), reason);
    }
    // Values that end the Python wrapper are read by nobody here.
    let env =
        json!([{"name": "TRACING", "value": "true"}, {"name": "JAEGER_AGENT_PORT", "value": "1"}]);
    let (result, seen) = decide(&own(&env));
    assert_eq!(seen.notes.len(), seen.notes_of("own-container"), "{seen:?}");
    assert_eq!(
        names(&container(&result)["env"]),
        ["TRACING", "JAEGER_AGENT_PORT", "MLSERVER_TRACING_SERVER"]
    );
    // One that was changed after it was injected is the user's.
    let mut changed = inject(&server("SKLEARN_SERVER", "v2"));
    changed["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"][0]["value"] =
        json!("mine:1");
    let (result, seen) = decide(&changed);
    assert_eq!(container(&result)["env"], container(&changed)["env"]);
    assert_eq!(
        seen.choice("container m", Variable::OtlpEndpoint),
        "user-changed"
    );
    assert_eq!(
        container(&uninject(&result))["env"],
        container(&changed)["env"]
    );
}

#[test]
fn settings_of_jaeger_that_somebody_asked_for_are_said_not_to_be_read() {
    let mut object = own(&json!([]));
    let annotations = &mut object["metadata"]["annotations"];
    annotations["tracing.seldon.io/tags"] = json!("a=b");
    annotations["tracing.seldon.io/config-map"] = json!("cm");
    annotations["tracing.seldon.io/agent-port"] = json!("6831");
    let (result, seen) = decide(&object);
    for variable in [Variable::Tags, Variable::ConfigPath, Variable::AgentPort] {
        assert_eq!(seen.choice("container m", variable), "not-read-here");
    }
    assert_eq!(seen.choice("container m", Variable::AgentHost), "");
    assert_eq!(container(&result)["env"], one());
    let pod = &predictor(&result)["componentSpecs"][0]["spec"];
    assert_eq!(
        pod.get("volumes"),
        None,
        "nothing is mounted that nobody reads"
    );
    assert_eq!(uninject(&result), object);
}

#[test]
fn mlserver_keeps_what_it_has_until_its_spec_changes() {
    let stored = inject(&server("SKLEARN_SERVER", "v2"));
    // The same manifest, applied again without what we added, while the config has another endpoint.
    let (again, _) = update(&server("SKLEARN_SERVER", "v2"), &stored);
    assert_eq!(again, stored);
    // Without the endpoint, or with another protocol, what it had goes.
    let mut without = stored.clone();
    without["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(KEY);
    let (result, seen) = update(&without, &stored);
    assert_eq!(predictor(&result).get("componentSpecs"), None, "{seen:?}");
    let mut seldon = stored.clone();
    seldon["spec"]["protocol"] = json!("seldon");
    let (result, _) = update(&seldon, &stored);
    assert_eq!(names(&container(&result)["env"]), FIVE);
    let (back, _) = update(&server("SKLEARN_SERVER", "v2"), &result);
    assert_eq!(container(&back)["env"], one());
}

#[test]
fn a_record_of_the_version_before_is_read_and_what_nobody_reads_goes() {
    // What was written into a container of MLServer before there was an endpoint.
    let mut five = Vec::new();
    for (name, value) in [
        ("TRACING", "1"),
        ("JAEGER_AGENT_PORT", "6831"),
        ("JAEGER_SAMPLER_TYPE", "const"),
        ("JAEGER_SAMPLER_PARAM", "1"),
    ] {
        five.push(json!({"name": name, "value": value}));
    }
    five.insert(1, json!({"name": "JAEGER_AGENT_HOST", "value": "jaeger"}));
    let set = r#"{"TRACING":"1","JAEGER_AGENT_HOST":"jaeger","JAEGER_AGENT_PORT":"6831","JAEGER_SAMPLER_TYPE":"const","JAEGER_SAMPLER_PARAM":"1"}"#;
    let old_record = format!(
        r#"{{"v":1,"sets":[{set}],"predictors":{{"default":{{"containers":{{"m":{{"set":0}}}}}}}}}}"#
    );
    let mut object = own(&json!(five));
    object["metadata"]["annotations"]["tracing.seldon.io/injected"] = json!(old_record);
    let (result, seen) = decide(&object);
    assert_eq!(
        (seen.outcome, seen.notes_of("record-unreadable")),
        (Outcome::Injected, 0)
    );
    assert_eq!(container(&result)["env"], one());
    assert_eq!(
        seen.choice("container m", Variable::SamplerType),
        "not-read-here"
    );
    assert_eq!(uninject(&result), own(&json!([])));
    // Nothing has changed but our version: nothing is done.
    assert_eq!(update(&object, &object).0, object);
    assert!(record(&result).unwrap().contains("MLSERVER_TRACING_SERVER"));
}
