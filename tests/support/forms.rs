//! What an object may look like after an injection. Written without the engine, so that it can check the engine.

use seldon_tracing::inject::{CONFIG_DIR, CONFIG_VOLUME, RECORD};
use serde_json::{Map, Value, json};

use super::variables::OURS;

fn name_of(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

fn is_plain_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').map_or_else(
        || digits(text),
        |(whole, fraction)| digits(whole) && digits(fraction),
    )
}

/// Whether we may have written an entry: it has a name of ours, a value that every client accepts, and nothing else.
pub(crate) fn is_possibly_ours(entry: &Value) -> bool {
    if *entry
        == json!({"name": "JAEGER_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}})
    {
        return true;
    }
    let Some(text) = entry["value"].as_str() else {
        return false;
    };
    if entry.as_object().map(Map::len) != Some(2) {
        return false;
    }
    match name_of(entry) {
        "TRACING" => text == "1",
        "JAEGER_AGENT_HOST" => {
            let bare = text
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            !text.is_empty()
                && !text.contains(['/', ' '])
                && (bare.is_some() || !text.contains(':'))
        }
        "JAEGER_AGENT_PORT" => text
            .parse::<u16>()
            .is_ok_and(|port| port > 0 && port != 6832),
        "JAEGER_SAMPLER_TYPE" => {
            ["const", "probabilistic", "ratelimiting", "remote"].contains(&text)
        }
        "JAEGER_SAMPLER_PARAM" => is_plain_number(text),
        "JAEGER_SERVICE_NAME" => !text.is_empty() && !text.contains(['{', '}', ' ', '$']),
        "JAEGER_TAGS" => text.split(',').all(|item| {
            item.matches('=').count() == 1 && (!item.contains("${") || item.contains(':'))
        }),
        "JAEGER_CONFIG_PATH" => text
            .strip_prefix(CONFIG_DIR)
            .is_some_and(|rest| rest.len() > 1 && rest.rfind('/') == Some(0)),
        "MLSERVER_TRACING_SERVER" => text.rsplit_once(':').is_some_and(|(host, port)| {
            let is_ipv6 = host.starts_with('[') && host.ends_with(']');
            port.parse::<u16>().is_ok_and(|port| port > 0)
                && !host.is_empty()
                && !host.contains(['/', '$', ' '])
                && (is_ipv6 || !host.contains(':'))
        }),
        _ => false,
    }
}

fn is_possibly_our_mount(mount: &Value) -> bool {
    *mount == json!({"name": CONFIG_VOLUME, "mountPath": CONFIG_DIR, "readOnly": true})
}

fn is_possibly_our_volume(volume: &Value) -> bool {
    name_of(volume) == CONFIG_VOLUME
        && {
            let source = &volume["configMap"];
            let key = &source["items"][0]["key"];
            *volume
                == json!({"name": CONFIG_VOLUME, "configMap": {"name": source["name"], "items": [{"key": key, "path": key}]}})
        }
}

/// Checks that `after` is `before` with our variables behind the user's, and that they fit together. Returns ours.
fn check_env<'a>(before: Option<&Value>, after: Option<&'a Value>) -> &'a [Value] {
    let none = Vec::new();
    let users = match before {
        None => &none,
        Some(Value::Array(users)) => users,
        odd => {
            assert_eq!(odd, after, "an odd env stays");
            return &[];
        }
    };
    let Some(Value::Array(all)) = after else {
        assert!(
            before.is_none() && after.is_none(),
            "the env is gone: {before:?}"
        );
        return &[];
    };
    assert_eq!(
        users[..],
        all[..users.len()],
        "the user's variables come first, as they were"
    );
    let ours = &all[users.len()..];
    assert!(
        before.is_some() || !ours.is_empty(),
        "no empty list is created"
    );
    check_ours(users, ours);
    ours
}

