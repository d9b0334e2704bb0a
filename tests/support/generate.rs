//! Generates `SeldonDeployments`, valid and odd ones, and configurations.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;
use seldon_tracing::config::{Config, Settings, Targets};
use seldon_tracing::inject::{CONFIG_DIR, CONFIG_VOLUME, Setting};
use serde_json::{Map, Value, json};

use super::variables::OURS;

/// A configuration and a namespace.
#[derive(Clone, Debug)]
pub(crate) struct Situation {
    pub(crate) config: Config,
    pub(crate) namespace: Option<&'static str>,
    pub(crate) namespace_default: bool,
}

type Json = BoxedStrategy<Value>;

fn one_of(values: &[Value]) -> Json {
    select(values.to_vec()).boxed()
}

/// A value that is valid nowhere.
fn odd() -> Json {
    one_of(&[json!(null), json!("odd"), json!(7), json!(true)])
}

/// A key that is present with this probability.
fn key(
    name: &'static str,
    share: f64,
    value: impl Strategy<Value = Value> + 'static,
) -> BoxedStrategy<Option<(String, Value)>> {
    weighted(share, value)
        .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        .boxed()
}

fn object(keys: Vec<BoxedStrategy<Option<(String, Value)>>>) -> Json {
    keys.prop_map(|keys| Value::Object(keys.into_iter().flatten().collect()))
        .boxed()
}

/// This value, and rarely an odd one.
fn mostly(value: Json) -> Json {
    prop_oneof![24 => value, 1 => odd()].boxed()
}

fn list(item: Json, most: usize) -> Json {
    vec(item, 0..=most).prop_map(Value::Array).boxed()
}

/// Names of predictors, containers and nodes. There are few, so that names meet.
fn name() -> Json {
    prop_oneof![
        12 => one_of(&[json!("default"), json!("model"), json!("a"), json!("b")]),
        2 => one_of(&[json!("a#2"), json!("100%"), json!("a%232"), json!("x=y,\n"), json!("")]),
        1 => odd(),
    ]
    .boxed()
}

fn variable() -> Json {
    let names = [
        &OURS[..],
        &["JAEGER_DISABLED", "JAEGER_ENDPOINT", "JAEGER_USER"],
    ]
    .concat();
    let values = [
        "1",
        "0",
        "true",
        "status.hostIP",
        "5775",
        "const",
        "probabilistic",
        "5",
        "a=b",
        "a=b,",
        "/etc/seldon-tracing/tracing.yml",
        "otel:4317",
        "",
    ];
    let from = [
        json!({"fieldRef": {"fieldPath": "status.hostIP"}}),
        json!({"fieldRef": {"fieldPath": "status.hostIP", "apiVersion": "v1"}}),
        json!({"configMapKeyRef": {"name": "cm", "key": "k"}}),
        json!(null),
    ];
    prop_oneof![
        8 => select(vec!["FOO", "PREDICTIVE_UNIT_ID"]).prop_map(|name| json!({"name": name, "value": "bar"})),
        8 => (select(names.clone()), select(values.to_vec())).prop_map(|(name, value)| json!({"name": name, "value": value})),
        4 => (select(names.clone()), select(from.to_vec())).prop_map(|(name, from)| json!({"name": name, "valueFrom": from})),
        1 => one_of(&[json!({}), json!({"name": 5}), json!({"name": "TRACING", "value": 1}), json!({"name": "TRACING"})]),
        1 => odd(),
    ]
    .boxed()
}

fn env() -> Json {
    mostly(list(variable(), 4))
}

fn volumes() -> Json {
    mostly(list(
        prop_oneof![
            6 => Just(json!({"name": "data", "emptyDir": {}})),
            1 => Just(json!({"name": CONFIG_VOLUME, "emptyDir": {}})),
            1 => Just(json!({"name": CONFIG_VOLUME, "configMap": {"name": "cm", "items": [{"key": "tracing.yml", "path": "tracing.yml"}]}})),
            1 => odd(),
        ]
        .boxed(),
        2,
    ))
}

