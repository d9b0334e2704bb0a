//! One document of a manifest, through the engine and back into its text. Pure.

mod find;

use std::collections::BTreeMap;

use json_patch::jsonptr::PointerBuf;
use json_patch::{Patch, PatchOperation};

pub(crate) use self::find::{Kind, kind_of, objects};

use crate::config::Config;
use crate::inject::explain::Explanation;
use crate::inject::{Context, SeldonDeployment, plan, pointer_for_people, spelling};
use crate::manifest::edit::{EditError, edit_with_nulls};
use crate::manifest::tree::{ParseError, Tree};

/// An error in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line in the document, from 1.
    pub line: usize,
    /// The path in the object; empty if the error has no single place.
    pub path: String,
    /// The error, and how to fix it.
    pub message: String,
}

/// A `SeldonDeployment` in a document.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The line in the document where it begins.
    pub line: usize,
    /// The decision and its reasons.
    pub explanation: Explanation,
}

/// The result for a document.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The new text, if it differs.
    pub text: Option<String>,
    /// Its objects.
    pub objects: Vec<Seen>,
    /// Objects that look like a `SeldonDeployment` and are left unchanged: line and reason.
    pub ignored: Vec<(usize, String)>,
    /// Keys that are written twice. Such a document is read as kubectl reads it, and not edited.
    pub duplicates: Vec<Fault>,
}

/// Runs the engine on one document. Text that does not mention `SeldonDeployment` is not parsed, so that templates of other objects pass.
///
/// # Errors
/// Text that cannot be read, or that cannot be edited without changing more than the patch does.
pub fn run(text: &str, config: &Config, context: &Context<'_>) -> Result<Done, Fault> {
    if !text.contains("SeldonDeployment") {
        return Ok(Done::default());
    }
    let fault = |error| unreadable(text, error);
    let tree = parse(text).map_err(fault)?;
    let (value, duplicates) = tree.to_value_and_duplicates().map_err(fault)?;
    let mut done = Done {
        duplicates: duplicates.into_iter().map(Fault::from).collect(),
        ..Done::default()
    };
    let mut operations = Vec::new();
    let mut texts_of_nulls = BTreeMap::new();
    for (prefix, object) in objects(&value) {
        let line = tree.locate(&prefix).map_or(1, |position| position.line);
        match kind_of(object) {
            Kind::Other => continue,
            Kind::Unknown(why) => {
                done.ignored.push((line, why));
                continue;
            }
            Kind::SeldonDeployment => {}
        }
        let fault = |message| Fault::at(line, message);
        let json = object.to_string();
        let view = SeldonDeployment::from_json(json.as_bytes())
            .map_err(|error| fault(format!("the object cannot be read: {error}")))?;
        let nulls = |pointer: &str| spelling(tree.null_text(&format!("{prefix}{pointer}"))?);
        let context = Context {
            nulls: Some(&nulls),
            ..*context
        };
        let plan = plan(&view, None, config, &context);
        let line_of = |pointer: &str| {
            tree.locate(&format!("{prefix}{pointer}"))
                .map(|position| position.line)
        };
        let namespace = view.namespace().or(context.namespace);
        let explanation = Explanation::of(&plan, view.name(), namespace, line_of);
        done.objects.push(Seen { line, explanation });
        let null_texts = plan.nulls().into_iter();
        texts_of_nulls
            .extend(null_texts.map(|(pointer, text)| (format!("{prefix}{pointer}"), text)));
        let unwritten = |error| fault(format!("the patch cannot be written: {error}"));
        for operation in plan.patch().map_err(unwritten)?.0 {
            let pointer = operation.path().to_string();
            let operation = below(&prefix, operation)
                .ok_or_else(|| fault(format!("the change of {pointer} cannot be written")))?;
            operations.push(operation);
        }
    }
    if !operations.is_empty() && done.duplicates.is_empty() {
        let patch = Patch(operations);
        done.text = Some(edit_with_nulls(text, &tree, &patch, &texts_of_nulls)?);
    }
    Ok(done)
}

/// Reads a document as JSON if it is JSON, else as YAML.
pub(crate) fn parse(text: &str) -> Result<Tree, ParseError> {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if !start.starts_with(['{', '[']) {
        return Tree::yaml(text);
    }
    // YAML may begin with a brace too. For text that is neither, the error of the JSON parser is more likely to help.
    Tree::json(text).or_else(|error| Tree::yaml(text).map_err(|_| error))
}

/// The error for text that cannot be read, with advice.
pub(crate) fn unreadable(text: &str, error: ParseError) -> Fault {
    let line = text.lines().nth(error.position.line.saturating_sub(1));
    let mut fault = Fault::from(error);
    if line.is_some_and(|line| line.contains("{{")) {
        fault
            .message
            .push_str("; this looks like a template: render it first, as in helm template . | seldon-tracing inject");
    }
    fault
}

impl Fault {
    /// An error without a path.
    const fn at(line: usize, message: String) -> Self {
        let path = String::new();
        Self {
            line,
            path,
            message,
        }
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        Self::at(error.position.line, error.message)
    }
}

impl From<EditError> for Fault {
    fn from(error: EditError) -> Self {
        Self {
            line: error.line,
            path: pointer_for_people(&error.pointer),
            message: format!("{}; {}", error.problem, error.advice),
        }
    }
}

/// Moves an operation on an object to the place of the object in its document.
pub(crate) fn below(prefix: &str, operation: PatchOperation) -> Option<PatchOperation> {
    let path = |path: PointerBuf| PointerBuf::parse(format!("{prefix}{path}")).ok();
    Some(match operation {
        PatchOperation::Add(mut add) => {
            add.path = path(add.path)?;
            PatchOperation::Add(add)
        }
        PatchOperation::Remove(mut remove) => {
            remove.path = path(remove.path)?;
            PatchOperation::Remove(remove)
        }
        _ => return None,
    })
}
