//! What a record claims, read without the engine.

use serde_json::{Map, Value, json};

use super::marks::{bare, items, record};

/// What a record says about one object, as far as these checks need it.
pub(crate) struct Claims(Value);

impl Claims {
    pub(crate) fn of(object: &Value) -> Self {
        let text = record(object).and_then(Value::as_str).unwrap_or_default();
        let mut read: Value = serde_json::from_str(text).unwrap_or_default();
        // A set can say only what differs from an earlier one.
        let sets = items(read.get("sets")).len();
        for at in 0..sets {
            let mut set = read["sets"][at].clone();
            let like = set["like"].as_u64().and_then(|at| usize::try_from(at).ok());
            if let Some(like) = like.filter(|like| *like < at) {
                let mut whole = read["sets"][like].clone();
                if let (Some(whole), Some(set)) = (whole.as_object_mut(), set.as_object_mut()) {
                    set.remove("like");
                    whole.append(set);
                }
                read["sets"][at] = whole;
            }
        }
        Self(read)
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

    /// Where the record mounts the `ConfigMap` of a predictor: a volume that nothing of ours mounts is the user's.
    fn mounting<'c>(
        &'c self,
        predictor: &'c Value,
    ) -> impl Iterator<Item = (&'static str, String)> + 'c {
        LISTS.into_iter().flat_map(move |list| {
            let targets = predictor[list].as_object().into_iter().flatten();
            targets.filter_map(move |(key, target)| {
                let at = usize::try_from(target["set"].as_u64()?).ok()?;
                let mounts = !self.0["sets"][at]["JAEGER_CONFIG_PATH"].is_null();
                mounts.then(|| (list, key.clone()))
            })
        })
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

const LISTS: [&str; 2] = ["containers", "initContainers"];

/// The containers of a pod, by list and key.
fn containers_of(pod: &Value) -> Vec<(&'static str, String)> {
    let of_list = |list: &'static str| {
        let names = items(pod.get(list)).iter();
        names.map(move |item| (list, key(item["name"].as_str().unwrap_or_default())))
    };
    LISTS.into_iter().flat_map(of_list).collect()
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
        let pods = items(predictor.get("componentSpecs")).iter();
        let everywhere: Vec<_> = pods
            .flat_map(|component| containers_of(&component["spec"]))
            .collect();
        let components = predictor.get_mut("componentSpecs");
        for component in components
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let Some(pod) = component.get_mut("spec") else {
                continue;
            };
            for list in LISTS {
                let containers = pod.get_mut(list).and_then(Value::as_array_mut);
                for container in containers.into_iter().flatten() {
                    each_claim_of_target(Some(container), list, &claims, look);
                }
            }
            let here = containers_of(pod);
            let is_claimed = |item: &Value| {
                claims.iter().any(|(claims, predictor)| {
                    let mut mounting = claims.mounting(predictor);
                    // The pod of a container that has gone is not known.
                    let is_near = |at: &_| here.contains(at) || !everywhere.contains(at);
                    Claims::has_volume(predictor, item) && mounting.any(|at| is_near(&at))
                })
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