fn mounts() -> Json {
    mostly(list(
        prop_oneof![
            6 => Just(json!({"name": "data", "mountPath": "/data"})),
            1 => Just(json!({"name": CONFIG_VOLUME, "mountPath": CONFIG_DIR, "readOnly": true})),
            1 => Just(json!({"name": "other", "mountPath": format!("{CONFIG_DIR}/sub")})),
            1 => odd(),
        ]
        .boxed(),
        2,
    ))
}

fn container() -> Json {
    mostly(object(vec![
        key("name", 0.95, name()),
        key("image", 0.7, Just(json!("model:1"))),
        key("env", 0.5, env()),
        key("volumeMounts", 0.25, mounts()),
        key("resources", 0.2, Just(json!({"limits": {"cpu": 1.50}}))),
    ]))
}

fn components() -> Json {
    let pod = object(vec![
        key("containers", 0.85, mostly(list(container(), 3))),
        key("initContainers", 0.2, mostly(list(container(), 2))),
        key("volumes", 0.25, volumes()),
        key("terminationGracePeriodSeconds", 0.3, Just(json!(1))),
    ]);
    let component = object(vec![
        key("spec", 0.9, mostly(pod)),
        key("metadata", 0.2, Just(json!({"labels": {"a": "b"}}))),
    ]);
    mostly(list(mostly(component), 2))
}

