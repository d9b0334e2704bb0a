//! The request: made from a manifest, or a whole AdmissionReview.

use anyhow::bail;
use serde_json::Value;

use super::file::{Content, Manifest, read};
use crate::apiserver::question::{Operation, Question, admitted, version};
use crate::cli::{self, Review};
use crate::commands::sources::{is_stdin, one};

/// The identity of the request. It is constant, so that the same request gives the same answer.
const UID: &str = "00000000-0000-4000-8000-000000000001";

/// The user in the request. The answer must not depend on it.
const USER: &str = "seldon-tracing-review";

/// A request that is ready to be sent.
pub(super) struct Asked {
    pub(super) uid: String,
    pub(super) body: Vec<u8>,
    /// The request in words.
    pub(super) words: String,
    /// The object that a patch applies to.
    pub(super) object: Option<Value>,
    /// Its text, if it comes from a manifest.
    pub(super) manifest: Option<Manifest>,
    /// How many keys are written twice in its files.
    pub(super) duplicates: usize,
}

/// Makes the request that the arguments describe.
pub(super) fn question(arguments: &Review) -> anyhow::Result<Asked> {
    let file = one(&arguments.file)?;
    let config = arguments.surroundings.file.config.as_deref();
    let config = config.filter(|_| arguments.url.is_none());
    let files = [Some(file), arguments.old.as_deref(), config];
    if files.iter().flatten().filter(|path| is_stdin(path)).count() > 1 {
        bail!("standard input (-) can be read only once: name a file for the other");
    }
    let (content, duplicates) = read(file)?;
    let mut asked = match content {
        Content::Review(review) => of_review(arguments, &review),
        Content::Manifest(manifest) => of_manifest(arguments, manifest),
    }?;
    asked.duplicates += duplicates;
    Ok(asked)
}

/// The request of a whole AdmissionReview.
fn of_review(arguments: &Review, review: &Value) -> anyhow::Result<Asked> {
    let given = [
        ("--old", arguments.old.is_some()),
        ("--operation", arguments.operation.is_some()),
        ("--dry-run", arguments.dry_run),
        ("--namespace", arguments.surroundings.namespace.is_some()),
    ];
    if let Some((flag, _)) = given.iter().find(|(_, given)| *given) {
        bail!(
            "{flag} cannot be used with a whole AdmissionReview, which says that itself; leave it out, or use a manifest"
        );
    }
    let request = &review["request"];
    let text = |key: &str| request[key].as_str().unwrap_or_default();
    if text("uid").is_empty() {
        bail!(
            "the AdmissionReview has no request.uid, which an answer must repeat; is it an answer itself?"
        );
    }
    let kind = request["kind"]["kind"].as_str().unwrap_or("object");
    Ok(Asked {
        uid: text("uid").to_owned(),
        body: review.to_string().into_bytes(),
        words: words(text("operation"), kind, text("namespace"), text("name")),
        object: Some(&request["object"])
            .filter(|object| !object.is_null())
            .cloned(),
        manifest: None,
        duplicates: 0,
    })
}

/// A request about the object of a manifest.
fn of_manifest(arguments: &Review, manifest: Manifest) -> anyhow::Result<Asked> {
    let operation = operation(arguments)?;
    let (old, duplicates) = match arguments.old.as_deref().map(read).transpose()? {
        Some((Content::Review(_), _)) => {
            bail!("--old is a manifest of the stored object, not an AdmissionReview")
        }
        Some((Content::Manifest(old), duplicates)) => (Some(old.value), duplicates),
        None => (None, 0),
    };
    let namespace = namespace(arguments.surroundings.namespace.as_deref(), &manifest.value)?;
    let name = text(&manifest.value, "name");
    if let Some(old) = &old {
        same_object(old, namespace, name)?;
    }
    if name.is_none() && operation != Operation::Create {
        bail!(
            "the SeldonDeployment has no metadata.name, so it cannot be stored yet: only a CREATE is possible"
        );
    }
    let new = admitted(&manifest.value, namespace);
    let old = old.map(|old| admitted(&old, namespace));
    let (object, old_object) = match operation {
        Operation::Create => (Some(&new), None),
        Operation::Update => (Some(&new), Some(old.as_ref().unwrap_or(&new))),
        Operation::Delete => (None, Some(&new)),
    };
    let body = Question {
        uid: UID,
        operation,
        namespace,
        name,
        version: version(&manifest.value),
        dry_run: arguments.dry_run,
        user: USER,
        object,
        old_object,
    }
    .to_bytes();
    let called = name
        .or_else(|| text(&manifest.value, "generateName"))
        .unwrap_or("(no name)");
    Ok(Asked {
        uid: UID.to_owned(),
        body,
        words: words(operation.word(), "SeldonDeployment", namespace, called),
        object: object.cloned(),
        manifest: Some(manifest),
        duplicates,
    })
}

fn operation(arguments: &Review) -> anyhow::Result<Operation> {
    Ok(match (arguments.operation, &arguments.old) {
        (Some(cli::Operation::Create), Some(_)) => {
            bail!("a CREATE has no --old object: leave out --old")
        }
        (Some(cli::Operation::Delete), Some(_)) => {
            bail!("a DELETE is about the object in FILE; leave out --old")
        }
        (Some(cli::Operation::Update), _) | (None, Some(_)) => Operation::Update,
        (Some(cli::Operation::Delete), None) => Operation::Delete,
        (Some(cli::Operation::Create) | None, None) => Operation::Create,
    })
}

/// Refuses a stored object with another name or namespace.
fn same_object(old: &Value, namespace: &str, name: Option<&str>) -> anyhow::Result<()> {
    if text(old, "name") != name {
        bail!(
            "--old is another object: {:?}, not {:?}; an update cannot change the name",
            text(old, "name").unwrap_or_default(),
            name.unwrap_or_default()
        );
    }
    match text(old, "namespace") {
        Some(own) if own != namespace => {
            bail!("--old is in the namespace {own:?}, the object in {namespace:?}")
        }
        _ => Ok(()),
    }
}

/// The namespace of the request, as kubectl finds it.
fn namespace<'a>(given: Option<&'a str>, object: &'a Value) -> anyhow::Result<&'a str> {
    match (given, text(object, "namespace")) {
        (Some(given), Some(own)) if given != own => bail!(
            "--namespace {given}: the object is in the namespace {own}, and the API server refuses another one; leave out --namespace"
        ),
        (Some(namespace), _) | (None, Some(namespace)) => Ok(namespace),
        (None, None) => Ok("default"),
    }
}

/// A string of the metadata; an empty one counts as absent.
fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"][key]
        .as_str()
        .filter(|text| !text.is_empty())
}

fn words(operation: &str, kind: &str, namespace: &str, name: &str) -> String {
    let slash = if namespace.is_empty() { "" } else { "/" };
    format!("{operation} of {kind} {namespace}{slash}{name}")
}
