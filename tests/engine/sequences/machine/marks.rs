//! Which parts are ours. The machine holds each object with marks in it: every part that a patch of ours added carries [`OURS`], and a part
//! of which the record cannot tell whose it is carries [`EITHER`]. Users' steps work on the marked object too, so what a user adds or
//! changes has no mark. This shares no code with the engine and does not read the record, except for what `docs/record.md` calls its limits.

use serde_json::{Map, Value, json};

/// A patch of ours added this part.
pub(crate) const OURS: &str = "~ours";

/// The part may go or stay: a user wrote exactly what the record claims, or took the record away.
pub(crate) const EITHER: &str = "~either";

/// The annotation with the record.
pub(crate) const RECORD: &str = "tracing.seldon.io/injected";

/// Keys whose value says the same when it is empty, null or not there.
const STRUCTURE: [&str; 10] = [
    "componentSpecs",
    "spec",
    "containers",
    "initContainers",
    "volumes",
    "volumeMounts",
    "env",
    "svcOrchSpec",
    "annotations",
    "metadata",
];

/// Marks all parts of a value that a patch adds at `path`.
pub(crate) fn mark(value: &mut Value, path: &str) {
    if !path.contains("annotations") {
        mark_all(value, OURS);
    }
}

fn mark_all(value: &mut Value, with: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| mark_all(item, with)),
        Value::Object(map) => {
            for (key, part) in &mut *map {
                if STRUCTURE.contains(&key.as_str()) {
                    mark_all(part, with);
                }
            }
            map.insert(with.to_owned(), json!(true));
        }
        _ => {}
    }
}

/// The object as the API server has it.
pub(crate) fn bare(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(bare).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, _)| *key != OURS && *key != EITHER)
                .map(|(key, part)| (key.clone(), bare(part)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Turns all marks into [`EITHER`].
pub(crate) fn blur(value: &mut Value) {
    each_map(value, &mut |map| {
        if map.shift_remove(OURS).is_some() {
            map.insert(EITHER.to_owned(), json!(true));
        }
    });
}

/// Calls `look` for every object in a value, innermost first.
pub(crate) fn each_map(value: &mut Value, look: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| each_map(item, look)),
        Value::Object(map) => {
            map.values_mut().for_each(|part| each_map(part, look));
            look(map);
        }
        _ => {}
    }
}

/// What the user has in an object: without the record, without parts that are ours or either's, without empty structure.
pub(crate) fn users(object: &Value) -> Value {
    let mut object = object.clone();
    keep_users(&mut object, "");
    object
}

/// Says whether the part goes.
fn keep_users(value: &mut Value, key: &str) -> bool {
    match value {
        // An item that is no object is a user's, whatever it is.
        Value::Array(list) => list.retain_mut(|item| !item.is_object() || !keep_users(item, key)),
        Value::Object(map) => {
            let marked = is_marked(map);
            map.shift_remove(OURS);
            map.shift_remove(EITHER);
            if marked && ["env", "volumes", "volumeMounts"].contains(&key) {
                return true;
            }
            if key == "annotations" {
                map.shift_remove(RECORD);
            }
            map.retain(|key, part| !keep_users(part, key));
            // A stub is gone when nothing but its name is left.
            return marked && map.keys().all(|key| key == "name")
                || map.is_empty() && STRUCTURE.contains(&key) && !is_item(key);
        }
        Value::Null => return STRUCTURE.contains(&key),
        _ => {}
    }
    STRUCTURE.contains(&key) && value.as_array().is_some_and(Vec::is_empty)
}

/// Whether objects under that key are items of a list.
fn is_item(key: &str) -> bool {
    !["spec", "svcOrchSpec", "annotations", "metadata"].contains(&key)
}

pub(crate) fn is_marked(map: &Map<String, Value>) -> bool {
    map.contains_key(OURS) || map.contains_key(EITHER)
}

/// The first part that is ours and of which nothing else is left, for a message. A structure in which a user has something stays.
pub(crate) fn find_ours(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => list.iter().find_map(find_ours),
        Value::Object(map) if map.contains_key(OURS) && !is_touched(map) => {
            Some(bare(value).to_string())
        }
        Value::Object(map) => map.values().find_map(find_ours),
        _ => None,
    }
}

/// Whether a part that is ours has something in it that is not, or may not be.
pub(crate) fn is_touched(map: &Map<String, Value>) -> bool {
    let is_ours = |value: &Value| {
        value
            .as_object()
            .is_some_and(|map| map.contains_key(OURS) && !is_touched(map))
    };
    let mut structure = STRUCTURE.iter().filter_map(|key| map.get(*key));
    structure.any(|part| match part {
        Value::Array(list) => list.is_empty() || !list.iter().all(is_ours),
        part => !is_ours(part),
    }) || !is_item_of_ours(map) && map.keys().any(|key| !is_known(key))
}

/// Whether there is nothing in a structure but what has a mark, a list of volumes without any, and a null for init containers.
pub(crate) fn is_all_marked(map: &Map<String, Value>) -> bool {
    let marked = |value: &Value| value.as_object().is_some_and(is_marked);
    let says_nothing = |key: &str, part: &Value| match key {
        "volumes" => part.is_null() || *part == json!([]),
        "initContainers" => part.is_null(),
        _ => false,
    };
    let mut parts = map
        .iter()
        .filter(|(key, part)| !says_nothing(key, part))
        .peekable();
    parts.peek().is_some()
        && parts.all(|(key, part)| {
            STRUCTURE.contains(&key.as_str())
                && match part {
                    Value::Array(list) => !list.is_empty() && list.iter().all(marked),
                    part => marked(part),
                }
        })
}

/// Whether there is nothing in a container but its name and what has a mark.
pub(crate) fn is_like_a_stub(map: &Map<String, Value>) -> bool {
    let marked = |item: &Value| item.as_object().is_some_and(is_marked);
    map.iter().all(|(key, part)| match key.as_str() {
        "env" | "volumeMounts" => items(Some(part)).iter().all(marked),
        _ => is_known(key),
    })
}

/// Whether it is an entry of an env, a mount or a volume: a user who changes one makes it the user's own.
fn is_item_of_ours(map: &Map<String, Value>) -> bool {
    ["value", "valueFrom", "mountPath", "configMap"]
        .iter()
        .any(|key| map.contains_key(*key))
}

fn is_known(key: &str) -> bool {
    STRUCTURE.contains(&key) || ["name", OURS, EITHER].contains(&key)
}

pub(crate) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn predictors(object: &Value) -> &[Value] {
    items(object.get("spec").and_then(|spec| spec.get("predictors")))
}

pub(crate) fn record(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("annotations")?.get(RECORD)
}

/// Whether two things go by one name, where the record tells them apart by their order only.
pub(crate) fn has_twins(object: &Value) -> bool {
    let has = |mut names: Vec<&Value>| {
        names.sort_unstable_by_key(ToString::to_string);
        names.windows(2).any(|pair| pair[0] == pair[1])
    };
    let predictors = predictors(object);
    has(predictors
        .iter()
        .map(|predictor| &predictor["name"])
        .collect())
        || predictors.iter().any(|predictor| {
            ["containers", "initContainers"].iter().any(|list| {
                let components = items(predictor.get("componentSpecs")).iter();
                let containers =
                    components.flat_map(|component| items(component["spec"].get(*list)));
                has(containers.map(|container| &container["name"]).collect())
            })
        })
}
