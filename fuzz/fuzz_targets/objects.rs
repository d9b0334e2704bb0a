//! Objects that are nearly `SeldonDeployments`.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::{Map, Value, json};

use crate::variables::OURS;

/// An object, in the shape of the resource but for a part here and there.
#[derive(Debug)]
pub(crate) struct Deployment(Value);

impl Deployment {
    pub(crate) fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl<'a> Arbitrary<'a> for Deployment {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut object = json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": "iris", "namespace": "models"},
        });
        if bytes.ratio(7, 8)? {
            object["metadata"]["annotations"] = annotations(bytes)?;
        }
        object["spec"] = part(bytes, &SPEC, 0)?;
        Ok(Self(object))
    }
}

/// What may stand in a part: keys, and how their values are made.
type Shape = [(&'static str, Make)];
type Make = fn(&mut Unstructured<'_>, usize) -> Result<Value>;

const SPEC: [(&str, Make); 4] = [
    ("predictors", |bytes, depth| list(bytes, &PREDICTOR, depth)),
    ("annotations", |bytes, _| annotations(bytes)),
    ("protocol", |bytes, _| {
        text(bytes, &["seldon", "v2", "kfserving", "tensorflow", ""])
    }),
    ("replicas", |_, _| Ok(json!(1))),
];
const PREDICTOR: [(&str, Make); 6] = [
    ("name", |bytes, _| name(bytes)),
    ("graph", |bytes, depth| part(bytes, &NODE, depth)),
    ("componentSpecs", |bytes, depth| {
        list(bytes, &COMPONENT, depth)
    }),
    ("svcOrchSpec", |bytes, depth| {
        part(bytes, &ORCHESTRATOR, depth)
    }),
    ("explainer", |bytes, depth| part(bytes, &EXPLAINER, depth)),
    ("annotations", |bytes, _| annotations(bytes)),
];
const COMPONENT: [(&str, Make); 2] = [
    ("spec", |bytes, depth| part(bytes, &POD, depth)),
    ("metadata", |_, _| Ok(json!({"labels": {"a": "b"}}))),
];
const POD: [(&str, Make); 3] = [
    ("containers", |bytes, depth| list(bytes, &CONTAINER, depth)),
    ("initContainers", |bytes, depth| {
        list(bytes, &CONTAINER, depth)
    }),
    ("volumes", |bytes, depth| list(bytes, &VOLUME, depth)),
];
const CONTAINER: [(&str, Make); 4] = [
    ("name", |bytes, _| name(bytes)),
    ("image", |_, _| Ok(json!("model:1"))),
    ("env", |bytes, depth| list(bytes, &VARIABLE, depth)),
    ("volumeMounts", |bytes, depth| list(bytes, &MOUNT, depth)),
];
const ORCHESTRATOR: [(&str, Make); 2] = [
    ("env", |bytes, depth| list(bytes, &VARIABLE, depth)),
    ("resources", |_, _| Ok(json!({}))),
];
const EXPLAINER: [(&str, Make); 2] = [
    ("type", |bytes, _| text(bytes, &["AnchorTabular", ""])),
    ("containerSpec", |bytes, depth| {
        part(bytes, &CONTAINER, depth)
    }),
];
const NODE: [(&str, Make); 3] = [
    ("name", |bytes, _| name(bytes)),
    ("implementation", |bytes, _| {
        text(
            bytes,
            &[
                "SKLEARN_SERVER",
                "MLFLOW_SERVER",
                "TENSORFLOW_SERVER",
                "TRITON_SERVER",
                "SIMPLE_MODEL",
                "MINE",
                "",
            ],
        )
    }),
    ("children", |bytes, depth| list(bytes, &NODE, depth)),
];
const VOLUME: [(&str, Make); 2] = [
    ("name", |bytes, _| {
        text(bytes, &["data", "seldon-tracing-config"])
    }),
    ("configMap", |bytes, _| {
        let key = text(bytes, &["tracing.yml", "b.yml"])?;
        Ok(json!({"name": text(bytes, &["cm", "other"])?, "items": [{"key": key, "path": key}]}))
    }),
];
const MOUNT: [(&str, Make); 3] = [
    ("name", |bytes, _| {
        text(bytes, &["data", "seldon-tracing-config"])
    }),
    ("mountPath", |bytes, _| {
        text(
            bytes,
            &[
                "/data",
                "/etc/seldon-tracing",
                "/etc",
                "/etc/seldon-tracing/sub",
            ],
        )
    }),
    ("readOnly", |bytes, _| Ok(json!(bytes.arbitrary::<bool>()?))),
];
const VARIABLE: [(&str, Make); 3] = [
    ("name", |bytes, _| {
        text(bytes, &[&OURS[..], &OTHERS].concat())
    }),
    ("value", |bytes, _| text(bytes, &VALUES)),
    ("valueFrom", |bytes, _| {
        Ok(json!({"fieldRef": {"fieldPath": text(bytes, &["status.hostIP", "metadata.name"])?}}))
    }),
];
/// Variables that are not ours, beside those that are.
const OTHERS: [&str; 4] = ["JAEGER_DISABLED", "JAEGER_ENDPOINT", "JAEGER_USER", "FOO"];
const VALUES: [&str; 13] = [
    "1",
    "0",
    "true",
    "status.hostIP",
    "5775",
    "6831",
    "const",
    "probabilistic",
    "0.5",
    "a=b",
    "otel:4317",
    "/etc/seldon-tracing/tracing.yml",
    "",
];

fn name(bytes: &mut Unstructured<'_>) -> Result<Value> {
    text(bytes, &["model", "default", "a", "b", "a#2", "100%", ""])
}

fn text(bytes: &mut Unstructured<'_>, among: &[&str]) -> Result<Value> {
    if bytes.ratio(1, 32)? {
        return Ok(json!(bytes.arbitrary::<&str>()?));
    }
    Ok(json!(bytes.choose(among)?))
}

fn odd(bytes: &mut Unstructured<'_>) -> Result<Value> {
    Ok(bytes
        .choose(&[
            json!(null),
            json!({}),
            json!([]),
            json!("x"),
            json!(7),
            json!(true),
        ])?
        .clone())
}

fn part(bytes: &mut Unstructured<'_>, shape: &Shape, depth: usize) -> Result<Value> {
    if bytes.ratio(1, 24)? || depth > 12 {
        return odd(bytes);
    }
    let mut map = Map::new();
    for (key, make) in shape {
        if bytes.ratio(3, 4)? {
            map.insert((*key).to_owned(), make(bytes, depth + 1)?);
        }
    }
    Ok(Value::Object(map))
}

fn list(bytes: &mut Unstructured<'_>, shape: &Shape, depth: usize) -> Result<Value> {
    if bytes.ratio(1, 24)? {
        return odd(bytes);
    }
    let count = bytes.int_in_range(0..=3)?;
    (0..count).map(|_| part(bytes, shape, depth)).collect()
}

fn annotations(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let mut map = Map::new();
    let triggers = ["true", "false", "TRUE", "tru", "sampled"];
    if bytes.ratio(3, 4)? {
        let value = if bytes.ratio(1, 16)? {
            odd(bytes)?
        } else {
            text(bytes, &triggers)?
        };
        map.insert("tracing".to_owned(), value);
    }
    let settings: [(&str, &[&str]); 10] = [
        (
            "tracing.seldon.io/agent-host",
            &["status.hostIP", "jaeger", "[::1]", "::1"],
        ),
        ("tracing.seldon.io/agent-port", &["6831", "6832", "0"]),
        (
            "tracing.seldon.io/sampler-type",
            &["const", "probabilistic", "Const"],
        ),
        ("tracing.seldon.io/sampler-param", &["1", "0.5", "00.5"]),
        (
            "tracing.seldon.io/service-name",
            &["{namespace}.{name}", "{nope}", ""],
        ),
        (
            "tracing.seldon.io/tags",
            &["c={container},p={predictor}", "a=b,", "{name}={name}", ""],
        ),
        (
            "tracing.seldon.io/config-map",
            &["cm", "other/b.yml", "CM", ""],
        ),
        (
            "tracing.seldon.io/otlp-endpoint",
            &["otel:4317", "http://x", ""],
        ),
        (
            "tracing.seldon.io/exclude-containers",
            &["a", "model, b", "nobody", ""],
        ),
        ("seldon.io/no-engine", &["true", "false"]),
    ];
    for _ in 0..bytes.int_in_range(0..=3)? {
        let (key, texts) = bytes.choose(&settings)?;
        map.insert((*key).to_owned(), text(bytes, texts)?);
    }
    Ok(Value::Object(map))
}

/// Something that happens to a part of an object.
#[derive(Debug, Arbitrary)]
pub(crate) struct Accident {
    part: u16,
    what: What,
}

#[derive(Debug, Arbitrary)]
enum What {
    Goes,
    Doubles,
    MovesFirst,
    Becomes(u8),
}

impl Accident {
    pub(crate) fn hit(&self, value: &mut Value) {
        let count = count(value);
        if count > 0 {
            self.walk(value, &mut (usize::from(self.part) % count));
        }
    }

    fn walk(&self, value: &mut Value, left: &mut usize) -> bool {
        match value {
            Value::Array(list) => {
                for at in 0..list.len() {
                    if *left == 0 {
                        match self.what {
                            What::Goes => drop(list.remove(at)),
                            What::Doubles => list.insert(at, list[at].clone()),
                            What::MovesFirst => list.swap(0, at),
                            What::Becomes(what) => list[at] = becomes(what),
                        }
                        return true;
                    }
                    *left -= 1;
                    if self.walk(&mut list[at], left) {
                        return true;
                    }
                }
            }
            Value::Object(map) => {
                for key in map.keys().cloned().collect::<Vec<_>>() {
                    // The API server sees to the identity of an object.
                    let fixed = ["kind", "apiVersion", "metadata"].contains(&key.as_str());
                    if *left == 0 && !fixed {
                        match self.what {
                            What::Becomes(what) => drop(map.insert(key, becomes(what))),
                            _ => drop(map.shift_remove(&key)),
                        }
                        return true;
                    }
                    *left = left.saturating_sub(1);
                    if map.get_mut(&key).is_some_and(|part| self.walk(part, left)) {
                        return true;
                    }
                }
            }
            _ => {}
        }
        false
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(|item| 1 + count(item)).sum(),
        Value::Object(map) => map.values().map(|item| 1 + count(item)).sum(),
        _ => 0,
    }
}

fn becomes(what: u8) -> Value {
    let scalars = [
        json!(null),
        json!("x"),
        json!([]),
        json!({}),
        json!("1"),
        json!(7),
        json!("false"),
        json!("tru"),
        json!("0"),
    ];
    scalars[usize::from(what) % scalars.len()].clone()
}