fn check_ours(users: &[Value], ours: &[Value]) {
    let at = |name: &str| ours.iter().find(|entry| name_of(entry) == name);
    let order: Vec<_> = ours
        .iter()
        .map(|entry| {
            OURS.iter()
                .position(|name| *name == name_of(entry))
                .unwrap()
        })
        .collect();
    assert!(
        order.is_sorted_by(|one, other| one < other),
        "in order, and none twice: {ours:?}"
    );
    for entry in ours {
        assert!(is_possibly_ours(entry), "a client may not accept {entry}");
        assert!(
            users.iter().all(|user| name_of(user) != name_of(entry)),
            "{entry} is the user's"
        );
    }
    assert!(
        at("MLSERVER_TRACING_SERVER").is_none() || ours.len() == 1,
        "MLServer reads nothing else: {ours:?}"
    );
    let both_or_neither = |one: &str, other: &str| {
        assert_eq!(
            at(one).is_some(),
            at(other).is_some(),
            "{one} and {other}: {ours:?}"
        );
    };
    both_or_neither("JAEGER_AGENT_HOST", "JAEGER_AGENT_PORT");
    both_or_neither("JAEGER_SAMPLER_TYPE", "JAEGER_SAMPLER_PARAM");
    if let (Some(kind), Some(param)) = (at("JAEGER_SAMPLER_TYPE"), at("JAEGER_SAMPLER_PARAM")) {
        let number: f64 = param["value"].as_str().unwrap().parse().unwrap();
        let good = match kind["value"].as_str().unwrap() {
            "const" => number == 0.0 || (number - 1.0).abs() < f64::EPSILON,
            "ratelimiting" => number >= 0.0,
            _ => (0.0..=1.0).contains(&number),
        };
        assert!(good, "{kind} with {param}");
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Checks a list to which we may have appended one item. Returns whether we did.
fn check_appended(
    before: Option<&Value>,
    after: Option<&Value>,
    is_ours: fn(&Value) -> bool,
) -> bool {
    if before == after {
        return false;
    }
    assert!(before.is_none_or(Value::is_array), "an odd list stays");
    let (users, all) = (items(before), items(after));
    assert_eq!(users[..], all[..users.len()]);
    assert!(
        matches!(&all[users.len()..], [ours] if is_ours(ours)),
        "{before:?} {after:?}"
    );
    true
}

/// Checks that all keys but `edited` are the same in both.
fn check_rest(before: &Value, after: &Value, edited: &[&str]) {
    let rest = |value: &Value| {
        let mut map = value.as_object().cloned().unwrap_or_default();
        map.retain(|key, _| !edited.contains(&key.as_str()));
        map
    };
    assert_eq!(rest(before), rest(after));
}

/// Checks a container. Returns the file that it reads from a `ConfigMap` that we mounted.
fn check_container<'a>(before: &Value, after: &'a Value) -> Option<&'a str> {
    if !before.is_object() {
        assert_eq!(before, after);
        return None;
    }
    check_rest(before, after, &["env", "volumeMounts"]);
    let ours = check_env(before.get("env"), after.get("env"));
    let mounted = check_appended(
        before.get("volumeMounts"),
        after.get("volumeMounts"),
        is_possibly_our_mount,
    );
    let path = ours
        .iter()
        .find(|entry| name_of(entry) == "JAEGER_CONFIG_PATH");
    assert_eq!(
        mounted,
        path.is_some(),
        "the variable and its mount come together"
    );
    path.map(|entry| entry["value"].as_str().unwrap())
}

/// Checks a list of containers to which we may have appended stubs.
fn check_containers<'a>(
    before: Option<&Value>,
    after: Option<&'a Value>,
    may_add: bool,
) -> Vec<&'a str> {
    if before.is_some_and(|before| !before.is_array()) {
        assert_eq!(before, after);
        return Vec::new();
    }
    let (users, all) = (items(before), items(after));
    assert!(all.len() == users.len() || may_add && all.len() > users.len());
    let mut paths: Vec<_> = users
        .iter()
        .zip(all)
        .filter_map(|(before, after)| check_container(before, after))
        .collect();
    for stub in &all[users.len()..] {
        assert!(
            items(stub.get("env"))
                .iter()
                .any(|entry| ["TRACING", "MLSERVER_TRACING_SERVER"].contains(&name_of(entry)))
        );
        assert!(
            all.iter()
                .filter(|other| name_of(other) == name_of(stub))
                .count()
                == 1,
            "{stub}"
        );
        paths.extend(check_container(&json!({"name": stub["name"]}), stub));
    }
    paths
}

fn check_pod(before: &Value, after: &Value, may_add: bool) {
    if !before.is_object() {
        assert_eq!(before, after);
        return;
    }
    check_rest(before, after, &["containers", "initContainers", "volumes"]);
    let mut paths = check_containers(before.get("containers"), after.get("containers"), may_add);
    paths.extend(check_containers(
        before.get("initContainers"),
        after.get("initContainers"),
        false,
    ));
    let has_volume = check_appended(
        before.get("volumes"),
        after.get("volumes"),
        is_possibly_our_volume,
    );
    assert_eq!(
        has_volume,
        !paths.is_empty(),
        "the volume comes with what mounts it"
    );
    if let Some(volume) = items(after.get("volumes")).last().filter(|_| has_volume) {
        let path = format!(
            "{CONFIG_DIR}/{}",
            volume["configMap"]["items"][0]["path"].as_str().unwrap()
        );
        assert!(paths.iter().all(|other| *other == path));
    }
}

fn check_components(before: Option<&Value>, after: Option<&Value>) {
    let empty = json!({});
    match (before, after) {
        (None, None) => {}
        (None | Some(Value::Array(_)), Some(Value::Array(all))) => {
            let users = items(before);
            assert!(all.len() == users.len() || users.is_empty() && all.len() == 1);
            for (at, component) in all.iter().enumerate() {
                let before = users.get(at).unwrap_or(&empty);
                check_rest(before, component, &["spec"]);
                match (before.get("spec"), component.get("spec")) {
                    (None, Some(after)) => check_pod(&empty, after, at == 0),
                    (Some(before), Some(after)) => check_pod(before, after, at == 0),
                    (before, after) => assert_eq!(before, after),
                }
            }
        }
        (before, after) => assert_eq!(before, after),
    }
}

