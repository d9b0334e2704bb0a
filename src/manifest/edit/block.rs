//! Splices of block collections: whole lines.

use super::super::emit::Layout;
use super::super::tree::{Id, Kind};
use super::source::{Source, Splice};
use super::{Change, Odd};

/// An entry or item: where its key or dash stands, and the end of its last line.
struct Part {
    start: usize,
    end: usize,
}

pub(super) fn splices(
    source: &Source<'_>,
    id: Id,
    change: &Change<'_>,
    out: &mut Vec<Splice>,
) -> Result<(), Odd> {
    let parts = parts(source, id)?;
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Err(Odd::new("the collection is empty in an unusual way"));
    };
    let depth = source.depth(id);
    let column = source.column(first.start);
    let layout = Layout {
        step: source.step(id),
        dash: source.dash(id),
        literals: false,
    };
    let mut added = String::new();
    for (key, value) in &change.adds {
        added.push('\n');
        added.extend(std::iter::repeat_n(' ', column));
        match key {
            Some(key) => layout.entry(&mut added, key, value, column),
            None => layout.item(&mut added, value, column),
        }
    }
    if !added.is_empty() {
        let text = added.replace('\n', source.eol);
        out.push(Splice {
            start: last.end,
            end: last.end,
            text,
            depth,
        });
    }
    fill(source, id, change, layout, column, out)?;
    remove(source, id, change, &parts, out)
}

fn parts(source: &Source<'_>, id: Id) -> Result<Vec<Part>, Odd> {
    let tree = source.tree;
    match &tree.raw(id).kind {
        Kind::Mapping { entries, .. } => entries
            .iter()
            .map(|&(key, value)| {
                let start = tree.raw(key).span.start;
                let key_end = source.line_end(tree.raw(key).span.end);
                if source.before(start).trim_end().ends_with('?') || source.colon(key).is_none() {
                    return Err(Odd::new("a key of the mapping is written with `?`"));
                }
                Ok(Part {
                    start,
                    end: source.block_end(value).max(key_end),
                })
            })
            .collect(),
        Kind::Sequence { items, .. } => items
            .iter()
            .map(|&item| {
                let start = tree.dash(source.text, item);
                let start = start.ok_or_else(|| Odd::new("an item has no dash to be found"))?;
                Ok(Part {
                    start,
                    end: source.block_end(item).max(source.line_end(start)),
                })
            })
            .collect(),
        _ => Ok(Vec::new()),
    }
}

/// Gives keys without a value theirs.
fn fill(
    source: &Source<'_>,
    id: Id,
    change: &Change<'_>,
    layout: Layout,
    column: usize,
    out: &mut Vec<Splice>,
) -> Result<(), Odd> {
    let Kind::Mapping { entries, .. } = &source.tree.raw(id).kind else {
        return Ok(());
    };
    let depth = source.depth(id) + 1;
    for &(index, value) in &change.fills {
        let Some(&(key, old)) = entries.get(index) else {
            continue;
        };
        let old = source.tree.raw(old).span.clone();
        let colon = source
            .colon(key)
            .ok_or_else(|| Odd::new("the key has no colon"))?;
        // A block scalar has the end of its last line in it, which stays.
        let old_end = old.start + source.slice(old.start, old.end).trim_end().len();
        let after = (colon + 1, old_end.max(colon + 1));
        if source.has_comment(after.0, after.1) {
            return Err(Odd::new("a comment stands before the null"));
        }
        let mut text = String::new();
        layout.value(&mut text, value, column);
        let text = text.replace('\n', source.eol);
        if text.starts_with(' ') {
            out.push(Splice {
                start: after.0,
                end: after.1,
                text,
                depth,
            });
        } else {
            // The lines go after a comment that follows the colon.
            out.push(Splice {
                start: after.0,
                end: after.1,
                text: String::new(),
                depth,
            });
            let end = source.line_end(after.1);
            out.push(Splice {
                start: end,
                end,
                text,
                depth,
            });
        }
    }
    Ok(())
}

fn remove(
    source: &Source<'_>,
    id: Id,
    change: &Change<'_>,
    parts: &[Part],
    out: &mut Vec<Splice>,
) -> Result<(), Odd> {
    let depth = source.depth(id);
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Ok(());
    };
    let mut delete = |start, end, text: &str| {
        out.push(Splice {
            start,
            end,
            text: text.to_owned(),
            depth,
        });
    };
    let removes = &change.removes;
    if removes.len() == parts.len() {
        if !change.adds.is_empty() {
            return Err(Odd::new("all of it would go and other things come"));
        }
        let mapping = matches!(source.tree.raw(id).kind, Kind::Mapping { .. });
        let empty = if mapping { "{}" } else { "[]" };
        let above = source.previous_end(first.start);
        match (above, source.tree.raw(id).parent) {
            (Some(above), Some(_)) if source.begins_line(first.start) => {
                // Behind the key or the dash, or their anchor or tag.
                let at = source.tree.back(source.text, first.start);
                delete(at, at, &format!(" {empty}"));
                delete(above, last.end, "");
            }
            _ => delete(first.start, last.end, empty),
        }
        return Ok(());
    }
    let mut leading = 0;
    if !source.begins_line(first.start) {
        // The first ones share a line with the dash or key around them, which has to stay.
        leading = removes
            .iter()
            .zip(0..)
            .take_while(|(index, count)| *index == count)
            .count();
        if let Some(part) = leading.checked_sub(1).and_then(|index| parts.get(index)) {
            let left = source.slice(part.end, source.text.len());
            delete(
                first.start,
                part.end + left.len() - left.trim_start().len(),
                "",
            );
        }
    }
    for &index in removes.iter().skip(leading) {
        let Some(part) = parts.get(index) else {
            continue;
        };
        if !source.begins_line(part.start) {
            return Err(Odd::new("it shares its line with something else"));
        }
        match source.previous_end(part.start) {
            Some(above) => delete(above, part.end, ""),
            None => delete(
                source.line_start(part.start),
                source.next_line(part.end),
                "",
            ),
        }
    }
    Ok(())
}
