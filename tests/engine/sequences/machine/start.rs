//! Where a sequence begins: manifests as users write them, and configurations as admins do.

use seldon_tracing::config::Config;
use serde_json::{Value, json};

/// The configurations between which a sequence switches.
const CONFIGS: [&str; 12] = [
    "",
    "defaults: {agentHost: jaeger-agent, agentPort: 6831}",
    "defaults: {samplerType: probabilistic, samplerParam: 0.25, tags: 'c={container},p={predictor}', serviceName: '{namespace}.{name}'}",
    "profiles: {sampled: {samplerType: ratelimiting, samplerParam: 5}}\ndefaults: {agentPort: 5776}",
    "profiles: {sampled: {configMap: jaeger/sampled.yml}}\nnamespaces: {seldon: {agentHost: other}}",
    "defaults: {configMap: jaeger}",
    "defaults: {configMap: other/b.yml, otlpEndpoint: 'otel:4317'}",
    "defaults: {otlpEndpoint: '[fd00::5]:4317'}\ntargets: {initContainers: true}",
    "targets: {orchestrator: false, explainer: false}",
    "targets: {containers: false, prepackagedServers: false}",
    "defaults: {excludeContainers: [model, one]}",
    "trigger: team/trace\nprofiles: {sampled: {tags: 'a=b'}}",
];

/// Configuration number `at`, with its text.
pub(crate) fn config(at: u8) -> (&'static str, Config) {
    let text = CONFIGS[usize::from(at) % CONFIGS.len()];
    (
        text,
        Config::read(text).expect("the configurations are good"),
    )
}

/// A manifest; each byte chooses something.
pub(crate) fn manifest([shape, options, second, asks]: [u8; 4]) -> Value {
    let mut predictors = vec![predictor("main", shape, options)];
    if second % 3 == 1 {
        predictors.push(predictor("canary", second / 3, options >> 4));
    }
    let protocol = ["seldon", "v2", "kfserving", "tensorflow"][usize::from(shape >> 5) % 4];
    let mut spec = json!({"predictors": predictors});
    if shape & 16 != 0 {
        spec["protocol"] = json!(protocol);
    }
    let mut object = json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "iris", "namespace": "seldon"},
        "spec": spec,
    });
    let annotations = match asks % 8 {
        0..=3 => json!({"tracing": "true"}),
        4 => json!({"tracing": "sampled", "team/trace": "sampled"}),
        5 => json!({"tracing": "true", "tracing.seldon.io/config-map": "jaeger"}),
        6 => {
            json!({"team/trace": "true", "tracing": "TRUE", "tracing.seldon.io/tags": "t={container}"})
        }
        _ => return object,
    };
    object["metadata"]["annotations"] = annotations;
    object
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn predictor(name: &str, shape: u8, options: u8) -> Value {
    let env = match options % 4 {
        0 => None,
        1 => Some(json!([{"name": "FOO", "value": "bar"}])),
        2 => Some(
            json!([{"name": "JAEGER_AGENT_PORT", "value": "6831"}, {"name": "FOO", "value": "bar"}]),
        ),
        _ => Some(
            json!([{"name": "TRACING", "value": "1"}, {"name": "JAEGER_SAMPLER_TYPE", "value": "const"}]),
        ),
    };
    let container = |name: &str| {
        let mut container = json!({"name": name, "image": "model:1"});
        if let Some(env) = &env {
            container["env"] = env.clone();
        }
        container
    };
    let pods = |containers: Value| json!([{"spec": {"containers": containers}}]);
    let model = json!({"name": "model"});
    let server =
        |kind: &str| json!({"name": "model", "implementation": kind, "modelUri": "gs://m"});
    let (graph, components) = match shape % 10 {
        0 => (model, Some(pods(json!([container("model")])))),
        1 => (server("SKLEARN_SERVER"), None),
        2 => (
            server("SKLEARN_SERVER"),
            Some(pods(json!([container("model"), container("two")]))),
        ),
        3 => {
            let mut graph = server("MLFLOW_SERVER");
            graph["children"] =
                json!([{"name": "one", "implementation": "XGBOOST_SERVER"}, {"name": "two"}]);
            (graph, Some(pods(json!([container("two")]))))
        }
        4 => (
            server("SKLEARN_SERVER"),
            Some(json!([{"spec": {"containers": []}}])),
        ),
        5 => (server("TENSORFLOW_SERVER"), Some(json!(null))),
        6 => (
            model,
            Some(json!([
            {"spec": {"initContainers": [container("init")], "containers": [container("model")],
                      "volumes": [{"name": "data", "emptyDir": {}}]}},
            {"spec": {"containers": [container("two")]}}])),
        ),
        7 => (
            server("SKLEARN_SERVER"),
            Some(json!([{"metadata": {"labels": {"a": "b"}}}])),
        ),
        8 => (server("TRITON_SERVER"), None),
        _ => (
            server("SKLEARN_SERVER"),
            Some(pods(json!([{"name": "model"}]))),
        ),
    };
    let mut predictor = json!({"name": name, "graph": graph, "replicas": 1});
    if let Some(components) = components {
        predictor["componentSpecs"] = components;
    }
    if options & 4 != 0 {
        predictor["svcOrchSpec"] = env.as_ref().map_or(json!({}), |env| json!({"env": env}));
    }
    if options & 8 != 0 {
        predictor["explainer"] =
            json!({"type": "AnchorTabular", "containerSpec": container("explainer")});
    }
    if options & 0x30 == 0x30 {
        predictor["annotations"] = json!({"seldon.io/no-engine": "true"});
    }
    predictor
}
