//! What users do to containers, predictors, graphs and volumes.

use serde_json::{Value, json};

use super::edits::{annotations, at, containers, odd, pick, pods, put};
use super::marks::{OURS, bare, blur};

pub(super) fn edit_container(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
    let places = pods(object);
    let lists = ["containers", "containers", "containers", "initContainers"];
    let pod = at(object, &places, place)?;
    let list = pod
        .entry(lists[usize::from(what / 16) % 4])
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    let chosen = usize::from(how).checked_rem(list.len());
    let named = json!(["model", "one", "two", "three"][usize::from(how / 16) % 4]);
    // Kubernetes refuses a pod with two containers of one name.
    if matches!(what % 10, 0 | 1 | 6) && list.iter().any(|container| container["name"] == named) {
        return None;
    }
    match what % 10 {
        0 => list.push(json!({"name": named, "image": "new:1"})),
        1 => list.insert(0, json!({"name": named, "image": "new:1"})),
        2 | 3 => drop(list.remove(chosen?)),
        4 => list.reverse(),
        5 => {
            let mut copy = bare(&list[chosen?]);
            // Kubernetes refuses a pod with two containers of one name, so an exact copy is not followed (docs/record.md, Limits).
            if let Some(copy) = copy.as_object_mut() {
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
            // What was added around a container does not follow it into another pod (docs/record.md, Limits).
            if list[chosen?].to_string().contains(OURS) {
                return None;
            }
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

pub(super) fn edit_predictor(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
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

pub(super) fn edit_graph(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
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

pub(super) fn edit_volumes(object: &mut Value, [place, what, how]: [u8; 3]) -> Option<()> {
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
            let end = list.last_mut()?.as_object_mut()?;
            end.clear();
            end.insert("name".to_owned(), json!("seldon-tracing-config"));
        }
    }
    Some(())
}
