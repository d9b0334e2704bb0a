//! Values that end the process that reads them, each by the reason that its rule gives. Where a person has set such a value, the webhook
//! leaves it and says so. What does no harm so great is in `refused.rs`.

use std::fs;

use serde_json::{Value, json};

use crate::models::{component, predictor};
use crate::rig::Rig;
use crate::rig::kubelet::{Environment, environment};

tests![
    values_of_a_person_that_we_warn_of_end_the_python_wrapper,
    values_of_a_person_that_we_warn_of_end_the_orchestrator,
    a_jaeger_configuration_with_an_error_ends_the_python_wrapper,
];

/// A model with these variables of the user's in its container, or in its orchestrator.
fn model(container: &[(&str, &str)], orchestrator: &[(&str, &str)]) -> Value {
    let env = |pairs: &[(&str, &str)]| -> Value {
        let entries = pairs.iter();
        entries
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    };
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "model", "annotations": {"tracing": "true"}},
        "spec": {"predictors": [{
            "name": "default",
            "graph": {"name": "model", "type": "MODEL"},
            "componentSpecs": [{"spec": {"containers": [
                {"name": "model", "image": "model:1", "env": env(container)},
            ]}}],
            "svcOrchSpec": {"env": env(orchestrator)},
        }]},
    })
}

/// Sends it through the webhook, which is to warn of the variable.
#[track_caller]
fn warned(rig: &Rig, model: &Value, name: &str) -> Value {
    let stored = rig.webhook.create(model);
    let mut warnings = stored.warnings.iter();
    let about = format!(": {name}: ");
    assert!(
        warnings.any(|it| it.starts_with("crashing-value: ") && it.contains(&about)),
        "{name}: {:?}",
        stored.warnings
    );
    stored.object
}

fn values_of_a_person_that_we_warn_of_end_the_python_wrapper(rig: &Rig) {
    let rows = [
        ("TRACING", "true", "invalid literal for int()"),
        ("TRACING", "", "invalid literal for int()"),
        ("TRACING", "1.0", "invalid literal for int()"),
        ("JAEGER_TAGS", "foo", "ValueError"),
        ("JAEGER_TAGS", "k=a=b", "ValueError"),
        ("JAEGER_TAGS", "a=b,", "ValueError"),
        ("JAEGER_CONFIG_PATH", "", "FileNotFoundError"),
    ];
    let environments: Vec<Environment> = rows
        .iter()
        .map(|(name, value, _)| {
            let stored = warned(rig, &model(&[(name, value)], &[]), name);
            let environment = environment(&component(&stored, "model").container["env"], rig.node);
            assert_eq!(environment[*name], *value, "the user's value stays");
            environment
        })
        .collect();
    for (start, (name, value, said)) in rig.wrappers_start(&environments).iter().zip(rows) {
        assert!(!start.started, "{name}={value:?} started");
        assert!(
            start.code.is_some_and(|code| code != 0) && start.log.contains(said),
            "{name}={value:?}: {start:?}"
        );
    }
}

/// A variable of the orchestrator, a value of it, and the words that the client ends with.
type Row = (&'static str, &'static str, &'static str);

const ORCHESTRATOR: &[Row] = &[
    (
        "JAEGER_SAMPLER_TYPE",
        "rate_limiting",
        "unknown sampler type",
    ),
    ("JAEGER_SAMPLER_TYPE", "const ", "unknown sampler type"),
    ("JAEGER_SAMPLER_PARAM", "10%", "ParseFloat"),
    ("JAEGER_AGENT_HOST", "::1", "too many colons"),
    ("JAEGER_AGENT_HOST", "jaeger:6831", "too many colons"),
    ("JAEGER_AGENT_HOST", "http://jaeger", "too many colons"),
    ("JAEGER_AGENT_PORT", "abc", "ParseInt"),
    ("JAEGER_AGENT_PORT", "udp://10.0.0.1:5775", "ParseInt"),
    ("JAEGER_TAGS", "foo", "parseTags"),
    ("JAEGER_TAGS", "a=b,", "parseTags"),
    ("JAEGER_TAGS", "a=${X}", "parseTags"),
];

/// Those that need another variable to end it.
const TOGETHER: &[(Row, &[(&str, &str)])] = &[
    (
        ("JAEGER_SAMPLER_PARAM", "5", "invalid Param"),
        &[("JAEGER_SAMPLER_TYPE", "probabilistic")],
    ),
    (
        ("JAEGER_SAMPLER_PARAM", "1.5", "invalid Param"),
        &[("JAEGER_SAMPLER_TYPE", "remote")],
    ),
];

fn values_of_a_person_that_we_warn_of_end_the_orchestrator(rig: &Rig) {
    let alone = ORCHESTRATOR.iter().map(|row| (*row, &[][..]));
    for ((name, value, said), others) in alone.chain(TOGETHER.iter().copied()) {
        let variables = [&[(name, value)], others].concat();
        let stored = warned(rig, &model(&[], &variables), name);
        let env = &predictor(&stored, "default")["svcOrchSpec"]["env"];
        let environment = environment(env, rig.node);
        assert_eq!(environment[name], value, "the user's value stays");
        let start = rig.orchestrator_starts(&environment);
        assert!(
            start.code.is_some_and(|code| code != 0) && start.log.contains(said),
            "{variables:?}: {start:?}"
        );
    }
}

/// Why the variable is never set without its file, and what docs/annotations.md says of the file.
fn a_jaeger_configuration_with_an_error_ends_the_python_wrapper(rig: &Rig) {
    let folder = rig.folder("configurations");
    let rows = [
        (None, "FileNotFoundError"),
        (Some(""), "AttributeError"),
        (Some("samplers: {type: const, param: 1}"), "ValueError"),
        (Some("sampler: {type: bogus, param: 1}"), "ValueError"),
        (Some("sampler: {type: Const, param: 1}"), "ValueError"),
        (Some("sampler: {type: remote, param: 1}"), "ValueError"),
        (
            Some("sampler: {type: probabilistic, param: 1.5}"),
            "AssertionError",
        ),
        (Some("sampler: {type: probabilistic}"), "TypeError"),
        (
            Some("sampler: {type: ratelimiting, param: -1}"),
            "AssertionError",
        ),
    ];
    let environments: Vec<Environment> = rows
        .iter()
        .enumerate()
        .map(|(at, (text, _))| {
            let file = folder.join(format!("{at}.yml"));
            if let Some(text) = text {
                fs::write(&file, text).unwrap();
            }
            [
                ("TRACING".to_owned(), "1".to_owned()),
                ("JAEGER_CONFIG_PATH".to_owned(), file.display().to_string()),
            ]
            .into()
        })
        .collect();
    for (start, (text, said)) in rig.wrappers_start(&environments).iter().zip(rows) {
        assert!(!start.started, "{text:?} started");
        assert!(
            start.code.is_some_and(|code| code != 0) && start.log.contains(said),
            "{text:?}: {start:?}"
        );
    }
}
