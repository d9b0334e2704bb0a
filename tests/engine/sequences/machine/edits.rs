//! What users do to an object, one edit at a time.

use serde_json::{Map, Value, json};

use super::super::variables::OURS;
use super::marks::{RECORD, bare, blur, predictors, record};
use super::structure::{edit_container, edit_graph, edit_predictor, edit_volumes};

const VALUES: [&str; 16] = [
    "1",
    "0",
    "5775",
    "6831",
    "5776",
    "const",
    "probabilistic",
    "remote",
    "jaeger-agent",
    "a=b",
    "true",
    "/etc/seldon-tracing/tracing.yml",
    "otel:4317",
    "0.25",
    "",
    "5",
];

const TRIGGERS: [&str; 8] = [
    "true", "false", "sampled", "TRUE", "tru", "gone", "", "False",
];

const SETTINGS: [(&str, &str); 26] = [
    ("agent-host", "status.hostIP"),
    ("agent-host", "jaeger"),
    ("agent-host", "::1"),
    ("agent-port", "6831"),
    ("agent-port", "6832"),
    ("sampler-type", "probabilistic"),
    ("sampler-type", "const"),
    ("sampler-type", "Const"),
    ("sampler-param", "0.5"),
    ("sampler-param", "1"),
    ("sampler-param", "00.5"),
    ("service-name", "{namespace}.{name}"),
    ("service-name", "a b"),
    ("tags", "c={container}"),
    ("tags", "p={predictor},a=b"),
    ("tags", "a=b,"),
    ("config-map", "cm"),
    ("config-map", "cm/b.yml"),
    ("config-map", "other"),
    ("config-map", "CM"),
    ("config-map", ""),
    ("otlp-endpoint", "otel:4317"),
    ("otlp-endpoint", "http://x"),
    ("exclude-containers", "model"),
    ("exclude-containers", "one, seldon-container-engine"),
    ("agent-hots", "x"),
];

/// One of a list, by a byte.
pub(super) fn pick<T>(list: &[T], at: u8) -> Option<&T> {
    (!list.is_empty()).then(|| &list[usize::from(at) % list.len()])
}

/// A variable of ours or of others. The last two come twice as often.
fn variable(at: u8) -> Option<&'static str> {
    let others = [
        "JAEGER_DISABLED",
        "JAEGER_ENDPOINT",
        "FOO",
        OURS[2],
        OURS[4],
    ];
    pick(&[&OURS[..], &others].concat(), at).copied()
}

/// Values that are no list.
pub(super) fn odd(at: u8) -> Option<Value> {
    [
        None,
        Some(json!(null)),
        Some(json!({})),
        Some(json!([])),
        Some(json!("x")),
        Some(json!(7)),
    ][usize::from(at) % 6]
        .clone()
}

pub(super) fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(map.insert(key.to_owned(), value)),
        None => drop(map.shift_remove(key)),
    }
}

/// The pointers to everything that may hold an env.
fn holders(object: &Value) -> Vec<String> {
    let mut found = containers(object);
    for (at, predictor) in predictors(object).iter().enumerate() {
        for place in ["svcOrchSpec", "explainer/containerSpec"] {
            if predictor
                .pointer(&format!("/{place}"))
                .is_some_and(Value::is_object)
            {
                found.push(format!("/spec/predictors/{at}/{place}"));
            }
        }
    }
    found
}

pub(super) fn containers(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for pod in pods(object) {
        for list in ["containers", "initContainers"] {
            let count = object
                .pointer(&format!("{pod}/{list}"))
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            found.extend((0..count).map(|at| format!("{pod}/{list}/{at}")));
        }
    }
    found.retain(|pointer| object.pointer(pointer).is_some_and(Value::is_object));
    found
}

pub(super) fn pods(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (at, predictor) in predictors(object).iter().enumerate() {
        let count = predictor["componentSpecs"].as_array().map_or(0, Vec::len);
        found.extend(
            (0..count).map(|pod| format!("/spec/predictors/{at}/componentSpecs/{pod}/spec")),
        );
    }
    found.retain(|pointer| object.pointer(pointer).is_some_and(Value::is_object));
    found
}

/// Something in an object, by a byte.
pub(super) fn at<'o>(
    object: &'o mut Value,
    pointers: &[String],
    at: u8,
) -> Option<&'o mut Map<String, Value>> {
    object.pointer_mut(pick(pointers, at)?)?.as_object_mut()
}

/// The annotations of the object, of its spec or of a predictor.
pub(super) fn annotations(object: &mut Value, place: u8) -> Option<&mut Map<String, Value>> {
    let holder = match place % 4 {
        0 | 1 => object.get_mut("metadata")?,
        2 => object.get_mut("spec")?,
        _ => object
            .pointer_mut("/spec/predictors")?
            .as_array_mut()?
            .get_mut(usize::from(place / 4) % 2)?,
    };
    let annotations = holder
        .as_object_mut()?
        .entry("annotations")
        .or_insert_with(|| json!({}));
    annotations.as_object_mut()
}

/// One kind of step. Says whether it did anything.
pub(super) type Edit = fn(&mut Value, [u8; 3]) -> Option<()>;

/// What users do to an object, with how often.
pub(super) const EDITS: [(&str, Edit); 20] = [
    ("sets a variable", set_variable),
    ("sets a variable", set_variable),
    ("deletes an entry of an env", delete_entry),
    ("deletes an entry of an env", delete_entry),
    ("deletes a variable everywhere", delete_variable),
    ("changes an entry of an env", change_entry),
    ("moves or doubles an entry of an env", move_entry),
    ("breaks a list", break_list),
    ("breaks a list", break_list),
    ("edits a container", edit_container),
    ("edits a container", edit_container),
    ("edits a predictor", edit_predictor),
    ("writes a trigger", write_trigger),
    ("writes a trigger", write_trigger),
    ("writes a setting", write_setting),
    ("writes a setting", write_setting),
    ("touches the record", touch_record),
    ("edits what decides targets", edit_graph),
    ("edits volumes and mounts", edit_volumes),
    ("changes something else", change_else),
];

