//! Splices of flow collections, and of JSON, which consists of them.

use serde_json::Value;

use super::super::emit::{self, Context};
use super::super::tree::{Format, Id, Kind, Style};
use super::change::Change;
use super::error::Unclear;
use super::original::{Original, Part, Splice};

/// How new parts are written.
struct Form<'a> {
    context: Context,
    comma: &'static str,
    colon: &'static str,
    eol: &'static str,
    /// One step of indentation.
    unit: &'a str,
}

pub(super) fn splices(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    let content = original.tree.raw(id).content;
    if !original
        .slice(content, original.text.len())
        .starts_with(['{', '['])
    {
        return Err(Unclear::new("it is a mapping of one entry without braces"));
    }
    let parts = parts(original, id)?;
    if !change.adds.is_empty() {
        if change.removes.len() == parts.len() && !parts.is_empty() {
            return Err(Unclear::new("all of it would go and other things come"));
        }
        add(original, id, change, &parts, out);
    }
    let form = form(original, id, "  ");
    for &(index, value) in &change.fills {
        let Some(part) = parts.get(index) else {
            continue;
        };
        let old = &original.tree.raw(part.value).span;
        let mut new = String::new();
        form.value(&mut new, value, None);
        if !old.is_empty() {
            out.push(Splice::replace(old.start, old.end, new, 0));
        } else if original.slice(part.start, part.end).ends_with(':') {
            out.push(Splice::insert(part.end, format!(" {new}"), 0));
        } else {
            return Err(Unclear::new("the key has no colon"));
        }
    }
    for &(index, null) in &change.nulls {
        if let Some(part) = parts.get(index) {
            out.push(original.emptied(part.value, null, 0));
        }
    }
    remove(original, id, change, &parts, out)
}

fn parts(original: &Original<'_>, id: Id) -> Result<Vec<Part>, Unclear> {
    let tree = original.tree;
    let part = |&(key, value): &(Id, Id)| {
        let start = tree.raw(key).span.start;
        let span = &tree.raw(value).span;
        let end = if span.is_empty() {
            let colon = original.colon(key);
            colon.map_or_else(|| tree.raw(key).span.end, |colon| colon + 1)
        } else {
            span.end
        };
        let before = original.slice(0, tree.back(original.text, start));
        if original.slice(start, end).starts_with('?') || before.ends_with('?') {
            return Err(Unclear::new("a key of the mapping is written with `?`"));
        }
        Ok(Part { start, end, value })
    };
    tree.raw(id).entries.iter().map(part).collect()
}

fn add(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    parts: &[Part],
    out: &mut Vec<Splice>,
) {
    let content = original.tree.raw(id).content;
    let mut new = String::new();
    let mut at = content + 1;
    if let Some(last) = parts.last() {
        at = last.end;
        let own_line = original.begins_line(last.start);
        // If a list opens and closes on the lines of its only item, the lines of that item show the indentation.
        let inner = spread(original, last.value).filter(|_| !own_line);
        let (outer, indentation) = match inner {
            Some(inner) => (original.indentation(last.end), original.indentation(inner)),
            None => (
                original.indentation(content),
                original.indentation(last.start),
            ),
        };
        let unit = indentation
            .strip_prefix(outer)
            .filter(|unit| !unit.is_empty());
        let form = form(original, id, unit.unwrap_or("  "));
        let mut collections = parts
            .iter()
            .filter(|part| !original.tree.raw(part.value).entries.is_empty())
            .map(|part| original.slice(part.start, part.end).contains('\n'));
        let pretty = if own_line {
            let first = collections.next();
            first.is_none_or(|has_lines| has_lines || collections.any(|has_lines| has_lines))
        } else {
            inner.is_some()
        };
        let around = if own_line { indentation } else { outer };
        for (key, value) in &change.adds {
            if own_line {
                new.push(',');
                new.push_str(original.eol);
                new.push_str(indentation);
            } else {
                new.push_str(if pretty { ", " } else { form.comma });
            }
            form.part(&mut new, key.as_deref(), value, pretty.then_some(around));
        }
    } else {
        let form = form(original, id, "  ");
        for (index, (key, value)) in change.adds.iter().enumerate() {
            new.push_str(if index > 0 { form.comma } else { "" });
            form.part(&mut new, key.as_deref(), value, None);
        }
    }
    out.push(Splice::insert(at, new, original.depth(id)));
}

