//! The one object in a file, with its text.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use json_patch::Patch;
use serde_json::Value;

use crate::commands::messages;
use crate::commands::sources::Source;
use crate::manifest::edit::edit;
use crate::manifest::stream::{Documents, RawDocument};
use crate::manifest::tree::Tree;
use crate::offline::{Done, Fault, Kind, below, kind_of, objects, parse, unreadable};

/// The object in a file.
pub(super) enum Content {
    /// A whole AdmissionReview.
    Review(Value),
    /// A `SeldonDeployment`.
    Manifest(Manifest),
}

/// A `SeldonDeployment` in its text.
pub(super) struct Manifest {
    /// The name of the file in messages.
    pub(super) file: String,
    /// The object.
    pub(super) value: Value,
    documents: Vec<RawDocument>,
    /// The index of its document.
    at: usize,
    /// Its place in the document.
    pointer: String,
}

impl Manifest {
    /// The text of the file before and after the patch; `None` if the text cannot be edited without other changes.
    pub(super) fn texts(&self, patch: &Patch) -> Option<(String, String)> {
        let operations: Option<Vec<_>> = patch
            .iter()
            .map(|operation| below(&self.pointer, operation.clone()))
            .collect();
        let document = self.documents.get(self.at)?;
        let tree = parse(&document.text).ok()?;
        let edited = edit(&document.text, &tree, &Patch(operations?)).ok()?;
        let text = |changed: Option<&str>| {
            self.documents
                .iter()
                .enumerate()
                .map(|(at, document)| changed.filter(|_| at == self.at).unwrap_or(&document.text))
                .collect()
        };
        Some((text(None), text(Some(&edited))))
    }
}

/// An object in one of the documents of a file.
struct Object {
    line: usize,
    /// The index of its document.
    at: usize,
    pointer: String,
    value: Value,
}

impl Object {
    fn is_review(&self) -> bool {
        self.value["kind"] == "AdmissionReview"
    }

    /// The object with its line, for a message.
    fn place(&self) -> String {
        let line = self.line;
        if self.is_review() {
            return format!("AdmissionReview at line {line}");
        }
        let name = self.value["metadata"]["name"].as_str();
        let name = name.unwrap_or("(no name)");
        format!("SeldonDeployment {name} at line {line}")
    }
}

/// Reads the one object of a file. Warns of keys that are written twice, and returns how many there are.
pub(super) fn read(path: &Path) -> anyhow::Result<(Content, usize)> {
    let source = Source::of(path);
    let file = source.name();
    if path.is_dir() {
        bail!("{file} is a folder; a review is about a single object: name its file");
    }
    let documents = Documents::new(source.open()?)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{file}: cannot read it"))?;
    let mut found = Vec::new();
    let (mut unknown, mut duplicates) = (None, 0);
    for (at, document) in documents.iter().enumerate() {
        // Other documents need not be valid YAML; they may be templates.
        let kinds = ["SeldonDeployment", "AdmissionReview"];
        if !kinds.iter().any(|kind| document.text.contains(kind)) {
            continue;
        }
        let (tree, value, twice) = parse_document(&file, document)?;
        duplicates += twice;
        for (pointer, object) in objects(&value) {
            let line = tree.locate(&pointer).map_or(1, |position| position.line);
            let object = Object {
                line: document.first_line + line - 1,
                at,
                pointer,
                value: object.clone(),
            };
            match kind_of(&object.value) {
                Kind::Unknown(why) => unknown = Some(format!("{file}:{}: {why}", object.line)),
                Kind::Other if !object.is_review() => {}
                Kind::Other | Kind::SeldonDeployment => found.push(object),
            }
        }
    }
    if found.len() > 1 {
        let places: Vec<_> = found.iter().map(Object::place).collect();
        bail!(
            "{file}: a review is about a single object, but the file has {}: {}; copy one of them to a file of its own",
            found.len(),
            places.join(", ")
        );
    }
    match found.pop() {
        Some(review) if review.is_review() => Ok((Content::Review(review.value), duplicates)),
        Some(object) => {
            let manifest = Manifest {
                file,
                value: object.value,
                documents,
                at: object.at,
                pointer: object.pointer,
            };
            Ok((Content::Manifest(manifest), duplicates))
        }
        None => bail!(unknown.unwrap_or_else(|| format!(
            "{file}: no SeldonDeployment in it, and no AdmissionReview"
        ))),
    }
}

/// The tree and the value of a document, and how many keys are written twice.
fn parse_document(file: &str, document: &RawDocument) -> anyhow::Result<(Tree, Value, usize)> {
    let wrong = |error| {
        let fault = unreadable(&document.text, error);
        let line = document.first_line + fault.line - 1;
        anyhow!("{file}:{line}: {}", fault.message)
    };
    let tree = parse(&document.text).map_err(wrong)?;
    let (value, duplicates) = tree.to_value_and_duplicates().map_err(wrong)?;
    let done = Done {
        duplicates: duplicates.into_iter().map(Fault::from).collect(),
        ..Done::default()
    };
    let count = messages::of_document(file, document.first_line, &done);
    Ok((tree, value, count))
}
