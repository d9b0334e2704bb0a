//! The manifests that are tried, and their parts.

use std::fs;

use serde_json::Value;

pub(crate) use crate::support::fixtures::documents as objects;
use crate::support::fixtures::root;

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component<'o> {
    pub(crate) pod: &'o Value,
    pub(crate) container: &'o Value,
}

/// The objects of a file in `examples/`.
pub(crate) fn examples(name: &str) -> Vec<Value> {
    objects(&fs::read_to_string(root().join("examples").join(name)).unwrap())
}

/// The SeldonDeployment of a file in `examples/`.
pub(crate) fn example(name: &str) -> Value {
    model(&examples(name)).clone()
}

/// The SeldonDeployment among objects.
#[track_caller]
pub(crate) fn model(objects: &[Value]) -> &Value {
    let mut models = objects.iter();
    models.find(|it| it["kind"] == "SeldonDeployment").unwrap()
}

/// Sets an annotation of the object.
pub(crate) fn annotate(object: &mut Value, key: &str, value: &str) {
    object["metadata"]["annotations"][key] = Value::from(value);
}

#[track_caller]
pub(crate) fn predictor<'o>(object: &'o Value, name: &str) -> &'o Value {
    let mut predictors = object["spec"]["predictors"].as_array().unwrap().iter();
    predictors.find(|it| it["name"] == name).unwrap()
}

/// A container by its name.
#[track_caller]
pub(crate) fn component<'o>(object: &'o Value, name: &str) -> Component<'o> {
    let found = component_if_any(object, name);
    found.unwrap_or_else(|| panic!("no container {name} in {object}"))
}

pub(crate) fn component_if_any<'o>(object: &'o Value, name: &str) -> Option<Component<'o>> {
    let predictors = object["spec"]["predictors"].as_array().unwrap().iter();
    let specs = predictors.flat_map(|it| it["componentSpecs"].as_array().into_iter().flatten());
    let mut components = specs.flat_map(|spec| {
        let pod = &spec["spec"];
        let containers = pod["containers"].as_array().unwrap().iter();
        containers.map(move |container| Component { pod, container })
    });
    components.find(|component| component.container["name"] == name)
}