fn check_predictor(before: &Value, after: &Value) {
    if !before.is_object() {
        assert_eq!(before, after);
        return;
    }
    check_rest(
        before,
        after,
        &["componentSpecs", "svcOrchSpec", "explainer"],
    );
    check_components(before.get("componentSpecs"), after.get("componentSpecs"));
    let empty = json!({});
    match (before.get("svcOrchSpec"), after.get("svcOrchSpec")) {
        (None, Some(after)) => {
            check_rest(&empty, after, &["env"]);
            check_env(None, after.get("env"));
        }
        (Some(before), Some(after)) if before.is_object() => {
            check_rest(before, after, &["env"]);
            check_env(before.get("env"), after.get("env"));
        }
        (before, after) => assert_eq!(before, after),
    }
    match (before.get("explainer"), after.get("explainer")) {
        (Some(before), Some(after)) if before["containerSpec"].is_object() => {
            check_rest(before, after, &["containerSpec"]);
            assert_eq!(
                check_container(&before["containerSpec"], &after["containerSpec"]),
                None
            );
        }
        (before, after) => assert_eq!(before, after),
    }
}

/// The value with its nulls absent, but for items of lists.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.iter().filter(|(_, field)| !field.is_null());
            fields
                .map(|(key, field)| (key.clone(), without_nulls(field)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Checks that an injection may turn `before`, in which nothing is ours, into `after`.
pub(crate) fn check_injection(before: &Value, after: &Value) {
    let (before, after) = (&without_nulls(before), &without_nulls(after));
    check_rest(before, after, &["metadata", "spec"]);
    check_rest(&before["metadata"], &after["metadata"], &["annotations"]);
    if before["metadata"].get("annotations").is_some() {
        check_rest(
            &before["metadata"]["annotations"],
            &after["metadata"]["annotations"],
            &[RECORD],
        );
    }
    check_rest(&before["spec"], &after["spec"], &["predictors"]);
    let (users, all) = (
        items(before["spec"].get("predictors")),
        items(after["spec"].get("predictors")),
    );
    assert_eq!(users.len(), all.len());
    for (before, after) in users.iter().zip(all) {
        check_predictor(before, after);
    }
}

/// The object without everything that could be ours, and without what is then empty.
pub(crate) fn stripped(value: &Value) -> Value {
    let mut value = without_nulls(value);
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(strip),
        Value::Object(map) => {
            map.remove(RECORD);
            map.values_mut().for_each(strip);
            for (key, is_ours) in [
                ("env", is_possibly_ours as fn(&Value) -> bool),
                ("volumeMounts", is_possibly_our_mount),
                ("volumes", is_possibly_our_volume),
                ("containers", |container| {
                    container
                        .as_object()
                        .is_some_and(|map| map.keys().all(|key| key == "name"))
                }),
                ("componentSpecs", |component| *component == json!({})),
            ] {
                if let Some(Value::Array(list)) = map.get_mut(key) {
                    list.retain(|item| !is_ours(item));
                }
            }
            for key in [
                "env",
                "volumeMounts",
                "volumes",
                "containers",
                "componentSpecs",
                "svcOrchSpec",
                "spec",
                "annotations",
            ] {
                if matches!(map.get(key), Some(Value::Array(list)) if list.is_empty())
                    || map.get(key) == Some(&json!({}))
                {
                    map.remove(key);
                }
            }
        }
        _ => {}
    }
}

/// The names of the containers: of all, or only of those in which nothing could be ours.
pub(crate) fn container_names(value: &Value, only_foreign: bool) -> Vec<String> {
    let components = items(value["spec"].get("predictors"))
        .iter()
        .flat_map(|predictor| items(predictor.get("componentSpecs")));
    let containers = components.flat_map(|component| items(component["spec"].get("containers")));
    let has_ours = |container: &Value| items(container.get("env")).iter().any(is_possibly_ours);
    // A container without an image runs only as that of a prepackaged server, and can be a stub that the user emptied.
    let is_bare = |container: &Value| {
        let mut keys = container.as_object().into_iter().flat_map(Map::keys);
        keys.all(|key| ["name", "env", "volumeMounts"].contains(&key.as_str()))
            && container.is_object()
            && items(container.get("env")).is_empty()
    };
    containers
        .filter(|container| !only_foreign || !(has_ours(container) || is_bare(container)))
        .map(|container| container["name"].to_string())
        .collect()
}

/// The object with the variables of every list in alphabetical order, and without the record.
pub(crate) fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    sort(&mut value);
    value
}

fn sort(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(sort),
        Value::Object(map) => {
            map.remove(RECORD);
            map.values_mut().for_each(sort);
            for key in ["env", "volumes", "volumeMounts"] {
                if let Some(Value::Array(list)) = map.get_mut(key) {
                    list.sort_by_key(Value::to_string);
                }
            }
        }
        _ => {}
    }
}