fn env(object: &mut Value, place: u8) -> Option<&mut Vec<Value>> {
    let places = holders(object);
    at(object, &places, place)?.get_mut("env")?.as_array_mut()
}

fn value(what: u8) -> Value {
    json!(VALUES[usize::from(what) % VALUES.len()])
}

fn set_variable(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let name = variable(what)?;
    let entry = match how / 16 {
        0 => json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}),
        1 => json!({"name": name}),
        _ => json!({"name": name, "value": value(how)}),
    };
    let places = holders(object);
    let list = at(object, &places, place)?
        .entry("env")
        .or_insert_with(|| json!([]));
    if !list.is_array() {
        *list = json!([]);
    }
    let list = list.as_array_mut()?;
    match list
        .iter_mut()
        .find(|item| item["name"] == name)
        .filter(|_| what < 224)
    {
        Some(found) if bare(found) == entry => {}
        Some(found) => *found = entry,
        None if what % 2 == 0 => list.insert(0, entry),
        None => list.push(entry),
    }
    Some(())
}

fn delete_entry(object: &mut Value, [place, what, _]: [u8; 3]) -> Option<()> {
    let list = env(object, place)?;
    (!list.is_empty()).then(|| drop(list.remove(usize::from(what) % list.len())))
}

fn delete_variable(object: &mut Value, [_, what, _]: [u8; 3]) -> Option<()> {
    let name = variable(what)?;
    for place in holders(object) {
        let list = object
            .pointer_mut(&place)
            .and_then(|holder| holder.get_mut("env"));
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.retain(|item| item["name"] != name);
        }
    }
    Some(())
}

fn change_entry(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let list = env(object, place)?;
    let count = list.len();
    let entry = list.get_mut(usize::from(what) % count.max(1))?;
    let name = entry["name"].clone();
    let changed = match how / 16 {
        0 => json!(null),
        1 => json!({"name": name}),
        2 => json!({"name": name, "value": entry["value"], "more": true}),
        3 => json!({"name": name, "value": 1}),
        4 => json!({"name": "RENAMED", "value": entry["value"]}),
        _ => json!({"name": name, "value": value(how)}),
    };
    if bare(entry) != changed {
        *entry = changed;
    }
    Some(())
}

fn move_entry(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let list = env(object, place)?;
    let from = usize::from(what).checked_rem(list.len())?;
    match how % 4 {
        0 => list.reverse(),
        1 => list.swap(0, from),
        2 => list.rotate_left(from),
        _ => list.push(bare(&list[from])),
    }
    Some(())
}

fn break_list(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let (places, key) = match what % 8 {
        0 | 1 => (holders(object), "env"),
        2 => (containers(object), "volumeMounts"),
        3 => (pods(object), "volumes"),
        4 => (
            pods(object),
            if what & 64 == 0 {
                "containers"
            } else {
                "initContainers"
            },
        ),
        _ => {
            let key = [
                "svcOrchSpec",
                "componentSpecs",
                "explainer",
                "annotations",
                "graph",
            ][usize::from(what / 8) % 5];
            let count = predictors(object).len();
            (
                (0..count)
                    .map(|at| format!("/spec/predictors/{at}"))
                    .collect(),
                key,
            )
        }
    };
    put(at(object, &places, place)?, key, odd(how));
    Some(())
}

fn write_trigger(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let key = if how % 8 == 0 {
        "team/trace"
    } else {
        "tracing"
    };
    let value = match what % 11 {
        8 => Some(json!(true)),
        9 => Some(json!(null)),
        10 => None,
        at => Some(json!(TRIGGERS[usize::from(at)])),
    };
    put(annotations(object, place)?, key, value);
    Some(())
}

fn write_setting(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let (name, text) = *pick(&SETTINGS, what)?;
    let value = match how % 8 {
        0 => None,
        1 => Some(json!(7)),
        _ => Some(json!(text)),
    };
    put(
        annotations(object, place)?,
        &format!("tracing.seldon.io/{name}"),
        value,
    );
    Some(())
}

/// The record goes, is damaged, or comes from another object. Nobody can tell what is ours then.
fn touch_record(object: &mut Value, [_, what, how]: [u8; 3]) -> Option<()> {
    let old = record(object)?.clone();
    let text = old.as_str().unwrap_or_default();
    let new = match what % 8 {
        0 | 1 => None,
        2 => Some(json!(
            text.chars().take(usize::from(how)).collect::<String>()
        )),
        3 => Some(json!(text.replace("\"v\":1", "\"v\":2"))),
        4 => Some(json!(null)),
        5 => Some(json!(text.replace("5775", "6831"))),
        6 => Some(json!(
            text.replace("main", "~")
                .replace("canary", "main")
                .replace('~', "canary")
        )),
        _ => Some(json!(text.replace("\"containers\"", "\"initContainers\""))),
    };
    if new.as_ref() != Some(&old) {
        blur(object);
    }
    put(annotations(object, 0)?, RECORD, new);
    Some(())
}

fn change_else(object: &mut Value, [_, what, how]: [u8; 3]) -> Option<()> {
    match what % 3 {
        0 => object["metadata"]["labels"] = json!({"touched": how.to_string()}),
        1 => put(
            annotations(object, what / 3)?,
            "team/name",
            Some(json!(how.to_string())),
        ),
        _ => object["spec"]["name"] = json!(how.to_string()),
    }
    Some(())
}
