//! A JSON patch applied to the text of a manifest. Every byte that the patch does not change stays.
//!
//! Each operation becomes a splice of the original text. All splices are made at once, and the new text is read again: its value must
//! be that of the patched value. Adding something and removing it again gives the original bytes.

mod block;
mod change;
mod error;
mod flow;
mod original;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use json_patch::Patch;

use self::change::changes;
pub use self::error::EditError;
use self::error::Unclear;
use self::original::Original;
use super::tree::{Format, Id, Kind, Tree};

/// Applies a patch of `add`s and `remove`s to the text that `tree` was read from.
///
/// Removals within one list come in descending order, additions to a list come as `/-`. An `add` may replace one text by another, as
/// when a record is written anew.
///
/// # Errors
/// Text that cannot be edited exactly.
pub fn edit(text: &str, tree: &Tree, patch: &Patch) -> Result<String, EditError> {
    edit_with_nulls(text, tree, patch, &BTreeMap::new())
}

/// The same for a patch that turns collections into nulls again, whose texts `nulls` has by pointer; where it has none, `null` is written.
///
/// # Errors
/// Text that cannot be edited exactly.
pub fn edit_with_nulls(
    text: &str,
    tree: &Tree,
    patch: &Patch,
    nulls: &BTreeMap<String, &str>,
) -> Result<String, EditError> {
    if patch.0.is_empty() {
        return Ok(text.to_owned());
    }
    let mut expected = tree.to_value().map_err(|error| EditError {
        pointer: String::new(),
        line: error.position.line,
        problem: error.message,
        advice: "correct the document first".to_owned(),
    })?;
    refuse_lone_returns(text, tree)?;
    json_patch::patch(&mut expected, patch).map_err(|error| {
        let problem = format!("the change does not fit the document ({})", error.kind);
        let advice = "check what the document has there";
        EditError::new(tree, &error.path.to_string(), problem, advice)
    })?;

    let changes = changes(tree, patch, nulls)?;
    let original = Original::new(text, tree);
    let mut splices = Vec::new();
    for (&id, change) in &changes {
        let made = if tree.raw(id).flow {
            flow::splices(&original, id, change, &mut splices)
        } else {
            block::splices(&original, id, change, &mut splices)
        };
        made.map_err(|error| error.at(tree, &change.pointer))?;
    }
    let edited = original::apply(text, splices).map_err(|error| error.at(tree, ""))?;

    // The guard against every case that is not foreseen above.
    let read = match tree.format {
        Format::Yaml => Tree::yaml(&edited),
        Format::Json => Tree::json(&edited),
    };
    let value = read.and_then(|tree| tree.to_value());
    if value.is_ok_and(|value| value == expected) {
        return Ok(edited);
    }
    let shared = changes
        .iter()
        .find_map(|(id, change)| Some((shared_anchor(tree, *id)?, change)));
    Err(if let Some((anchor, change)) = shared {
        let problem = format!("this is the anchor &{anchor}, which is also used elsewhere");
        let advice = "write it out at each place instead of using the alias";
        EditError::new(tree, &change.pointer, problem, advice)
    } else {
        let pointer = changes.values().next().map_or("", |change| &change.pointer);
        Unclear::new("the edited text would not have the expected value").at(tree, pointer)
    })
}

/// YAML takes a carriage return alone for a line break, but hardly any editor does.
fn refuse_lone_returns(text: &str, tree: &Tree) -> Result<(), EditError> {
    let mut returns = text.match_indices('\r').map(|(at, _)| at);
    let lone = returns.find(|at| text.as_bytes().get(at + 1) != Some(&b'\n'));
    match lone.filter(|_| tree.format == Format::Yaml) {
        None => Ok(()),
        Some(at) => Err(EditError {
            pointer: String::new(),
            line: text.get(..at).unwrap_or_default().lines().count().max(1),
            problem: "a carriage return stands without a line feed".to_owned(),
            advice: "give the file one kind of line break".to_owned(),
        }),
    }
}

/// The anchor on or above a node that an alias uses.
fn shared_anchor(tree: &Tree, id: Id) -> Option<&str> {
    let is_used = |id| {
        let mut nodes = tree.nodes.iter();
        nodes.any(|node| matches!(node.kind, Kind::Alias(target) if target == id))
    };
    std::iter::successors(Some(id), |id| tree.raw(*id).parent)
        .find_map(|id| tree.raw(id).anchor.as_deref().filter(|_| is_used(id)))
}