fn graph() -> Json {
    let implementation = [
        "SKLEARN_SERVER",
        "MLFLOW_SERVER",
        "XGBOOST_SERVER",
        "TENSORFLOW_SERVER",
        "TRITON_SERVER",
        "HUGGINGFACE_SERVER",
        "TEMPO_SERVER",
        "SIMPLE_MODEL",
        "SIMPLE_ROUTER",
        "RANDOM_ABTEST",
        "AVERAGE_COMBINER",
        "UNKNOWN_IMPLEMENTATION",
        "MINE",
        "",
    ]
    .map(Value::from);
    let node = move |children: BoxedStrategy<Option<(String, Value)>>| {
        object(vec![
            children,
            key("name", 0.95, name()),
            key("implementation", 0.6, mostly(one_of(&implementation))),
            key("type", 0.5, Just(json!("MODEL"))),
        ])
    };
    let leaf = node(Just(None).boxed());
    leaf.prop_recursive(3, 8, 3, move |inner| {
        node(key(
            "children",
            0.8,
            mostly(
                vec(mostly(inner.boxed()), 0..3)
                    .prop_map(Value::Array)
                    .boxed(),
            ),
        ))
    })
    .boxed()
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn setting() -> BoxedStrategy<(String, Value)> {
    let texts: [(&str, &[&str]); 9] = [
        (
            "agent-host",
            &["status.hostIP", "jaeger", "[::1]", "::1", "host:1", ""],
        ),
        ("agent-port", &["6831", "1", "65535", "6832", "0", "a"]),
        (
            "sampler-type",
            &[
                "const",
                "probabilistic",
                "ratelimiting",
                "remote",
                "Const",
                "",
            ],
        ),
        (
            "sampler-param",
            &["0", "1", "0.50", "00.5", "010", "10%", "1e3"],
        ),
        (
            "service-name",
            &[
                "{namespace}.{name}",
                "{predictor}",
                "{nope}",
                "plain",
                "a b",
                "",
            ],
        ),
        (
            "tags",
            &[
                "a=b",
                "c={container},p={predictor}",
                "a=b,",
                "a=${X:y}",
                "a=${X}",
                "{name}={name}",
                "",
            ],
        ),
        (
            "config-map",
            &[
                "cm",
                "cm/jaeger.yml",
                "other/tracing.yml",
                "CM",
                "cm/../x",
                "",
            ],
        ),
        (
            "otlp-endpoint",
            &["otel:4317", "[::1]:1", "http://otel:4317", "otel", ""],
        ),
        (
            "exclude-containers",
            &["a", "model, b", "nobody", "a b", ""],
        ),
    ];
    let pairs: Vec<(&str, &str)> = texts
        .iter()
        .flat_map(|(name, texts)| texts.iter().map(|text| (*name, *text)))
        .collect();
    let name = |name: &str| format!("tracing.seldon.io/{name}");
    prop_oneof![
        20 => select(pairs).prop_map(move |(key, text)| (name(key), json!(text))),
        1 => Just((name("agent-hots"), json!("x"))),
        1 => odd().prop_map(move |value| (name("tags"), value)),
    ]
    .boxed()
}

/// Annotations: the trigger with probability `share`, settings, and keys of others.
fn annotations(share: f64) -> Json {
    let trigger = prop_oneof![
        8 => one_of(&[json!("true"), json!("True"), json!("sampled")]),
        1 => one_of(&[json!("false"), json!("ture"), json!(true)]),
    ];
    let others = select(vec![
        ("seldon.io/no-engine", "true"),
        ("seldon.io/no-engine", "false"),
        ("seldon.io/engine-jaeger-agent-host", "x"),
        ("seldon.io/engine-tracing", "0"),
        ("seldon.io/engine-jaeger-sampler-type", "const"),
        ("team/name", "mine"),
    ])
    .prop_map(|(key, value)| (key.to_owned(), json!(value)));
    (
        weighted(share, trigger),
        vec(setting(), 0..3),
        vec(others, 0..2),
    )
        .prop_map(|(trigger, settings, others)| {
            let mut map = Map::new();
            map.extend(trigger.map(|value| ("tracing".to_owned(), value)));
            map.extend(settings);
            map.extend(others);
            Value::Object(map)
        })
        .boxed()
}

fn predictor() -> Json {
    let orchestrator = object(vec![
        key("env", 0.6, env()),
        key("resources", 0.3, Just(json!({"limits": {}}))),
    ]);
    let explainer = object(vec![
        key(
            "type",
            0.8,
            one_of(&[json!("AnchorTabular"), json!(""), json!(1)]),
        ),
        key("modelUri", 0.5, Just(json!("gs://x"))),
        key("containerSpec", 0.7, container()),
    ]);
    mostly(object(vec![
        key("name", 0.95, name()),
        key("annotations", 0.3, mostly(annotations(0.3))),
        key("graph", 0.95, mostly(graph())),
        key("componentSpecs", 0.8, components()),
        key("svcOrchSpec", 0.5, mostly(orchestrator)),
        key("explainer", 0.3, mostly(explainer)),
        key("replicas", 0.3, Just(json!(2))),
    ]))
}

/// A `SeldonDeployment` that was never injected.
pub(crate) fn deployment() -> Json {
    let metadata = object(vec![
        key("name", 0.95, Just(json!("iris"))),
        key("namespace", 0.3, Just(json!("seldon"))),
        key("annotations", 0.9, mostly(annotations(0.9))),
        key("labels", 0.3, Just(json!({"tracing": "x"}))),
        key(
            "deletionTimestamp",
            0.02,
            Just(json!("2026-01-01T00:00:00Z")),
        ),
    ]);
    let spec = object(vec![
        key("name", 0.3, Just(json!("iris"))),
        key("annotations", 0.3, mostly(annotations(0.3))),
        key(
            "protocol",
            0.4,
            one_of(&[
                json!("seldon"),
                json!("v2"),
                json!("kfserving"),
                json!("tensorflow"),
                json!(""),
            ]),
        ),
        key(
            "predictors",
            0.98,
            vec(predictor(), 1..=4).prop_map(Value::Array),
        ),
    ]);
    object(vec![
        key(
            "apiVersion",
            0.99,
            Just(json!("machinelearning.seldon.io/v1")),
        ),
        key("kind", 0.99, Just(json!("SeldonDeployment"))),
        key("metadata", 0.99, metadata),
        key("spec", 0.99, spec),
        key("status", 0.2, Just(json!({"state": "Available"}))),
    ])
}

fn settings(base: Settings) -> BoxedStrategy<Settings> {
    let host = select(vec!["status.hostIP", "jaeger-agent", "[::1]"]);
    let port = select(vec!["5775", "6831"]);
    // A config file with half a sampler is refused.
    let sampler = select(vec![
        ("const", "1"),
        ("probabilistic", "0.25"),
        ("ratelimiting", "5"),
        ("remote", "0"),
    ]);
    let others = (
        of(select(vec!["{namespace}.{name}", "seldon", ""])),
        of(select(vec!["p={predictor}", "env=prod,c={container}"])),
        weighted(0.3, select(vec!["cm", "other/jaeger.yml", "cm/b.yml"])),
        weighted(0.3, select(vec!["a", "model,b"])),
        weighted(0.4, select(vec!["otel:4317", "[fd00::5]:4317", ""])),
    );
    (of(host), of(port), of(sampler), others)
        .prop_map(
            move |(host, port, sampler, (service, tags, config_map, exclude, otlp))| {
                let mut settings = base.clone();
                let (kind, param) = sampler.unzip();
                for (setting, text) in [
                    (Setting::AgentHost, host),
                    (Setting::AgentPort, port),
                    (Setting::SamplerType, kind),
                    (Setting::SamplerParam, param),
                    (Setting::ServiceName, service),
                    (Setting::Tags, tags),
                    (Setting::ConfigMap, config_map),
                    (Setting::ExcludeContainers, exclude),
                    (Setting::OtlpEndpoint, otlp),
                ] {
                    if let Some(text) = text {
                        settings.set(setting, text);
                    }
                }
                settings
            },
        )
        .boxed()
}

fn config() -> BoxedStrategy<Config> {
    let layers = (
        settings(Settings::built_in()),
        settings(Settings::default()),
        settings(Settings::default()),
    );
    let switches = proptest::array::uniform4(proptest::bool::weighted(0.85));
    (layers, switches, any::<bool>())
        .prop_map(
            |(
                (defaults, profile, namespace),
                [containers, orchestrator, prepackaged_servers, explainer],
                init_containers,
            )| Config {
                targets: Targets {
                    containers,
                    orchestrator,
                    prepackaged_servers,
                    explainer,
                    init_containers,
                },
                defaults,
                profiles: [("sampled".to_owned(), profile)].into(),
                namespaces: [("seldon".to_owned(), namespace)].into(),
                ..Config::default()
            },
        )
        .boxed()
}

pub(crate) fn situation() -> BoxedStrategy<Situation> {
    (config(), of(Just("seldon")), proptest::bool::weighted(0.3))
        .prop_map(|(config, namespace, namespace_default)| Situation {
            config,
            namespace,
            namespace_default,
        })
        .boxed()
}

/// Any JSON, with keys that the engine reads.
pub(crate) fn anything() -> Json {
    let keys = [
        "metadata",
        "annotations",
        "spec",
        "predictors",
        "componentSpecs",
        "containers",
        "initContainers",
        "env",
        "name",
        "value",
        "valueFrom",
        "volumes",
        "volumeMounts",
        "svcOrchSpec",
        "explainer",
        "containerSpec",
        "graph",
        "children",
        "implementation",
        "tracing",
        "tracing.seldon.io/injected",
        "tracing.seldon.io/tags",
        "protocol",
        "deletionTimestamp",
        "a/b~c",
        "",
    ];
    let leaf = prop_oneof![
        odd(),
        select(vec![
            "true",
            "TRACING",
            "SKLEARN_SERVER",
            "a",
            "",
            "{\"v\":1,\"sets\":[],\"predictors\":{}}"
        ])
        .prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((select(keys.to_vec()), inner), 0..7).prop_map(|entries| Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
        ]
    })
    .boxed()
}

/// The object with null for each odd value.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(map) => {
            let is_number = |key: &str| {
                [
                    "replicas",
                    "terminationGracePeriodSeconds",
                    "cpu",
                    "readOnly",
                ]
                .contains(&key)
            };
            let entry = |(key, value): (&String, &Value)| {
                let value = if is_number(key) {
                    value.clone()
                } else {
                    plain(value)
                };
                (key.clone(), value)
            };
            let mut map: Map<String, Value> = map.iter().map(entry).collect();
            if let Some(Value::Object(annotations)) = map.get_mut("annotations") {
                annotations.retain(|_, value| value.is_string());
            }
            Value::Object(map)
        }
        Value::String(text) if text == "odd" => Value::Null,
        Value::String(text) => json!(text),
        _ => Value::Null,
    }
}
