//! The kubelet's part: what the `env` of a container comes to on a node, and the files that are mounted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::node::Node;

/// A process's environment.
pub(crate) type Environment = BTreeMap<String, String>;

/// What a list of variables comes to. Each may refer to those before it, by `$(NAME)`.
pub(crate) fn environment(variables: &Value, node: Node) -> Environment {
    let mut environment = Environment::new();
    for entry in variables.as_array().into_iter().flatten() {
        let name = entry["name"].as_str().unwrap();
        let value = match entry.get("valueFrom") {
            None => expand(entry["value"].as_str().unwrap_or_default(), &environment),
            Some(from) => {
                let path = from["fieldRef"]["fieldPath"].as_str();
                assert_eq!(path, Some("status.hostIP"), "{entry} is new here");
                node.0.to_string()
            }
        };
        environment.insert(name.to_owned(), value);
    }
    environment
}

/// Replaces `$(NAME)` where it is known; `$$` stands for `$`
/// (<https://pkg.go.dev/k8s.io/kubernetes/third_party/forked/golang/expansion>).
fn expand(text: &str, known: &Environment) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let name = after.strip_prefix('(').and_then(|it| it.split_once(')'));
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = name {
            match known.get(name) {
                Some(value) => expanded.push_str(value),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            expanded.push('$');
            rest = after;
        }
    }
    expanded + rest
}

/// Writes the ConfigMaps that a container mounts, below `root`, which is the root of its file system. A process without a root of its own
/// needs its paths in that folder, so variables that lead into a mount are changed to do so.
pub(crate) fn mount(
    pod: &Value,
    container: &Value,
    maps: &[Value],
    root: &Path,
    environment: &mut Environment,
) {
    for mounted in container["volumeMounts"].as_array().into_iter().flatten() {
        let mut volumes = pod["volumes"].as_array().unwrap().iter();
        let volume = volumes.find(|volume| volume["name"] == mounted["name"]);
        let wanted = &volume.unwrap()["configMap"];
        let map = maps
            .iter()
            .find(|map| map["kind"] == "ConfigMap" && map["metadata"]["name"] == wanted["name"])
            .unwrap_or_else(|| panic!("the pod would wait for the ConfigMap of {wanted}"));
        let path = mounted["mountPath"].as_str().unwrap();
        let folder = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(&folder).unwrap();
        for (key, file) in files(wanted, map) {
            fs::write(folder.join(file), map["data"][key].as_str().unwrap()).unwrap();
        }
        for value in environment.values_mut() {
            if Path::new(value.as_str()).starts_with(path) {
                *value = root
                    .join(value.trim_start_matches('/'))
                    .display()
                    .to_string();
            }
        }
    }
}

/// Keys of a ConfigMap with the names of their files: those that the volume lists, or all.
fn files<'v>(wanted: &'v Value, map: &'v Value) -> Vec<(&'v str, &'v str)> {
    if let Some(items) = wanted["items"].as_array() {
        let text = |item: &'v Value, key| item[key].as_str().unwrap();
        let items = items.iter();
        return items
            .map(|item| (text(item, "key"), text(item, "path")))
            .collect();
    }
    let keys = map["data"].as_object().unwrap().keys();
    keys.map(|key| (key.as_str(), key.as_str())).collect()
}
