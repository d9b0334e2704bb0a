//! Splices of block collections: whole lines.

use super::super::emit::Layout;
use super::super::tree::Id;
use super::change::Change;
use super::error::Unclear;
use super::original::{Original, Part, Splice};

pub(super) fn splices(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    let parts = parts(original, id)?;
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Err(Unclear::new("the collection is empty in an unusual way"));
    };
    let column = original.column(first.start);
    let layout = Layout {
        step: original.step(id),
        dash: original.dash(id),
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
        let added = added.replace('\n', original.eol);
        out.push(Splice::insert(last.end, added, original.depth(id)));
    }
    fill(original, id, change, layout, column, out)?;
    empty(original, id, change, out)?;
    remove(original, id, change, &parts, out)
}

fn parts(original: &Original<'_>, id: Id) -> Result<Vec<Part>, Unclear> {
    let tree = original.tree;
    let raw = tree.raw(id);
    let part = |&(key, value): &(Id, Id)| {
        let key_span = &tree.raw(key).span;
        let (start, line) = if raw.is_sequence() {
            let dash = tree.dash(original.text, value);
            let dash = dash.ok_or_else(|| Unclear::new("an item has no dash"))?;
            (dash, dash)
        } else {
            let before = original.before(key_span.start).trim_end();
            if before.ends_with('?') || original.colon(key).is_none() {
                return Err(Unclear::new("a key of the mapping is written with `?`"));
            }
            (key_span.start, key_span.end)
        };
        let end = original.block_end(value).max(original.line_end(line));
        Ok(Part { start, end, value })
    };
    raw.entries.iter().map(part).collect()
}

/// Writes values after the colons of keys, in place of the old ones.
fn fill(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    layout: Layout,
    column: usize,
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    let depth = original.depth(id) + 1;
    for &(index, value) in &change.fills {
        let Some(&(key, old)) = original.tree.raw(id).entries.get(index) else {
            continue;
        };
        let old = original.tree.raw(old).span.clone();
        let colon = original.colon(key);
        let start = colon.ok_or_else(|| Unclear::new("the key has no colon"))? + 1;
        // The span of a block scalar includes the end of its last line, which stays.
        let old_end = old.start + original.slice(old.start, old.end).trim_end().len();
        let end = old_end.max(start);
        if original.has_comment(start, end) {
            return Err(Unclear::new("a comment stands before the null"));
        }
        let mut new = String::new();
        layout.value(&mut new, value, column);
        let new = new.replace('\n', original.eol);
        if new.starts_with(' ') {
            out.push(Splice::replace(start, end, new, depth));
            continue;
        }
        // `empty` puts a null back behind one space.
        if end > start && original.slice(start, old.start) != " " {
            return Err(Unclear::new(
                "the null does not stand one space behind the colon",
            ));
        }
        // New lines go after a comment on the line of the colon.
        out.push(Splice::remove(start, end, depth));
        out.push(Splice::insert(original.line_end(end), new, depth));
    }
    Ok(())
}

/// Writes nulls after the colons of keys, in place of collections.
fn empty(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    let depth = original.depth(id) + 1;
    for &(index, null) in &change.nulls {
        let Some(&(key, old)) = original.tree.raw(id).entries.get(index) else {
            continue;
        };
        let raw = original.tree.raw(old);
        if raw.flow || !original.begins_line(raw.span.start) {
            out.push(original.emptied(old, null, depth));
            continue;
        }
        let colon = original.colon(key);
        let colon = colon.ok_or_else(|| Unclear::new("the key has no colon"))? + 1;
        let above = original.previous_end(raw.span.start).unwrap_or(colon);
        out.push(Splice::remove(above, original.block_end(old), depth));
        if !null.is_empty() {
            out.push(Splice::insert(colon, format!(" {null}"), depth));
        }
    }
    Ok(())
}

fn remove(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    parts: &[Part],
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    let depth = original.depth(id);
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Ok(());
    };
    let removes = &change.removes;
    if removes.len() == parts.len() {
        if !change.adds.is_empty() {
            return Err(Unclear::new("all of it would go and other things come"));
        }
        let raw = original.tree.raw(id);
        let empty = if raw.is_mapping() { "{}" } else { "[]" };
        match (original.previous_end(first.start), raw.parent) {
            (Some(above), Some(_)) if original.begins_line(first.start) => {
                // After the key or the dash, or their anchor or tag.
                let at = original.tree.back(original.text, first.start);
                out.push(Splice::insert(at, format!(" {empty}"), depth));
                out.push(Splice::remove(above, last.end, depth));
            }
            _ => out.push(Splice::replace(
                first.start,
                last.end,
                empty.to_owned(),
                depth,
            )),
        }
        return Ok(());
    }
    let mut leading = 0;
    if !original.begins_line(first.start) {
        // The first parts share a line with the dash or key around them, which stays.
        leading = change.leading_removes();
        if let Some(part) = leading.checked_sub(1).and_then(|index| parts.get(index)) {
            let rest = original.slice(part.end, original.text.len());
            let next = part.end + rest.len() - rest.trim_start().len();
            out.push(Splice::remove(first.start, next, depth));
        }
    }
    for part in removes
        .iter()
        .skip(leading)
        .filter_map(|index| parts.get(*index))
    {
        if !original.begins_line(part.start) {
            return Err(Unclear::new("it shares its line with something else"));
        }
        let (start, end) = match original.previous_end(part.start) {
            Some(above) => (above, part.end),
            None => (
                original.line_start(part.start),
                original.next_line(part.end),
            ),
        };
        out.push(Splice::remove(start, end, depth));
    }
    Ok(())
}
