//! A JSON patch applied to the text of a manifest, so that every byte not touched stays.
//!
//! Each operation becomes a splice of the original text; all splices are made at once, and the
//! text that comes out is read again: its value must be what the patch makes of the value before.
//! What is added here and removed again leaves the very bytes that were there.

mod block;
mod flow;
mod source;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use self::source::Source;
use super::tree::{Format, Id, Kind, Tree};
use super::value;

/// An edit that was not made, told to the person who wrote the manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {problem}; {advice}")]
pub struct Refusal {
    /// The place that was to be changed, as an RFC 6901 pointer; empty for the document.
    pub pointer: String,
    /// The nearest line in the document's text, from 1.
    pub line: usize,
    /// What was met.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

/// Applies a patch of `add`s and `remove`s to the text that `tree` was read from.
///
/// Removals within one list come in descending order, additions to a list come as `/-`. An `add` may give a key that has a text
/// another one, as for a record that is written anew.
///
/// # Errors
/// Whatever cannot be edited exactly: the result is never a guess.
pub fn edit(text: &str, tree: &Tree, patch: &Patch) -> Result<String, Refusal> {
    if patch.0.is_empty() {
        return Ok(text.to_owned());
    }
    let mut expected = tree.to_value().map_err(|error| Refusal {
        pointer: String::new(),
        line: error.line,
        problem: error.message,
        advice: "correct the document first".to_owned(),
    })?;
    let refuse = |pointer: &str, problem: String, advice: &str| Refusal {
        line: tree.locate(pointer).map_or(1, |position| position.line),
        pointer: pointer.to_owned(),
        problem,
        advice: advice.to_owned(),
    };
    if tree.format == Format::Yaml
        && let Some(at) = text
            .match_indices('\r')
            .map(|(at, _)| at)
            .find(|at| text.as_bytes().get(at + 1) != Some(&b'\n'))
    {
        // A line break to YAML, but to hardly any editor: no one wants more of them.
        return Err(Refusal {
            pointer: String::new(),
            line: text.get(..at).unwrap_or_default().lines().count().max(1),
            problem: "a carriage return stands without a line feed".to_owned(),
            advice: "give the file one kind of line break".to_owned(),
        });
    }
    json_patch::patch(&mut expected, patch).map_err(|error| {
        let problem = format!("the change does not fit the document ({})", error.kind);
        refuse(
            &error.path.to_string(),
            problem,
            "check what the document has there",
        )
    })?;

    let changes = collect(tree, patch, &refuse)?;
    let source = Source::new(text, tree);
    let mut splices = Vec::new();
    for (&id, change) in &changes {
        let made = match &tree.raw(id).kind {
            Kind::Mapping { flow: true, .. } | Kind::Sequence { flow: true, .. } => {
                flow::splices(&source, id, change, &mut splices)
            }
            _ => block::splices(&source, id, change, &mut splices),
        };
        made.map_err(|Odd(problem)| refuse(&change.pointer, problem, WRITE_PLAINLY))?;
    }
    let edited =
        source::apply(text, splices).map_err(|Odd(problem)| refuse("", problem, WRITE_PLAINLY))?;

    // The guard: whatever was not foreseen above ends here.
    let read = match tree.format {
        Format::Yaml => Tree::yaml(&edited),
        Format::Json => Tree::json(&edited),
    };
    if read
        .and_then(|tree| tree.to_value())
        .is_ok_and(|value| value == expected)
    {
        return Ok(edited);
    }
    let shared = changes
        .iter()
        .find_map(|(id, change)| Some((shared_anchor(tree, *id)?, change)));
    Err(if let Some((anchor, change)) = shared {
        refuse(
            &change.pointer,
            format!("what stands there is the anchor &{anchor}, which is also used elsewhere"),
            "write it out at each place instead of using the alias",
        )
    } else {
        let pointer = changes.values().next().map_or("", |change| &change.pointer);
        refuse(
            pointer,
            "the edited text would not read as it should".to_owned(),
            WRITE_PLAINLY,
        )
    })
}

const WRITE_PLAINLY: &str = "write this part more plainly, or make the change by hand";

/// Something in the text that the edit has no exact way with; says what.
#[derive(Debug)]
struct Odd(String);

impl Odd {
    fn new(problem: &str) -> Self {
        Self(problem.to_owned())
    }
}

/// What is to become of one collection.
#[derive(Debug, Default)]
struct Change<'p> {
    /// The way by which the patch came to it.
    pointer: String,
    /// What is put at its end: entries with a key, items without.
    adds: Vec<(Option<String>, &'p Value)>,
    /// Entries that are there without a value, or with another text, by index, and what they get.
    fills: Vec<(usize, &'p Value)>,
    /// Entries or items that go.
    removes: BTreeSet<usize>,
}

impl Change<'_> {
    fn same_as(&self, other: &Self) -> bool {
        self.adds == other.adds && self.fills == other.fills && self.removes == other.removes
    }
}

/// Groups the operations by the collection in the text that they come to.
fn collect<'p>(
    tree: &Tree,
    patch: &'p Patch,
    refuse: &impl Fn(&str, String, &str) -> Refusal,
) -> Result<BTreeMap<Id, Change<'p>>, Refusal> {
    let mut by_way: BTreeMap<(Id, String), Change<'p>> = BTreeMap::new();
    for operation in patch.iter() {
        let (pointer, added) = match operation {
            PatchOperation::Add(add) => (&add.path, Some(&add.value)),
            PatchOperation::Remove(remove) => (&remove.path, None),
            other => {
                let problem = "only add and remove can be written into a text".to_owned();
                return Err(refuse(other.path().as_str(), problem, WRITE_PLAINLY));
            }
        };
        let place = |Odd(problem): Odd| refuse(pointer.as_str(), problem, WRITE_PLAINLY);
        let tokens: Vec<_> = pointer
            .tokens()
            .map(|token| token.decoded().into_owned())
            .collect();
        let Some((last, parents)) = tokens.split_last() else {
            return Err(place(Odd::new(
                "a whole document cannot be added or removed",
            )));
        };
        let id = parents
            .iter()
            .try_fold(tree.root.unwrap_or_default(), |id, token| {
                child(tree, id, token)
            })
            .map(|id| tree.target(id))
            .map_err(place)?;
        let way = pointer
            .as_str()
            .rsplit_once('/')
            .map_or("", |(way, _)| way)
            .to_owned();
        let change = by_way.entry((id, way.clone())).or_default();
        change.pointer = way;
        change.operation(tree, id, last, added).map_err(place)?;
    }

    let mut changes: BTreeMap<Id, Change<'p>> = BTreeMap::new();
    for ((id, way), change) in by_way {
        match changes.get(&id) {
            None => {
                changes.insert(id, change);
            }
            // An alias and its anchor, both changed alike: the text is changed once.
            Some(first) if first.same_as(&change) => {}
            Some(first) => {
                let problem = format!(
                    "this is written once for {} too, by an alias, and would have to differ there",
                    first.pointer
                );
                return Err(refuse(&way, problem, "write it out at each place"));
            }
        }
    }
    let gone = Gone::new(tree, &changes);
    if let Some((anchor, id)) = gone.outer_alias(tree) {
        let problem = format!("the anchor &{anchor} stands in it and is used elsewhere");
        let way = changes.get(&id).map_or("", |change| &change.pointer);
        return Err(refuse(way, problem, "write it out where the alias is"));
    }
    changes.retain(|id, _| gone.part_of(*id).is_none());
    Ok(changes)
}

