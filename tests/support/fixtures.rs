//! Files that tests read: those of the checkout, and the real manifests and CRDs of `../shared`, which is no part of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use seldon_tracing::manifest::stream::Documents;
use seldon_tracing::manifest::tree::Tree;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with data that is no part of the repository.
pub(crate) fn shared() -> PathBuf {
    let beside = || root().join("../shared");
    std::env::var_os("SELDON_TRACING_SHARED").map_or_else(beside, PathBuf::from)
}

/// A folder with files in it.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The YAML files of a folder, in order.
pub(crate) fn yaml_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

/// The manifests of `examples/`, in order.
pub(crate) fn examples() -> Vec<PathBuf> {
    yaml_in(&root().join("examples"))
}

/// The SeldonDeployments of the examples and of their golden files, with the name of the file.
pub(crate) fn example_objects() -> Vec<(String, Value)> {
    let mut files = examples();
    files.extend(yaml_in(&root().join("tests/cli/golden")));
    objects(&files)
}

/// The real manifests and the CRDs.
#[derive(Clone, Debug)]
pub(crate) struct Corpus {
    manifests: PathBuf,
    pub(crate) crds: PathBuf,
}

impl Corpus {
    /// The reason for which tests are ignored.
    pub(crate) const ABSENT: &'static str = "there is no corpus/ and crd/ in ../shared, or in the folder that SELDON_TRACING_SHARED names";

    pub(crate) fn find() -> Option<Self> {
        let (manifests, crds) = (shared().join("corpus"), shared().join("crd"));
        (manifests.is_dir() && crds.is_dir()).then_some(Self { manifests, crds })
    }

    /// The text of each manifest, with the name of its file.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let files = yaml_in(&self.manifests).into_iter();
        files
            .map(|file| {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(&file).unwrap())
            })
            .collect()
    }

    /// The SeldonDeployments, with the name of the file.
    pub(crate) fn objects(&self) -> Vec<(String, Value)> {
        objects(&yaml_in(&self.manifests))
    }
}

/// The documents of a text in YAML.
#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents = Documents::new(text.as_bytes());
    let read = |text: &str| Tree::yaml(text).unwrap().to_value().unwrap();
    documents
        .map(|document| read(&document.unwrap().text))
        .filter(|value| !value.is_null())
        .collect()
}

fn objects(files: &[PathBuf]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.strip_prefix(root()).unwrap_or(file);
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
    // The API server sends the webhook only what it takes for a SeldonDeployment: one manifest has a typing error in its apiVersion.
    found.retain(|(_, value)| {
        let api = value["apiVersion"].as_str().unwrap_or_default();
        value["kind"] == "SeldonDeployment" && api.starts_with("machinelearning.seldon.io/")
    });
    found
}

/// The manifest with the trigger.
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
