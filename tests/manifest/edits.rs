//! Edits of the manifests of the corpus. Each can be undone to the byte.

use json_patch::Patch;
use seldon_tracing::manifest::edit::edit;
use seldon_tracing::manifest::emit::to_yaml;
use seldon_tracing::manifest::tree::Tree;
use serde_json::{Value, json};

use crate::offline::tabbed;
use crate::support::fixtures::Corpus;

tests![
    corpus_files_come_back_byte_for_byte,
    corpus_files_as_json_come_back_byte_for_byte,
];

/// The patch that injects, and the one that takes it back.
#[expect(clippy::too_many_lines, reason = "one table")]
fn patches(value: &Value) -> (Patch, Patch) {
    let mut adds = Vec::new();
    let mut removes = Vec::new();
    let mut add = |path: String, created: &str, value: Value| {
        adds.push(json!({"op": "add", "path": path, "value": value}));
        removes.push(json!({"op": "remove", "path": created}));
    };
    let injected = json!("{\"v\":1,\"containers\":[\"it's\"]}");
    if value["metadata"]["annotations"].is_object() {
        let path = "/metadata/annotations/tracing.seldon.io~1injected".to_owned();
        add(path.clone(), &path, injected);
    } else if value["metadata"].is_object() {
        let path = "/metadata/annotations".to_owned();
        add(
            path.clone(),
            &path,
            json!({"tracing": "1", "tracing.seldon.io/injected": injected}),
        );
    }
    let env = |name: &str| json!({"name": name, "value": "1"});
    let field = json!({"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}});
    let predictors = value["spec"]["predictors"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for (p, predictor) in predictors.iter().enumerate() {
        let base = format!("/spec/predictors/{p}");
        match &predictor["svcOrchSpec"] {
            Value::Null if predictor.get("svcOrchSpec").is_none() => {
                let path = format!("{base}/svcOrchSpec");
                add(path.clone(), &path, json!({"env": [env("TRACING"), field]}));
            }
            spec if spec.is_object() => list(
                &mut add,
                &format!("{base}/svcOrchSpec"),
                spec,
                "env",
                &[env("TRACING"), field.clone()],
            ),
            _ => {}
        }
        let Some(specs) = predictor.get("componentSpecs") else {
            let path = format!("{base}/componentSpecs");
            let value = json!([{"spec": {"containers": [{"name": "classifier", "env": [env("TRACING")]}]}}]);
            add(path.clone(), &path, value);
            continue;
        };
        for (s, spec) in specs
            .as_array()
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .enumerate()
        {
            let spec_base = format!("{base}/componentSpecs/{s}/spec");
            let containers = spec["spec"]["containers"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            for (c, container) in containers.iter().enumerate() {
                let base = format!("{spec_base}/containers/{c}");
                list(
                    &mut add,
                    &base,
                    container,
                    "env",
                    &[env("TRACING"), field.clone()],
                );
                list(
                    &mut add,
                    &base,
                    container,
                    "volumeMounts",
                    &[json!({"name": "jaeger", "mountPath": "/etc/jaeger"})],
                );
            }
            if spec["spec"]["containers"].is_array() {
                list(
                    &mut add,
                    &spec_base,
                    &spec["spec"],
                    "containers",
                    &[json!({"name": "agent", "args": ["--port", "6831"], "env": [env("A")]})],
                );
            }
            if spec["spec"].is_object() {
                list(
                    &mut add,
                    &spec_base,
                    &spec["spec"],
                    "volumes",
                    &[
                        json!({"name": "jaeger", "configMap": {"name": "j"}}),
                        json!({"name": "two", "emptyDir": {}}),
                    ],
                );
            }
        }
    }
    removes.reverse();
    (patch(adds), patch(removes))
}

fn patch(operations: Vec<Value>) -> Patch {
    serde_json::from_value(Value::Array(operations)).unwrap()
}

/// Adds items to a list, which is created if it is not there.
fn list(
    add: &mut impl FnMut(String, &str, Value),
    base: &str,
    holder: &Value,
    key: &str,
    items: &[Value],
) {
    let path = format!("{base}/{key}");
    match &holder[key] {
        Value::Array(there) => {
            for (index, item) in items.iter().enumerate() {
                let created = format!("{path}/{}", there.len() + index);
                add(format!("{path}/-"), &created, item.clone());
            }
        }
        Value::Null if holder.get(key).is_none() => {
            add(path.clone(), &path, Value::from(items.to_vec()));
        }
        _ => {}
    }
}

fn there_and_back(name: &str, text: &str, read: fn(&str) -> Tree) -> String {
    let tree = read(text);
    let value = tree
        .to_value()
        .unwrap_or_else(|error| panic!("{name}:{error:?}"));
    let (adds, removes) = patches(&value);
    let injected =
        edit(text, &tree, &adds).unwrap_or_else(|refusal| panic!("{name}: {refusal}\n{text}"));
    assert_ne!(injected, text, "{name}");
    let back = edit(&injected, &read(&injected), &removes)
        .unwrap_or_else(|refusal| panic!("{name}: back: {refusal}\n{injected}"));
    assert_eq!(back, text, "{name}");
    injected
}

pub(crate) fn yaml(text: &str) -> Tree {
    Tree::yaml(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

pub(crate) fn json_tree(text: &str) -> Tree {
    Tree::json(text).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

fn corpus_files_come_back_byte_for_byte(corpus: &Corpus) {
    for (name, text) in corpus.texts() {
        let injected = there_and_back(&name, &text, yaml);
        if std::env::var_os("SHOW").is_some() {
            println!("# {name}\n{injected}");
        }
        there_and_back(&name, text.trim_end(), yaml);
        there_and_back(&name, &text.replace('\n', "\r\n"), yaml);
        let value = yaml(&text).to_value().unwrap();
        assert_eq!(yaml(&to_yaml(&value)).to_value().unwrap(), value, "{name}");
    }
}

fn corpus_files_as_json_come_back_byte_for_byte(corpus: &Corpus) {
    for (name, text) in corpus.texts() {
        let value = yaml(&text).to_value().unwrap();
        let compact = value.to_string();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let tabs = tabbed(&pretty);
        // Pretty and compact text stay so.
        let injected = there_and_back(&name, &compact, json_tree);
        assert_eq!(
            injected,
            json_tree(&injected).to_value().unwrap().to_string(),
            "{name}"
        );
        let injected = there_and_back(&name, &pretty, json_tree);
        let again = json_tree(&injected).to_value().unwrap();
        let expected = serde_json::to_string_pretty(&again).unwrap();
        if !pretty.contains("{}") && !pretty.contains("[]") {
            assert_eq!(injected, expected, "{name}");
        }
        there_and_back(&name, &tabs, json_tree);
        there_and_back(&name, &compact, yaml);
        there_and_back(&name, &pretty, yaml);
        there_and_back(&name, &tabs, yaml);
    }
}