/// The nodes that removals take away.
struct Gone {
    /// Ranges that do not overlap, in order, each with the collection that it is taken from.
    parts: Vec<(Range<Id>, Id)>,
}

impl Gone {
    fn new(tree: &Tree, changes: &BTreeMap<Id, Change<'_>>) -> Self {
        let mut parts: Vec<_> = changes
            .iter()
            .flat_map(|(&id, change)| {
                change
                    .removes
                    .iter()
                    .map(move |index| (part(tree, id, *index), id))
            })
            .collect();
        parts.sort_by_key(|(part, _)| part.start);
        let mut end = 0;
        parts.retain(|(part, _)| {
            let outer = part.start >= end; // else it lies within one that goes as a whole
            end = end.max(part.end);
            outer
        });
        Self { parts }
    }

    fn part_of(&self, id: Id) -> Option<Id> {
        let index = self.parts.partition_point(|(part, _)| part.end <= id);
        self.parts
            .get(index)
            .filter(|(part, _)| part.contains(&id))
            .map(|(_, from)| *from)
    }

    /// An anchor that goes though an alias that stays stands for it, and where it goes from.
    fn outer_alias<'t>(&self, tree: &'t Tree) -> Option<(&'t str, Id)> {
        tree.nodes
            .iter()
            .enumerate()
            .find_map(|(id, node)| match node.kind {
                Kind::Alias(target) if self.part_of(id).is_none() => {
                    Some((tree.raw(target).anchor.as_deref()?, self.part_of(target)?))
                }
                _ => None,
            })
    }
}

