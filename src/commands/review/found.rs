//! The one object that a file is about, with the text that it stands in.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use json_patch::Patch;
use serde_json::Value;

use crate::commands::sources::{Source, is_stdin};
use crate::manifest::edit::edit;
use crate::manifest::stream::{Documents, RawDocument};
use crate::manifest::tree::Tree;
use crate::offline::{Kind, below, kind_of, objects, parse, unreadable};

/// What was found in a file.
pub(super) enum Found {
    /// A whole AdmissionReview.
    Review(Value),
    /// A `SeldonDeployment`.
    Manifest(Manifest),
}

/// A `SeldonDeployment` in its text.
pub(super) struct Manifest {
    /// How messages call the file.
    pub(super) file: String,
    /// The object.
    pub(super) value: Value,
    documents: Vec<RawDocument>,
    /// Which of the documents it stands in.
    at: usize,
    tree: Tree,
    /// Where in the document it stands.
    pointer: String,
}

impl Manifest {
    /// The text of the file, before the patch and after it; nothing if the text cannot be edited without touching more.
    pub(super) fn texts(&self, patch: &Patch) -> Option<(String, String)> {
        let operations: Option<Vec<_>> = patch
            .iter()
            .map(|operation| below(&self.pointer, operation.clone()))
            .collect();
        let document = self.documents.get(self.at)?;
        let edited = edit(&document.text, &self.tree, &Patch(operations?)).ok()?;
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

/// Finds the one object of a file.
pub(super) fn find(path: &Path) -> anyhow::Result<Found> {
    let source = if is_stdin(path) {
        Source::Stdin
    } else {
        Source::File(path.to_owned())
    };
    let file = source.name();
    if path.is_dir() {
        bail!("{file} is a folder; a review is one of a single object: name its file");
    }
    let documents = Documents::new(source.open()?)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{file}: cannot read it"))?;
    let mut reviews = Vec::new();
    let mut manifests = Vec::new();
    let mut strange = None;
    for (at, document) in documents.iter().enumerate() {
        // What has nothing of ours in it may be anything, a template too.
        if !["SeldonDeployment", "AdmissionReview"]
            .iter()
            .any(|kind| document.text.contains(kind))
        {
            continue;
        }
        let wrong = |error| {
            let fault = unreadable(&document.text, error);
            let line = document.first_line + fault.line - 1;
            anyhow!("{file}:{line}: {}", fault.message)
        };
        let tree = parse(&document.text).map_err(wrong)?;
        let value = tree.to_value().map_err(wrong)?;
        let line = |pointer: &str| {
            document.first_line + tree.locate(pointer).map_or(1, |position| position.line) - 1
        };
        if value.get("kind").and_then(Value::as_str) == Some("AdmissionReview") {
            reviews.push((line(""), value));
            continue;
        }
        for (pointer, object) in objects(&value) {
            match kind_of(object) {
                Kind::Other => {}
                Kind::Unknown(why) => strange = Some(format!("{file}:{}: {why}", line(&pointer))),
                Kind::SeldonDeployment => {
                    manifests.push((at, line(&pointer), pointer, object.clone()));
                }
            }
        }
    }
    if reviews.len() + manifests.len() > 1 {
        let mut places: Vec<_> = reviews
            .iter()
            .map(|(line, _)| (*line, "AdmissionReview".to_owned()))
            .collect();
        places.extend(manifests.iter().map(|(_, line, _, object)| {
            let name = object["metadata"]["name"].as_str().unwrap_or("(no name)");
            (*line, format!("SeldonDeployment {name}"))
        }));
        places.sort();
        let places: Vec<_> = places
            .iter()
            .map(|(line, what)| format!("{what} at line {line}"))
            .collect();
        bail!(
            "{file}: a review is one of a single object, but here are {}: {}; put the one that you mean into a file of its own",
            places.len(),
            places.join(", ")
        );
    }
    if let Some((_, review)) = reviews.pop() {
        return Ok(Found::Review(review));
    }
    let Some((at, _, pointer, value)) = manifests.pop() else {
        bail!(strange.unwrap_or_else(|| format!(
            "{file}: there is no SeldonDeployment in it, and no AdmissionReview"
        )));
    };
    let text = documents.get(at).map_or("", |document| &document.text);
    let tree = parse(text).map_err(|error| anyhow!("{file}: {error}"))?;
    Ok(Found::Manifest(Manifest {
        file,
        value,
        documents,
        at,
        tree,
        pointer,
    }))
}
