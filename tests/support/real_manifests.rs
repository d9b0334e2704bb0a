//! Real manifests: the examples, what is made of them, and the corpus in `../shared`, which is no part of the repository.
//!
//! `SELDON_TRACING_SHARED` names another place. Without it the tests say so and take the rest alone.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use seldon_tracing::manifest::stream::Documents;
use seldon_tracing::manifest::tree::Tree;
use serde_json::{Value, json};

fn yaml_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The objects of all of them, with the names of their files. `who` says what is left out.
pub(crate) fn manifests(who: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = yaml_in(&root.join("examples"));
    files.extend(yaml_in(&root.join("tests/cli/golden")));
    let beside = || root.join("../shared");
    let shared = std::env::var_os("SELDON_TRACING_SHARED").map_or_else(beside, PathBuf::from);
    let corpus = shared.join("corpus");
    if corpus.is_dir() {
        files.extend(yaml_in(&corpus));
    } else {
        // Past the test harness, which holds back what `eprintln!` says.
        let _ = writeln!(
            std::io::stderr(),
            "{who}: the corpus is LEFT OUT, for there is no {} (SELDON_TRACING_SHARED names another place); the examples are not",
            corpus.display()
        );
    }
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root).unwrap_or(&file);
        let name = name.display().to_string();
        for document in Documents::new(text.as_bytes()) {
            let text = document.unwrap().text;
            if !text.contains("SeldonDeployment") {
                continue;
            }
            let value = Tree::yaml(&text).unwrap().to_value().unwrap();
            let items = match value["items"].as_array() {
                Some(items) => items.clone(),
                None => vec![value],
            };
            found.extend(items.into_iter().map(|item| (name.clone(), item)));
        }
    }
    // What the API server would not take for one of ours never comes to the webhook: one has a typing error in its apiVersion.
    found.retain(|(_, value)| {
        let api = value["apiVersion"].as_str().unwrap_or_default();
        value["kind"] == "SeldonDeployment" && api.starts_with("machinelearning.seldon.io/")
    });
    found
}

/// With the trigger.
pub(crate) fn triggered(manifest: &Value) -> Value {
    let mut traced = manifest.clone();
    let metadata = traced.as_object_mut().unwrap();
    let metadata = metadata.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert("tracing".to_owned(), json!("true"));
        }
    }
    traced
}
