//! A patch, grouped by the collections in the text that it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::super::tree::{Id, Kind, Tree};
use super::super::value;
use super::error::{EditError, Unclear};

/// The change of one collection.
#[derive(Debug, Default)]
pub(super) struct Change<'p> {
    /// The pointer by which the patch reached it.
    pub(super) pointer: String,
    /// New entries, with a key, or new items, for its end.
    pub(super) adds: Vec<(Option<String>, &'p Value)>,
    /// Entries that are null or have another text, by index, with the new value.
    pub(super) fills: Vec<(usize, &'p Value)>,
    /// Collections that become a null again, by index, with its text.
    pub(super) nulls: Vec<(usize, &'p str)>,
    /// Entries or items to remove.
    pub(super) removes: BTreeSet<usize>,
}

pub(super) type Changes<'p> = BTreeMap<Id, Change<'p>>;

/// Groups the operations of a patch by the collection in the text that they change.
pub(super) fn changes<'p>(
    tree: &Tree,
    patch: &'p Patch,
    nulls: &BTreeMap<String, &'p str>,
) -> Result<Changes<'p>, EditError> {
    let mut by_pointer: BTreeMap<(Id, String), Change<'p>> = BTreeMap::new();
    for operation in patch.iter() {
        let pointer = operation.path().as_str();
        let unclear = |error: Unclear| error.at(tree, pointer);
        let added = match operation {
            PatchOperation::Add(add) => Some(&add.value),
            PatchOperation::Remove(_) => None,
            _ => {
                let problem = "only add and remove can be written into a text";
                return Err(unclear(Unclear::new(problem)));
            }
        };
        let tokens: Vec<_> = operation
            .path()
            .tokens()
            .map(|token| token.decoded().into_owned())
            .collect();
        let Some((last, parents)) = tokens.split_last() else {
            let problem = "a whole document cannot be added or removed";
            return Err(unclear(Unclear::new(problem)));
        };
        let id = parents
            .iter()
            .try_fold(tree.root.unwrap_or_default(), |id, token| {
                child(tree, id, token)
            })
            .map(|id| tree.target(id))
            .map_err(unclear)?;
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let change = by_pointer.entry((id, parent.to_owned())).or_default();
        parent.clone_into(&mut change.pointer);
        let null = nulls.get(pointer).copied().unwrap_or("null");
        let made = change.operation(tree, id, last, added.map(|value| (value, null)));
        made.map_err(unclear)?;
    }
    let mut changes = Changes::new();
    for ((id, pointer), change) in by_pointer {
        // Two pointers lead to one collection by an alias. If both change it alike, the text is changed once.
        if let Some(first) = changes.get(&id)
            && !change.is_same(first)
        {
            let problem = format!(
                "this is written once for {} too, by an alias, and would have to differ there",
                first.pointer
            );
            let advice = "write it out at each place";
            return Err(EditError::new(tree, &pointer, problem, advice));
        }
        changes.entry(id).or_insert(change);
    }
    let removed = Removed::new(tree, &changes);
    if let Some((anchor, id)) = removed.used_anchor(tree) {
        let problem = format!("the anchor &{anchor} stands in it and is used elsewhere");
        let pointer = changes.get(&id).map_or("", |change| &change.pointer);
        let advice = "write it out where the alias is";
        return Err(EditError::new(tree, pointer, problem, advice));
    }
    changes.retain(|id, _| removed.from(*id).is_none());
    Ok(changes)
}

impl<'p> Change<'p> {
    fn is_same(&self, other: &Self) -> bool {
        (&self.adds, &self.fills) == (&other.adds, &other.fills)
            && (&self.nulls, &self.removes) == (&other.nulls, &other.removes)
    }

    /// How many parts are removed from the start on.
    pub(super) fn leading_removes(&self) -> usize {
        let removes = self.removes.iter().zip(0..);
        removes.take_while(|(index, count)| *index == count).count()
    }