impl<'p> Change<'p> {
    fn operation(
        &mut self,
        tree: &Tree,
        id: Id,
        last: &str,
        added: Option<&'p Value>,
    ) -> Result<(), Odd> {
        match &tree.raw(id).kind {
            Kind::Mapping { entries, .. } => {
                let own = value::find_own(tree, id, last);
                let index = own.and_then(|own| entries.iter().position(|entry| *entry == own));
                match (added, own.zip(index)) {
                    (Some(value), None) => self.adds.push((Some(last.to_owned()), value)),
                    (Some(value), Some(((_, old), index))) => {
                        let old = tree.raw(old);
                        let is_null = value::of(tree, entries[index].1) == Ok(Value::Null);

                        let is_text = matches!(old.kind, Kind::Scalar { .. }) && value.is_string();
                        if !(is_null || is_text) || old.anchor.is_some() || old.tag.is_some() {
                            return Err(Odd(format!("{last} is there already")));
                        }
                        self.fills.push((index, value));
                    }
                    (None, Some((_, index))) => {
                        self.removes.insert(index);
                    }
                    (None, None) => return Err(missing(tree, id, last)),
                }
            }
            Kind::Sequence { items, .. } => {
                if let Some(value) = added {
                    let end = items.len() + self.adds.len();
                    if last != "-" && last.parse() != Ok(end) {
                        return Err(Odd::new("an item can only be added at the end of the list"));
                    }
                    self.adds.push((None, value));
                } else {
                    let index = last.parse().ok().filter(|index| *index < items.len());
                    self.removes
                        .insert(index.ok_or_else(|| missing(tree, id, last))?);
                }
            }
            _ => return Err(Odd::new("it is neither a mapping nor a list")),
        }
        Ok(())
    }
}

fn missing(tree: &Tree, mapping: Id, key: &str) -> Odd {
    if value::find(tree, mapping, key).is_some() {
        Odd(format!(
            "{key} comes from a merge key (<<) and is not written there"
        ))
    } else {
        Odd(format!("there is no {key}"))
    }
}

fn child(tree: &Tree, id: Id, token: &str) -> Result<Id, Odd> {
    let id = tree.target(id);
    match &tree.raw(id).kind {
        Kind::Mapping { .. } => value::find_own(tree, id, token).map(|(_, value)| value),
        Kind::Sequence { items, .. } => token
            .parse::<usize>()
            .ok()
            .and_then(|index| items.get(index).copied()),
        _ => None,
    }
    .ok_or_else(|| missing(tree, id, token))
}

/// The anchor on the way to the node that some alias stands for.
fn shared_anchor(tree: &Tree, id: Id) -> Option<&str> {
    let mut next = Some(id);
    while let Some(id) = next {
        let raw = tree.raw(id);
        if let Some(anchor) = &raw.anchor
            && tree
                .nodes
                .iter()
                .any(|other| matches!(other.kind, Kind::Alias(to) if to == id))
        {
            return Some(anchor);
        }
        next = raw.parent;
    }
    None
}

/// The nodes of an entry or item: they are numbered in the order of the text.
fn part(tree: &Tree, collection: Id, index: usize) -> Range<Id> {
    let (first, value) = match &tree.raw(collection).kind {
        Kind::Mapping { entries, .. } => entries.get(index).copied().unwrap_or_default(),
        Kind::Sequence { items, .. } => items.get(index).map(|id| (*id, *id)).unwrap_or_default(),
        _ => (0, 0),
    };
    let end = (value + 1..tree.nodes.len())
        .find(|id| tree.raw(*id).parent.is_none_or(|parent| parent < first));
    first..end.unwrap_or(tree.nodes.len())
}
