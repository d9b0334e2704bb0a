//! The steps: what users, admins and outages do to a SeldonDeployment.

use seldon_tracing::review::Route;
use serde_json::{Map, Value, json};

use super::marks::{RECORD, bare, blur, each_map, predictors};
use super::{Failure, Step, World, start};

const VARIABLES: [&str; 14] = [
    "TRACING",
    "JAEGER_AGENT_HOST",
    "JAEGER_AGENT_PORT",
    "JAEGER_SAMPLER_TYPE",
    "JAEGER_SAMPLER_PARAM",
    "JAEGER_SERVICE_NAME",
    "JAEGER_TAGS",
    "JAEGER_CONFIG_PATH",
    "MLSERVER_TRACING_SERVER",
    "JAEGER_DISABLED",
    "JAEGER_ENDPOINT",
    "FOO",
    "JAEGER_AGENT_PORT",
    "JAEGER_SAMPLER_PARAM",
];

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
fn pick<T>(list: &[T], at: u8) -> Option<&T> {
    (!list.is_empty()).then(|| &list[usize::from(at) % list.len()])
}

/// Values that are no list.
fn odd(at: u8) -> Option<Value> {
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

fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
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

fn containers(object: &Value) -> Vec<String> {
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

fn pods(object: &Value) -> Vec<String> {
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
fn at<'o>(
    object: &'o mut Value,
    pointers: &[String],
    at: u8,
) -> Option<&'o mut Map<String, Value>> {
    object.pointer_mut(pick(pointers, at)?)?.as_object_mut()
}

/// The annotations of the object, of its spec or of a predictor.
fn annotations(object: &mut Value, place: u8) -> Option<&mut Map<String, Value>> {
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
type Edit = fn(&mut Value, [u8; 3]) -> Option<()>;

/// What users do to an object, with how often.
const EDITS: [(&str, Edit); 20] = [
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

impl World {
    /// One step.
    pub(super) fn step(&mut self, [kind, bytes @ ..]: Step) -> Result<(), Box<Failure>> {
        let [place, what, _] = bytes;
        let environment = kind >= 192;
        if !environment {
            let (name, edit) = EDITS[usize::from(kind) % EDITS.len()];
            let mut object = self.stored.clone();
            if edit(&mut object, bytes).is_none() {
                return Ok(());
            }
            self.story
                .push(format!("{}a user {name} {bytes:?}", self.unheard()));
            return self.update(object);
        }
        match kind % 9 {
            0 | 1 => {
                (self.config_text, self.config) = start::config(place);
                self.story
                    .push(format!("the config is {:?}", self.config_text));
                Ok(())
            }
            2 | 3 => {
                self.webhook = !self.webhook;
                self.story.push(format!(
                    "the webhook is {}",
                    if self.webhook { "back" } else { "down" }
                ));
                Ok(())
            }
            4 => {
                self.route = if self.route == Route::Mutate {
                    Route::DefaultOn
                } else {
                    Route::Mutate
                };
                self.story.push(format!(
                    "the namespace is asked about at {}",
                    self.route.path()
                ));
                Ok(())
            }
            5 => self.opt_out(place),
            6 | 7 => self.apply(place, what),
            _ => {
                self.story.push(format!(
                    "{}the stored object is written as it is",
                    self.unheard()
                ));
                self.update(self.stored.clone())
            }
        }
    }

    const fn unheard(&self) -> &'static str {
        if self.webhook { "" } else { "(unheard) " }
    }

    /// All triggers go, or say that nothing is to be traced.
    fn opt_out(&mut self, how: u8) -> Result<(), Box<Failure>> {
        let mut object = self.stored.clone();
        let trigger = self.config.trigger.clone();
        let value = (how % 2 == 0 || self.route == Route::DefaultOn).then(|| json!("false"));
        each_map(&mut object, &mut |map| {
            let found = map.get_mut("annotations").and_then(Value::as_object_mut);
            found.map(|found| found.shift_remove(&trigger));
        });
        if let Some(found) = annotations(&mut object, 0) {
            put(found, &trigger, value);
        }
        self.story.push(format!("{}all opt out", self.unheard()));
        self.update(object)
    }

    /// The user applies the manifest, or makes another of what is stored.
    fn apply(&mut self, how: u8, what: u8) -> Result<(), Box<Failure>> {
        let unheard = self.unheard();
        let mut tell = |text: &str| self.story.push(format!("{unheard}{text}"));
        match how % 8 {
            0 | 1 => {
                tell("the manifest is put");
                self.applied = self.manifest.clone();
                self.update(self.manifest.clone())
            }
            2..=4 => {
                tell("the manifest is applied by three-way merge");
                let mut object = self.stored.clone();
                merge(&mut object, &self.applied, &self.manifest);
                self.applied = self.manifest.clone();
                self.update(object)
            }
            5 => {
                tell("the stored object becomes the manifest");
                self.manifest = self.stored.clone();
                Ok(())
            }
            6 => {
                tell("the manifest is created anew");
                self.applied = self.manifest.clone();
                self.create(self.manifest.clone())
            }
            _ => {
                tell("another object is created with this one's record");
                let mut object = start::manifest([what, what.rotate_left(3), 1, 0]);
                let record = super::marks::record(&self.stored).cloned();
                if let Some(found) = annotations(&mut object, 0) {
                    put(found, RECORD, record);
                }
                self.create(object)
            }
        }
    }

    /// At the end of each life the webhook is there, and the object opts out.
    pub(super) fn end(&mut self) -> Result<(), Box<Failure>> {
        self.webhook = true;
        self.opt_out(0)
    }
}

/// What kubectl makes of a custom resource: lists are replaced as a whole
/// (<https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes>).
fn merge(live: &mut Value, applied: &Value, manifest: &Value) {
    let (Some(map), Some(new)) = (live.as_object_mut(), manifest.as_object()) else {
        return;
    };
    for key in applied.as_object().into_iter().flat_map(Map::keys) {
        if !new.contains_key(key) {
            map.shift_remove(key);
        }
    }
    for (key, value) in new {
        match map.get_mut(key) {
            Some(found) if found.is_object() && value.is_object() => {
                merge(found, &applied[key], value)
            }
            Some(found) if bare(found) == bare(value) => {}
            _ => drop(map.insert(key.clone(), value.clone())),
        }
    }
}

fn env(object: &mut Value, place: u8) -> Option<&mut Vec<Value>> {
    let places = holders(object);
    at(object, &places, place)?.get_mut("env")?.as_array_mut()
}

fn value(what: u8) -> Value {
    json!(VALUES[usize::from(what) % VALUES.len()])
}

fn set_variable(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let name = *pick(&VARIABLES, what)?;
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
    let name = *pick(&VARIABLES, what)?;
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

fn edit_container(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let places = pods(object);
    let lists = ["containers", "containers", "containers", "initContainers"];
    let pod = at(object, &places, place)?;
    let list = pod
        .entry(lists[usize::from(what / 16) % 4])
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    let chosen = usize::from(how).checked_rem(list.len());
    let named = json!(["model", "one", "two", "three"][usize::from(how / 16) % 4]);
    match what % 10 {
        0 => list.push(json!({"name": named, "image": "new:1"})),
        1 => list.insert(0, json!({"name": named, "image": "new:1"})),
        2 | 3 => drop(list.remove(chosen?)),
        4 => list.reverse(),
        5 => {
            let mut copy = bare(&list[chosen?]);
            if let Some(copy) = copy.as_object_mut().filter(|_| how & 128 != 0) {
                copy.insert("name".to_owned(), json!("copy"));
            }
            list.push(copy);
        }
        6 => {
            // Under another name it is another container to the record.
            let container = list[chosen?].as_object_mut()?;
            let old = container.insert("name".to_owned(), named.clone());
            if old != Some(named) {
                blur(&mut list[chosen?]);
            }
        }
        7 => drop(
            list[chosen?]
                .as_object_mut()?
                .insert("image".to_owned(), json!("model:2")),
        ),
        8 => list[chosen?] = odd(how).unwrap_or_default(),
        _ => {
            let moved = list.remove(chosen?);
            let other = places.get(usize::from(place / 2) % places.len())?.clone();
            let other = object.pointer_mut(&other)?.as_object_mut()?;
            other
                .entry("containers")
                .or_insert_with(|| json!([]))
                .as_array_mut()?
                .push(bare(&moved));
        }
    }
    Some(())
}

fn edit_predictor(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let list = object.pointer_mut("/spec/predictors")?.as_array_mut()?;
    let chosen = usize::from(place).checked_rem(list.len())?;
    match what % 8 {
        0 => drop(list.remove(chosen)),
        1 | 2 => {
            let mut copy = bare(&list[chosen]);
            if let Some(copy) = copy.as_object_mut() {
                copy.insert(
                    "name".to_owned(),
                    json!(["copy", "canary", "main"][usize::from(how) % 3]),
                );
            }
            list.insert(usize::from(how / 4) % (list.len() + 1), copy);
        }
        3 => list.reverse(),
        4 | 5 => {
            blur(&mut list[chosen]);
            let name = json!(["main", "canary", "new", "a#2"][usize::from(how) % 4]);
            list[chosen]
                .as_object_mut()?
                .insert("name".to_owned(), name);
        }
        6 => drop(
            list[chosen]
                .as_object_mut()?
                .insert("replicas".to_owned(), json!(how)),
        ),
        _ => list[chosen] = odd(how).unwrap_or_default(),
    }
    list.truncate(4);
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
    let old = super::marks::record(object)?.clone();
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

fn edit_graph(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    match what % 8 {
        0 | 1 => {
            let value = ["v2", "seldon", "kfserving", "tensorflow"][usize::from(how) % 4];
            object["spec"]
                .as_object_mut()?
                .insert("protocol".to_owned(), json!(value));
        }
        2 => put(
            annotations(object, place | 3)?,
            "seldon.io/no-engine",
            (how % 2 == 0).then(|| json!("true")),
        ),
        3 => {
            let key = [
                "seldon.io/engine-jaeger-agent-port",
                "seldon.io/engine-tracing",
            ][usize::from(how) % 2];
            put(
                annotations(object, 2)?,
                key,
                (how % 4 < 2).then(|| json!("0")),
            );
        }
        _ => {
            let list = object.pointer_mut("/spec/predictors")?.as_array_mut()?;
            let chosen = usize::from(place).checked_rem(list.len())?;
            let predictor = list[chosen].as_object_mut()?;
            if what % 8 == 4 {
                let explainer = predictor.get_mut("explainer")?.as_object_mut()?;
                put(
                    explainer,
                    "type",
                    (how % 2 == 0).then(|| json!("AnchorTabular")),
                );
                return Some(());
            }
            let graph = predictor.get_mut("graph")?.as_object_mut()?;
            let servers = ["SKLEARN_SERVER", "TRITON_SERVER", "SIMPLE_MODEL", "MINE"];
            match what % 8 {
                5 => put(
                    graph,
                    "implementation",
                    pick(&servers, how)
                        .filter(|_| how < 200)
                        .map(|it| json!(it)),
                ),
                6 => put(
                    graph,
                    "name",
                    Some(json!(["model", "two", "one"][usize::from(how) % 3])),
                ),
                _ => put(
                    graph,
                    "children",
                    Some(json!([{"name": "one", "implementation": servers[usize::from(how) % 4]}])),
                ),
            }
        }
    }
    Some(())
}

fn edit_volumes(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let volumes = what % 2 == 0;
    let places = if volumes {
        pods(object)
    } else {
        containers(object)
    };
    let (key, taken) = if volumes {
        (
            "volumes",
            json!({"name": "seldon-tracing-config", "emptyDir": {}}),
        )
    } else {
        (
            "volumeMounts",
            json!({"name": "data", "mountPath": "/etc/seldon-tracing/sub"}),
        )
    };
    let list = at(object, &places, place)?
        .entry(key)
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    match how % 4 {
        0 => list.clear(),
        1 => list.push(taken),
        2 => list.push(json!({"name": "data", "mountPath": "/data"})),
        _ => {
            let last = list.last_mut()?.as_object_mut()?;
            last.clear();
            last.insert("name".to_owned(), json!("seldon-tracing-config"));
        }
    }
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
