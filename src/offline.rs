//! One document of a manifest through the engine and back into its text. Pure.

use json_patch::jsonptr::PointerBuf;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use crate::config::Config;
use crate::explain::Explanation;
use crate::inject::{Context, SeldonDeployment, plan, pointer_for_people};
use crate::manifest::edit::{Refusal, edit};
use crate::manifest::tree::{ParseError, Tree};

/// The group of the resource.
const GROUP: &str = "machinelearning.seldon.io";

/// Its versions, which share the shape of all that is read here.
const VERSIONS: [&str; 3] = ["v1", "v1alpha2", "v1alpha3"];

/// Something that keeps a document from being worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line in the document, from 1.
    pub line: usize,
    /// The path in the object, where it is about one place.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A `SeldonDeployment` that was found.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The line in the document where it begins.
    pub line: usize,
    /// What is done with it and why.
    pub explanation: Explanation,
}

/// What came of a document.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The new text, if it is another.
    pub text: Option<String>,
    /// What was found in it.
    pub objects: Vec<Seen>,
    /// What looks like a `SeldonDeployment` and is left as it is, with its line.
    pub ignored: Vec<(usize, String)>,
}

/// Works on one document. Text without a `SeldonDeployment` in it is not even parsed, so that other people's templates pass.
///
/// # Errors
/// Text that cannot be read, or that cannot be edited without touching more than the patch does.
pub fn run(text: &str, config: &Config, context: &Context<'_>) -> Result<Done, Fault> {
    if !text.contains("SeldonDeployment") {
        return Ok(Done::default());
    }
    let fault = |error| unreadable(text, error);
    let tree = parse(text).map_err(fault)?;
    let value = tree.to_value().map_err(fault)?;
    let mut done = Done::default();
    let mut operations = Vec::new();
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
        let json = object.to_string();
        let fault = |error: serde_json::Error| Fault {
            line,
            path: String::new(),
            message: format!("the object cannot be read: {error}"),
        };
        let view = SeldonDeployment::from_json(json.as_bytes()).map_err(fault)?;
        let plan = plan(&view, None, config, context);
        let line_of = |pointer: &str| {
            tree.locate(&format!("{prefix}{pointer}"))
                .map(|position| position.line)
        };
        let namespace = view.namespace().or(context.namespace);
        let explanation = Explanation::of(&plan, view.name(), namespace, line_of);
        done.objects.push(Seen { line, explanation });
        operations.extend(
            plan.patch()
                .0
                .into_iter()
                .filter_map(|operation| below(&prefix, operation)),
        );
    }
    if !operations.is_empty() {
        done.text = Some(edit(text, &tree, &Patch(operations))?);
    }
    Ok(done)
}

/// Whether the text is to be read as JSON; a YAML document may begin with a brace as well.
fn begins_as_json(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
        .starts_with(['{', '['])
}

/// Reads a document, as JSON where it is JSON.
pub(crate) fn parse(text: &str) -> Result<Tree, ParseError> {
    if !begins_as_json(text) {
        return Tree::yaml(text);
    }
    // What is neither was most likely meant to be JSON.
    Tree::json(text).or_else(|error| Tree::yaml(text).map_err(|_| error))
}

/// What is wrong with a text that cannot be read.
pub(crate) fn unreadable(text: &str, error: ParseError) -> Fault {
    let line = text.lines().nth(error.line.saturating_sub(1));
    let mut fault = Fault::from(error);
    if fault.message.contains("trailing characters") {
        fault
            .message
            .push_str("; put several JSON objects into a kind: List, or --- between them");
    }
    if line.is_some_and(|line| line.contains("{{")) {
        fault
            .message
            .push_str("; this looks like a template: render it first, as in helm template . | seldon-tracing inject");
    }
    fault
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        Self {
            line: error.line,
            path: String::new(),
            message: error.message,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self {
            line: refusal.line,
            path: pointer_for_people(&refusal.pointer),
            message: format!("{}; {}", refusal.problem, refusal.advice),
        }
    }
}

/// What a value of a manifest is.
pub(crate) enum Kind {
    /// It is one of those that are worked on.
    SeldonDeployment,
    /// It has the kind but not an apiVersion that is known.
    Unknown(String),
    /// It is something else.
    Other,
}

/// What the value is.
pub(crate) fn kind_of(object: &Value) -> Kind {
    if object.get("kind").and_then(Value::as_str) != Some("SeldonDeployment") {
        return Kind::Other;
    }
    let expected = "expected machinelearning.seldon.io/v1, v1alpha2 or v1alpha3";
    let Some(api_version) = object.get("apiVersion").and_then(Value::as_str) else {
        return Kind::Unknown(format!(
            "a SeldonDeployment without an apiVersion is left as it is; {expected}"
        ));
    };
    match api_version.split_once('/') {
        Some((GROUP, version)) if VERSIONS.contains(&version) => Kind::SeldonDeployment,
        _ => Kind::Unknown(format!(
            "a SeldonDeployment of apiVersion {api_version:?} is left as it is; {expected}"
        )),
    }
}

/// The objects of a document, with the pointer to each: itself, or the items of a list.
pub(crate) fn objects(value: &Value) -> Vec<(String, &Value)> {
    let is_list = matches!(
        value.get("kind").and_then(Value::as_str),
        Some("List" | "SeldonDeploymentList")
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

/// The operation on an object inside of a document.
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