/// The last part of a flow collection, if it stands on a line of its own.
fn spread(original: &Original<'_>, id: Id) -> Option<usize> {
    let raw = original.tree.raw(id);
    let (last, _) = raw.entries.last().filter(|_| raw.flow)?;
    let start = original.tree.raw(*last).span.start;
    original.begins_line(start).then_some(start)
}

fn form<'a>(original: &Original<'_>, id: Id, unit: &'a str) -> Form<'a> {
    let colon = original.colon_style(id);
    let json = original.tree.format == Format::Json
        || original
            .ancestors(id)
            .find_map(|id| quotes_keys(original, id))
            .unwrap_or(false);
    let compact = if colon == ":" { "," } else { ", " };
    Form {
        context: if json { Context::Json } else { Context::Flow },
        comma: original.comma(id).unwrap_or(compact),
        colon: if json { colon } else { ": " },
        eol: original.eol,
        unit,
    }
}

/// Whether a flow mapping, or the mapping that is first in a flow list, quotes its keys as JSON does.
fn quotes_keys(original: &Original<'_>, id: Id) -> Option<bool> {
    let raw = original.tree.raw(id);
    let (first, _) = raw.first(true)?;
    match original.tree.raw(first).kind {
        Kind::Scalar { style, .. } if raw.is_mapping() => Some(style == Style::Double),
        Kind::Mapping if raw.is_sequence() => quotes_keys(original, first),
        _ => None,
    }
}

impl Form<'_> {
    /// `around` is the indentation around a part that is written over several lines.
    fn part(&self, out: &mut String, key: Option<&str>, value: &Value, around: Option<&str>) {
        if let Some(key) = key {
            emit::push_string(out, key, self.context);
            out.push_str(self.colon);
        }
        self.value(out, value, around);
    }

    fn value(&self, out: &mut String, value: &Value, around: Option<&str>) {
        let (open, close, parts): (_, _, Vec<(Option<&str>, &Value)>) = match value {
            Value::Object(map) if !map.is_empty() => {
                let parts = map.iter().map(|(key, value)| (Some(&**key), value));
                ('{', '}', parts.collect())
            }
            Value::Array(items) if !items.is_empty() => {
                ('[', ']', items.iter().map(|item| (None, item)).collect())
            }
            scalar => return emit::push_scalar(out, scalar, self.context),
        };
        let inner = around.map(|around| format!("{around}{}", self.unit));
        out.push(open);
        for (index, (key, value)) in parts.into_iter().enumerate() {
            match &inner {
                Some(inner) => {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(self.eol);
                    out.push_str(inner);
                }
                None => out.push_str(if index > 0 { self.comma } else { "" }),
            }
            self.part(out, key, value, inner.as_deref());
        }
        if let Some(around) = around {
            out.push_str(self.eol);
            out.push_str(around);
        }
        out.push(close);
    }
}

fn remove(
    original: &Original<'_>,
    id: Id,
    change: &Change<'_>,
    parts: &[Part],
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    // The first parts go with the comma after them, the others with the comma before them.
    let leading = change.leading_removes();
    let mut ranges = Vec::new();
    if let (true, Some(first), Some(last)) = (leading > 0, parts.first(), parts.last()) {
        let end = parts.get(leading).map_or_else(
            || {
                let after = original.slice(last.end, original.text.len());
                let rest = after.trim_start();
                let comma = rest.strip_prefix(',');
                comma.map_or(last.end, |rest| last.end + after.len() - rest.len())
            },
            |next| next.start,
        );
        ranges.push((first.start, end));
    }
    for &index in change.removes.iter().skip(leading) {
        if let (Some(previous), Some(part)) = (parts.get(index - 1), parts.get(index)) {
            ranges.push((previous.end, part.end));
        }
    }
    for (start, end) in ranges {
        let mut from = start;
        for part in parts
            .iter()
            .filter(|part| part.start >= start && part.end <= end)
        {
            if original.has_comment(from, part.start) {
                return Err(Unclear::new("a comment stands before it that would go too"));
            }
            from = part.end;
        }
        if original.has_comment(from, end) {
            return Err(Unclear::new("a comment stands behind it that would go too"));
        }
        out.push(Splice::remove(start, end, original.depth(id)));
    }
    Ok(())
}