    /// Notes an operation on the entry or item `last` of the collection `id`. What is added comes with the text that it has if it is null.
    fn operation(
        &mut self,
        tree: &Tree,
        id: Id,
        last: &str,
        added: Option<(&'p Value, &'p str)>,
    ) -> Result<(), Unclear> {
        let raw = tree.raw(id);
        match (&raw.kind, added) {
            (Kind::Mapping, _) => match (value::find_own(tree, id, last), added) {
                (None, Some((value, _))) => self.adds.push((Some(last.to_owned()), value)),
                (Some((index, (_, old))), Some((value, null))) => {
                    let is_null = value::of(tree, old) == Ok(Value::Null);
                    let old = tree.raw(old);
                    let is_plain = old.anchor.is_none() && old.tag.is_none();
                    let is_scalar = matches!(old.kind, Kind::Scalar { .. });
                    if is_plain && is_scalar && (is_null || value.is_string()) {
                        self.fills.push((index, value));
                    } else if is_plain && old.is_collection() && value.is_null() {
                        self.nulls.push((index, null));
                    } else {
                        return Err(Unclear(format!("{last} is there already")));
                    }
                }
                (Some((index, _)), None) => {
                    self.removes.insert(index);
                }
                (None, None) => return Err(missing(tree, id, last)),
            },
            (Kind::Sequence, Some((value, _))) => {
                let end = raw.entries.len() + self.adds.len();
                if last != "-" && last.parse() != Ok(end) {
                    let problem = "an item can only be added at the end of the list";
                    return Err(Unclear::new(problem));
                }
                self.adds.push((None, value));
            }
            (Kind::Sequence, None) => {
                let index = last.parse().ok().filter(|at| *at < raw.entries.len());
                self.removes
                    .insert(index.ok_or_else(|| missing(tree, id, last))?);
            }
            _ => return Err(Unclear::new("it is neither a mapping nor a list")),
        }
        Ok(())
    }
}

/// The nodes that are removed.
struct Removed {
    /// Ranges that do not overlap, in order, each with the collection that it is removed from.
    ranges: Vec<(Range<Id>, Id)>,
}

impl Removed {
    fn new(tree: &Tree, changes: &Changes<'_>) -> Self {
        let mut ranges = Vec::new();
        for (&id, change) in changes {
            let removes = change.removes.iter();
            ranges.extend(removes.map(|index| (nodes(tree, id, *index), id)));
            let nulls = change.nulls.iter().map(|(index, _)| *index);
            ranges.extend(nulls.map(|index| {
                let Range { start, end } = nodes(tree, id, index);
                (start + 1..end, id)
            }));
        }
        ranges.sort_by_key(|(range, _)| range.start);
        let mut end = 0;
        ranges.retain(|(range, _)| {
            let is_outer = range.start >= end; // an inner range is removed with the outer one
            end = end.max(range.end);
            is_outer
        });
        Self { ranges }
    }

    /// The collection that a node is removed from, if it is removed.
    fn from(&self, id: Id) -> Option<Id> {
        let index = self.ranges.partition_point(|(range, _)| range.end <= id);
        let range = self.ranges.get(index);
        range
            .filter(|(range, _)| range.contains(&id))
            .map(|(_, from)| *from)
    }

    /// An anchor that is removed though one of its aliases stays, and the collection that it is removed from.
    fn used_anchor<'t>(&self, tree: &'t Tree) -> Option<(&'t str, Id)> {
        let mut nodes = tree.nodes.iter().enumerate();
        nodes.find_map(|(id, node)| match node.kind {
            Kind::Alias(target) if self.from(id).is_none() => {
                Some((tree.raw(target).anchor.as_deref()?, self.from(target)?))
            }
            _ => None,
        })
    }
}

fn missing(tree: &Tree, mapping: Id, key: &str) -> Unclear {
    Unclear(if value::find(tree, mapping, key).is_some() {
        format!("{key} comes from a merge key (<<) and is not written there")
    } else {
        format!("there is no {key}")
    })
}

fn child(tree: &Tree, id: Id, token: &str) -> Result<Id, Unclear> {
    let own = || Some(value::find_own(tree, id, token)?.1);
    let entry = value::item(tree, id, token).or_else(own);
    let (_, value) = entry.ok_or_else(|| missing(tree, id, token))?;
    Ok(value)
}

/// The nodes of an entry or item.
fn nodes(tree: &Tree, collection: Id, index: usize) -> Range<Id> {
    let entry = tree.raw(collection).entries.get(index).copied();
    let (first, value) = entry.unwrap_or_default();
    let end = (value + 1..tree.nodes.len())
        .find(|id| tree.raw(*id).parent.is_none_or(|parent| parent < first));
    first..end.unwrap_or(tree.nodes.len())
}
