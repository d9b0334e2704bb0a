//! Splices of flow collections, and of JSON, which consists of them.

use serde_json::Value;

use super::super::emit::{self, Context};
use super::super::tree::{Format, Id, Kind, Style};
use super::change::Change;
use super::error::Unclear;
use super::text::{Part, Splice, Text};

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
    text: &Text<'_>,
    id: Id,
    change: &Change<'_>,
    out: &mut Vec<Splice>,
) -> Result<(), Unclear> {
    let content = text.tree.raw(id).content;
    if !text.slice(content, text.text.len()).starts_with(['{', '[']) {
        return Err(Unclear::new("it is a mapping of one entry without braces"));
    }
    let parts = parts(text, id)?;
    if !change.adds.is_empty() {
        if change.removes.len() == parts.len() && !parts.is_empty() {
            return Err(Unclear::new("all of it would go and other things come"));
        }
        add(text, id, change, &parts, out);
    }
    let form = form(text, id, "  ");
    for &(index, value) in &change.fills {
        let Some(part) = parts.get(index) else {
            continue;
        };
        let old = &text.tree.raw(part.value).span;
        let mut new = String::new();
        form.value(&mut new, value, None);
        if !old.is_empty() {
            out.push(Splice::replace(old.start, old.end, new, 0));
        } else if text.slice(part.start, part.end).ends_with(':') {
            out.push(Splice::insert(part.end, format!(" {new}"), 0));
        } else {
            return Err(Unclear::new("the key has no colon"));
        }
    }
    remove(text, id, change, &parts, out)
}

fn parts(text: &Text<'_>, id: Id) -> Result<Vec<Part>, Unclear> {
    let tree = text.tree;
    let part = |&(key, value): &(Id, Id)| {
        let start = tree.raw(key).span.start;
        let span = &tree.raw(value).span;
        let end = if span.is_empty() {
            let colon = text.colon(key);
            colon.map_or_else(|| tree.raw(key).span.end, |colon| colon + 1)
        } else {
            span.end
        };
        let before = text.slice(0, tree.back(text.text, start));
        if text.slice(start, end).starts_with('?') || before.ends_with('?') {
            return Err(Unclear::new("a key of the mapping is written with `?`"));
        }
        Ok(Part { start, end, value })
    };
    tree.raw(id).entries.iter().map(part).collect()
}

fn add(text: &Text<'_>, id: Id, change: &Change<'_>, parts: &[Part], out: &mut Vec<Splice>) {
    let content = text.tree.raw(id).content;
    let mut new = String::new();
    let mut at = content + 1;
    if let Some(last) = parts.last() {
        at = last.end;
        let own_line = text.begins_line(last.start);
        // If a list opens and closes on the lines of its only item, the lines of that item show the indentation.
        let inner = spread(text, last.value).filter(|_| !own_line);
        let (outer, indentation) = match inner {
            Some(inner) => (text.indentation(last.end), text.indentation(inner)),
            None => (text.indentation(content), text.indentation(last.start)),
        };
        let unit = indentation
            .strip_prefix(outer)
            .filter(|unit| !unit.is_empty());
        let form = form(text, id, unit.unwrap_or("  "));
        let mut collections = parts
            .iter()
            .filter(|part| !text.tree.raw(part.value).entries.is_empty())
            .map(|part| text.slice(part.start, part.end).contains('\n'));
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
                new.push_str(text.eol);
                new.push_str(indentation);
            } else {
                new.push_str(if pretty { ", " } else { form.comma });
            }
            form.part(&mut new, key.as_deref(), value, pretty.then_some(around));
        }
    } else {
        let form = form(text, id, "  ");
        for (index, (key, value)) in change.adds.iter().enumerate() {
            new.push_str(if index > 0 { form.comma } else { "" });
            form.part(&mut new, key.as_deref(), value, None);
        }
    }
    out.push(Splice::insert(at, new, text.depth(id)));
}

/// The last part of a flow collection, if it stands on a line of its own.
fn spread(text: &Text<'_>, id: Id) -> Option<usize> {
    let raw = text.tree.raw(id);
    let (last, _) = raw.entries.last().filter(|_| raw.flow)?;
    let start = text.tree.raw(*last).span.start;
    text.begins_line(start).then_some(start)
}

fn form<'a>(text: &Text<'_>, id: Id, unit: &'a str) -> Form<'a> {
    let colon = text.colon_style(id);
    let json = text.tree.format == Format::Json
        || text
            .ancestors(id)
            .find_map(|id| quotes_keys(text, id))
            .unwrap_or(false);
    let compact = if colon == ":" { "," } else { ", " };
    Form {
        context: if json { Context::Json } else { Context::Flow },
        comma: text.comma(id).unwrap_or(compact),
        colon: if json { colon } else { ": " },
        eol: text.eol,
        unit,
    }
}

/// Whether a flow mapping, or the mapping that is first in a flow list, quotes its keys as JSON does.
fn quotes_keys(text: &Text<'_>, id: Id) -> Option<bool> {
    let raw = text.tree.raw(id);
    let (first, _) = raw.first(true)?;
    match text.tree.raw(first).kind {
        Kind::Scalar { style, .. } if raw.is_mapping() => Some(style == Style::Double),
        Kind::Mapping if raw.is_sequence() => quotes_keys(text, first),
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
    text: &Text<'_>,
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
                let after = text.slice(last.end, text.text.len());
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
            if text.has_comment(from, part.start) {
                return Err(Unclear::new("a comment stands before it that would go too"));
            }
            from = part.end;
        }
        if text.has_comment(from, end) {
            return Err(Unclear::new("a comment stands behind it that would go too"));
        }
        out.push(Splice::remove(start, end, text.depth(id)));
    }
    Ok(())
}
