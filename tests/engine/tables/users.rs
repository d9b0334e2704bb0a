//! What the user set always wins. The user is told what will not work.

use seldon_tracing::inject::Variable;
use serde_json::{Value, json};

use super::{container, decide, inject, names, predictor, sdep, traced, uninject};

/// What is added to a container, and to an orchestrator, that has those variables.
fn added(env: &Value) -> (Vec<String>, Vec<String>) {
    let mut object = traced(env);
    object["spec"]["predictors"][0]["svcOrchSpec"] = json!({"env": env});
    let result = inject(&object);
    let behind = |after: &Value| {
        names(after)[env.as_array().map_or(0, Vec::len)..]
            .iter()
            .map(|name| short(name))
            .collect()
    };
    assert_eq!(uninject(&result), object);
    (
        behind(&container(&result)["env"]),
        behind(&predictor(&result)["svcOrchSpec"]["env"]),
    )
}

fn short(name: &str) -> String {
    name.trim_start_matches("JAEGER_").to_lowercase()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_the_user_set_decides_what_is_added() {
    let agent = "agent_host agent_port";
    let sampler = "sampler_type sampler_param";
    let all = format!("tracing {agent} {sampler}");
    let without_tracing = format!("{agent} {sampler}");
    let without_agent = format!("tracing {sampler}");
    let without_sampler = format!("tracing {agent}");
    let from = json!({"configMapKeyRef": {"name": "a", "key": "b"}});
    for (env, in_container, in_orchestrator) in [
        (json!([]), all.as_str(), all.as_str()),
        (json!([{"name": "FOO", "value": "1"}]), &all, &all),
        (
            json!([{"name": "TRACING", "value": "1"}]),
            &without_tracing,
            &without_tracing,
        ),
        (
            json!([{"name": "TRACING", "value": "true"}]),
            &without_tracing,
            &without_tracing,
        ),
        (
            json!([{"name": "TRACING", "valueFrom": from}]),
            &without_tracing,
            &without_tracing,
        ),
        (json!([{"name": "TRACING", "value": "0"}]), "", ""),
        (
            json!([{"name": "TRACING", "value": "1"}, {"name": "TRACING", "value": "0"}]),
            "",
            "",
        ),
        (
            json!([{"name": "TRACING", "value": "0"}, {"name": "TRACING", "value": "1"}]),
            &without_tracing,
            &without_tracing,
        ),
        (
            json!([{"name": "JAEGER_DISABLED", "value": "true"}]),
            "",
            "",
        ),
        (json!([{"name": "JAEGER_DISABLED", "value": "1"}]), "", ""),
        (
            json!([{"name": "JAEGER_DISABLED", "value": "false"}]),
            &all,
            &all,
        ),
        (
            json!([{"name": "JAEGER_DISABLED", "valueFrom": from}]),
            &all,
            &all,
        ),
        (
            json!([{"name": "JAEGER_ENDPOINT", "value": "http://j:14268/api/traces"}]),
            &without_agent,
            &without_agent,
        ),
        (
            json!([{"name": "JAEGER_ENDPOINT", "valueFrom": from}]),
            &without_agent,
            &without_agent,
        ),
        (
            json!([{"name": "JAEGER_AGENT_HOST", "value": "j"}]),
            &without_agent,
            &without_agent,
        ),
        (
            json!([{"name": "JAEGER_AGENT_PORT", "valueFrom": from}]),
            &without_agent,
            &without_agent,
        ),
        (
            json!([{"name": "JAEGER_SAMPLER_TYPE", "value": "probabilistic"}]),
            &without_sampler,
            &without_sampler,
        ),
        (
            json!([{"name": "JAEGER_SAMPLER_PARAM", "value": "0.5"}]),
            &without_sampler,
            &without_sampler,
        ),
        (
            json!([{"name": "JAEGER_CONFIG_PATH", "value": "/j.yml"}]),
            "tracing",
            &all,
        ),
        (
            json!([{"name": "JAEGER_CONFIG_PATH", "valueFrom": from}]),
            "tracing",
            &all,
        ),
    ] {
        let (container, orchestrator) = added(&env);
        assert_eq!(
            (
                container.join(" ").as_str(),
                orchestrator.join(" ").as_str()
            ),
            (in_container, in_orchestrator),
            "{env}"
        );
    }
}

#[test]
fn the_reason_of_every_variable_is_known() {
    let env = json!([{"name": "JAEGER_AGENT_HOST", "value": "j"}, {"name": "JAEGER_SAMPLER_TYPE", "value": "const"}]);
    let (_, seen) = decide(&traced(&env));
    for (variable, expected) in [
        (Variable::Tracing, "1 (built-in)"),
        (Variable::AgentHost, "user-set"),
        (Variable::AgentPort, "pair-user-set"),
        (Variable::SamplerType, "user-set"),
        (Variable::SamplerParam, "pair-user-set"),
        (Variable::ServiceName, ""),
    ] {
        assert_eq!(seen.choice("container model", variable), expected);
    }
    let (_, seen) = decide(&traced(
        &json!([{"name": "JAEGER_CONFIG_PATH", "value": "/j.yml"}]),
    ));
    assert_eq!(
        seen.choice("container model", Variable::AgentPort),
        "user-config-path"
    );
    let (_, seen) = decide(&traced(
        &json!([{"name": "JAEGER_ENDPOINT", "value": "http://j"}]),
    ));
    assert_eq!(
        seen.choice("container model", Variable::AgentPort),
        "user-endpoint"
    );
    let (_, seen) = decide(&traced(&json!([{"name": "TRACING", "value": "0"}])));
    assert_eq!(seen.target("container model").left, Some("user-disabled"));
}

#[test]
fn values_that_crash_warn_and_stay() {
    for (env, in_container, in_orchestrator) in [
        (json!([{"name": "TRACING", "value": "true"}]), 1, 0),
        (json!([{"name": "TRACING", "value": ""}]), 1, 0),
        (json!([{"name": "TRACING", "value": "$(T)"}]), 0, 0),
        (json!([{"name": "JAEGER_TAGS", "value": "a"}]), 1, 1),
        (
            json!([{"name": "JAEGER_SAMPLER_TYPE", "value": "always"}]),
            0,
            1,
        ),
        (
            json!([{"name": "JAEGER_SAMPLER_PARAM", "value": "10%"}]),
            0,
            1,
        ),
        (
            json!([{"name": "JAEGER_SAMPLER_TYPE", "value": "probabilistic"}, {"name": "JAEGER_SAMPLER_PARAM", "value": "5"}]),
            0,
            1,
        ),
        (
            json!([{"name": "JAEGER_AGENT_HOST", "value": "j:6831"}]),
            0,
            1,
        ),
        (json!([{"name": "FOO", "value": "true"}]), 0, 0),
    ] {
        let (result, seen) = decide(&traced(&env));
        assert_eq!(
            seen.notes_of("crashing-value"),
            in_container,
            "{env} {seen:?}"
        );
        assert_eq!(
            container(&result)["env"].as_array().unwrap()[..env.as_array().unwrap().len()],
            *env.as_array().unwrap()
        );
        let (_, seen) = decide(&sdep(
            &json!({"tracing": "true"}),
            &json!({"svcOrchSpec": {"env": env}}),
        ));
        assert_eq!(
            seen.notes_of("crashing-value"),
            in_orchestrator,
            "{env} {seen:?}"
        );
    }
}

#[test]
fn a_port_without_its_host_is_said() {
    let (_, seen) = decide(&traced(
        &json!([{"name": "JAEGER_AGENT_PORT", "value": "6831"}]),
    ));
    assert_eq!(seen.notes_of("port-without-host"), 1);
    let both = json!([{"name": "JAEGER_AGENT_PORT", "value": "6831"}, {"name": "JAEGER_AGENT_HOST", "value": "j"}]);
    assert_eq!(decide(&traced(&both)).1.notes_of("port-without-host"), 0);
}
