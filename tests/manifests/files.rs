//! The manifests as they stand in their files.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use crate::support::fixtures::documents;
use crate::support::fixtures::root;

/// The folders that are applied, and what they stand on.
pub(crate) const FOLDERS: [&str; 6] = [
    "base",
    "cert-manager",
    "controller",
    "default",
    "external",
    "guard",
];

pub(crate) fn folder(name: &str) -> PathBuf {
    root().join("manifests").join(name)
}

#[track_caller]
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn kustomization(name: &str) -> Value {
    let path = folder(name).join("kustomization.yaml");
    let mut read = documents(&text(path));
    assert_eq!(read.len(), 1);
    read.remove(0)
}

/// The texts of a list.
#[track_caller]
pub(crate) fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap_or_else(|| panic!("a list: {list}"));
    items.iter().map(|item| item.as_str().unwrap()).collect()
}

/// The objects in the files of a folder, without those of the folder under it.
pub(crate) fn objects(name: &str) -> Vec<Value> {
    let listed = kustomization(name);
    texts(&listed["resources"])
        .into_iter()
        .filter(|resource| !resource.starts_with("../"))
        .flat_map(|file| documents(&text(folder(name).join(file))))
        .collect()
}

/// The objects of all folders.
pub(crate) fn all() -> Vec<Value> {
    FOLDERS.iter().flat_map(|name| objects(name)).collect()
}

/// The only object of a kind in `base`.
#[track_caller]
pub(crate) fn the(kind: &str) -> Value {
    let mut found = objects("base");
    found.retain(|object| object["kind"] == kind);
    assert_eq!(found.len(), 1, "objects of kind {kind}");
    found.remove(0)
}

/// The same as a type of Kubernetes.
#[track_caller]
pub(crate) fn typed<T: DeserializeOwned>(kind: &str) -> T {
    serde_json::from_value(the(kind)).unwrap()
}

/// Calls with every key and its value, at any depth.
pub(crate) fn walk(value: &Value, see: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                see(key, value);
                walk(value, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => (),
    }
}
