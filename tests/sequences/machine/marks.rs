//! Whose is what. The machine holds each object with marks in it: every part that a patch of ours added carries [`OURS`], and a part
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

/// What a record says about one object, as far as these checks need it.
pub(crate) struct Claims(Value);

impl Claims {
    pub(crate) fn of(object: &Value) -> Self {
        let text = record(object).and_then(Value::as_str).unwrap_or_default();
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    fn predictor(&self, name: &str) -> &Value {
        &self.0["predictors"][key(name)]
    }

    /// Whether an entry is one that the record claims for that target.
    fn has_entry(&self, target: &Value, entry: &Value) -> bool {
        let name = entry["name"].as_str().unwrap_or_default();
        let at = target["set"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok());
        let claimed = at.map_or(&Value::Null, |at| &self.0["sets"][at][name]);
        let expected = match claimed {
            Value::Null => return false,
            Value::String(text) => json!({"name": name, "value": text}),
            path => json!({"name": name, "valueFrom": {"fieldRef": path}}),
        };
        bare(entry) == expected
    }

    /// Whether the record claims such a part for any target at all.
    pub(crate) fn has_anywhere(&self, part: &Map<String, Value>) -> bool {
        let part = Value::Object(part.clone());
        let sets = items(self.0.get("sets")).len();
        part["name"] == "seldon-tracing-config"
            || (0..sets).any(|at| self.has_entry(&json!({"set": at}), &part))
    }

    fn has_volume(predictor: &Value, volume: &Value) -> bool {
        let source = &volume["configMap"];
        let key = &source["items"][0]["key"];
        volume["name"] == "seldon-tracing-config"
            && !predictor["configMap"].is_null()
            && *source
                == json!({"name": predictor["configMap"], "items": [{"key": key, "path": key}]})
    }

    fn has_mount(&self, target: &Value, mount: &Value) -> bool {
        let at = target["set"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok());
        at.is_some_and(|at| !self.0["sets"][at]["JAEGER_CONFIG_PATH"].is_null())
            && bare(mount)
                == json!({"name": "seldon-tracing-config", "mountPath": "/etc/seldon-tracing", "readOnly": true})
    }
}

/// The key of a name in the record, as `docs/record.md` has it.
fn key(name: &str) -> String {
    let escaped = name.replace('%', "%25").replace('#', "%23");
    if escaped == name {
        escaped
    } else {
        escaped + "#1"
    }
}

/// One thing that a record may claim, and whether it does.
pub(crate) struct Part<'o> {
    pub(crate) map: &'o mut Map<String, Value>,
    pub(crate) claimed: bool,
}

/// Calls `look` for every env entry, mount, volume and container of an object, with whether one of the records claims it there.
pub(crate) fn each_claim(object: &mut Value, records: &[Claims], look: &mut dyn FnMut(Part<'_>)) {
    let list = object.pointer_mut("/spec/predictors");
    for predictor in list.and_then(Value::as_array_mut).into_iter().flatten() {
        let name = predictor["name"].as_str().unwrap_or_default().to_owned();
        let claims: Vec<_> = records
            .iter()
            .map(|claims| (claims, claims.predictor(&name)))
            .collect();
        each_claim_of_target(
            predictor.get_mut("svcOrchSpec"),
            "orchestrator",
            &claims,
            look,
        );
        let explainer = predictor.get_mut("explainer");
        let container = explainer.and_then(|it| it.get_mut("containerSpec"));
        each_claim_of_target(container, "explainer", &claims, look);
        let components = predictor.get_mut("componentSpecs");
        for component in components
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let Some(pod) = component.get_mut("spec") else {
                continue;
            };
            for list in ["containers", "initContainers"] {
                let containers = pod.get_mut(list).and_then(Value::as_array_mut);
                for container in containers.into_iter().flatten() {
                    each_claim_of_target(Some(container), list, &claims, look);
                }
            }
            let is_claimed = |item: &Value| {
                claims
                    .iter()
                    .any(|(_, predictor)| Claims::has_volume(predictor, item))
            };
            each_item(pod.get_mut("volumes"), &is_claimed, look);
        }
    }
}

fn each_claim_of_target(
    holder: Option<&mut Value>,
    list: &str,
    claims: &[(&Claims, &Value)],
    look: &mut dyn FnMut(Part<'_>),
) {
    let Some(holder) = holder.filter(|holder| holder.is_object()) else {
        return;
    };
    let name = holder["name"].as_str().unwrap_or_default().to_owned();
    let target = |predictor: &'_ Value| -> Value {
        let found = &predictor[list];
        if list.ends_with("ontainers") {
            found[key(&name)].clone()
        } else {
            found.clone()
        }
    };
    let targets: Vec<_> = claims
        .iter()
        .map(|(claims, predictor)| (*claims, target(predictor)))
        .collect();
    let has_entry = |item: &Value| {
        let mut targets = targets.iter();
        targets.any(|(claims, target)| claims.has_entry(target, item))
    };
    let has_mount = |item: &Value| {
        let mut targets = targets.iter();
        targets.any(|(claims, target)| claims.has_mount(target, item))
    };
    each_item(holder.get_mut("env"), &has_entry, look);
    each_item(holder.get_mut("volumeMounts"), &has_mount, look);
    if list == "containers" {
        let made = |target: &Value| items(target.get("new")).contains(&json!("container"));
        let claimed = targets.iter().any(|(_, target)| made(target));
        if let Some(map) = holder.as_object_mut() {
            look(Part { map, claimed });
        }
    }
}

fn each_item(
    list: Option<&mut Value>,
    is_claimed: &dyn Fn(&Value) -> bool,
    look: &mut dyn FnMut(Part<'_>),
) {
    for item in list.and_then(Value::as_array_mut).into_iter().flatten() {
        let claimed = item.is_object() && is_claimed(item);
        if let Some(map) = item.as_object_mut() {
            look(Part { map, claimed });
        }
    }
}

/// Whether two things go by one name, where the record tells them apart by their order only.
pub(crate) fn has_twins(object: &Value) -> bool {
    let has = |mut names: Vec<&Value>| {
        names.sort_unstable_by_key(|name| name.to_string());
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
