//! The objects in a document, and which of them are `SeldonDeployment`s.

use serde_json::Value;

/// The group of the resource.
const GROUP: &str = "machinelearning.seldon.io";

/// Its versions. They share all fields that are read here.
const VERSIONS: [&str; 3] = ["v1", "v1alpha2", "v1alpha3"];

/// The kind of an object.
pub(crate) enum Kind {
    SeldonDeployment,
    /// A `SeldonDeployment` of an unknown apiVersion, with a message.
    Unknown(String),
    Other,
}

pub(crate) fn kind_of(object: &Value) -> Kind {
    if object.get("kind").and_then(Value::as_str) != Some("SeldonDeployment") {
        return Kind::Other;
    }
    let expected = "expected machinelearning.seldon.io/v1, v1alpha2 or v1alpha3";
    let Some(api_version) = object.get("apiVersion").and_then(Value::as_str) else {
        return Kind::Unknown(format!(
            "a SeldonDeployment without an apiVersion is left unchanged; {expected}"
        ));
    };
    match api_version.split_once('/') {
        Some((GROUP, version)) if VERSIONS.contains(&version) => Kind::SeldonDeployment,
        _ => Kind::Unknown(format!(
            "a SeldonDeployment of apiVersion {api_version:?} is left unchanged; {expected}"
        )),
    }
}

/// The objects of a document with their pointers: the document itself, or the items of a list. A `ResourceList` is what kustomize and kpt
/// pass to a function.
pub(crate) fn objects(value: &Value) -> Vec<(String, &Value)> {
    let is_list = matches!(
        value.get("kind").and_then(Value::as_str),
        Some("List" | "ResourceList" | "SeldonDeploymentList")
    );
    match value.get("items").and_then(Value::as_array) {
        Some(items) if is_list => items
            .iter()
            .enumerate()
            .map(|(at, item)| (format!("/items/{at}"), item))
            .collect(),
        _ => vec![(String::new(), value)],
    }
}
