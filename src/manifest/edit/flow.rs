//! Splices of flow collections, and of JSON, which is all flow.

use serde_json::Value;

use super::super::emit::{self, Context};
use super::super::tree::{Format, Id, Kind, Style};
use super::source::{Source, Splice};
use super::{Change, Odd};

/// An entry or item, and what tells whether it is a collection that spans lines.
struct Part {
    start: usize,
    end: usize,
    value: Id,
}

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
    source: &Source<'_>,
    id: Id,
    change: &Change<'_>,
    out: &mut Vec<Splice>,
) -> Result<(), Odd> {
    let raw = source.tree.raw(id);
    if !matches!(source.text.as_bytes().get(raw.content), Some(b'{' | b'[')) {
        return Err(Odd::new("it is a mapping of one entry without braces"));
    }
    let parts = parts(source, id)?;
    if !change.adds.is_empty() {
        if change.removes.len() == parts.len() && !parts.is_empty() {
            return Err(Odd::new("all of it would go and other things come"));
        }
        add(source, id, change, &parts, out);
    }
    let form = form(source, id, "  ");
    for &(index, value) in &change.fills {
        let Some(part) = parts.get(index) else {
            continue;
        };
        let old = source.tree.raw(part.value).span.clone();
        let mut text = String::new();
        form.value(&mut text, value, None);
        if old.is_empty() {
            if source.slice(part.start, part.end).ends_with(':') {
                out.push(Splice {
                    start: part.end,
                    end: part.end,
                    text: format!(" {text}"),
                    depth: 0,
                });
            } else {
                return Err(Odd::new("the key has no colon"));
            }
        } else {
            out.push(Splice {
                start: old.start,
                end: old.end,
                text,
                depth: 0,
            });
        }
    }
    remove(source, id, change, &parts, out)
}

fn parts(source: &Source<'_>, id: Id) -> Result<Vec<Part>, Odd> {
    let tree = source.tree;
    let parts: Vec<_> = match &tree.raw(id).kind {
        Kind::Mapping { entries, .. } => entries
            .iter()
            .map(|&(key, value)| {
                let span = &tree.raw(value).span;
                let end = if span.is_empty() {
                    source
                        .colon(key)
                        .map_or_else(|| tree.raw(key).span.end, |colon| colon + 1)
                } else {
                    span.end
                };
                Part {
                    start: tree.raw(key).span.start,
                    end,
                    value,
                }
            })
            .collect(),
        Kind::Sequence { items, .. } => items
            .iter()
            .map(|&item| {
                let span = &tree.raw(item).span;
                Part {
                    start: span.start,
                    end: span.end,
                    value: item,
                }
            })
            .collect(),
        _ => Vec::new(),
    };
    for part in &parts {
        let before = tree.back(source.text, part.start);
        if source.slice(part.start, part.end).starts_with('?')
            || source
                .text
                .get(..before)
                .is_some_and(|before| before.ends_with('?'))
        {
            return Err(Odd::new("a key of the mapping is written with `?`"));
        }
    }
    Ok(parts)
}

fn add(source: &Source<'_>, id: Id, change: &Change<'_>, parts: &[Part], out: &mut Vec<Splice>) {
    let content = source.tree.raw(id).content;
    let mut text = String::new();
    let mut at = content + 1;
    if let Some(last) = parts.last() {
        at = last.end;
        let own_line = source.begins_line(last.start);
        // Of a list that opens and closes around its only item, the item's lines show the step.
        let inner = if own_line {
            None
        } else {
            spread(source, last.value)
        };
        let (outer, indentation) = match inner {
            Some(inner) => (source.indentation(last.end), source.indentation(inner)),
            None => (source.indentation(content), source.indentation(last.start)),
        };
        let unit = indentation
            .strip_prefix(outer)
            .filter(|unit| !unit.is_empty());
        let form = form(source, id, unit.unwrap_or("  "));
        let mut collections = parts
            .iter()
            .filter(|part| is_full_collection(source, part.value));
        let pretty = if own_line {
            let first = collections.next();
            first.is_none_or(|part| lines(source, part) || collections.any(|p| lines(source, p)))
        } else {
            inner.is_some()
        };
        let around = if own_line { indentation } else { outer };
        for (key, value) in &change.adds {
            if own_line {
                text.push(',');
                text.push_str(source.eol);
                text.push_str(indentation);
            } else {
                text.push_str(if pretty { ", " } else { form.comma });
            }
            form.part(&mut text, key.as_deref(), value, pretty.then_some(around));
        }
    } else {
        let form = form(source, id, "  ");
        for (index, (key, value)) in change.adds.iter().enumerate() {
            if index > 0 {
                text.push_str(form.comma);
            }
            form.part(&mut text, key.as_deref(), value, None);
        }
    }
    out.push(Splice {
        start: at,
        end: at,
        text,
        depth: source.depth(id),
    });
}

/// The last part of a collection if it stands on a line of its own.
fn spread(source: &Source<'_>, id: Id) -> Option<usize> {
    let last = match &source.tree.raw(id).kind {
        Kind::Mapping {
            entries,
            flow: true,
        } => entries.last()?.0,
        Kind::Sequence { items, flow: true } => *items.last()?,
        _ => return None,
    };
    let start = source.tree.raw(last).span.start;
    source.begins_line(start).then_some(start)
}

fn is_full_collection(source: &Source<'_>, id: Id) -> bool {
    match &source.tree.raw(id).kind {
        Kind::Mapping { entries, .. } => !entries.is_empty(),
        Kind::Sequence { items, .. } => !items.is_empty(),
        _ => false,
    }
}

fn lines(source: &Source<'_>, part: &Part) -> bool {
    source.slice(part.start, part.end).contains('\n')
}

fn form<'a>(source: &Source<'_>, id: Id, unit: &'a str) -> Form<'a> {
    let near = || source.ancestors(id);
    let colon = near().find_map(|id| source.colon_at(id));
    let colon = colon.or(source.habits.colon).unwrap_or(": ");
    let comma = near()
        .find_map(|id| source.comma_at(id))
        .or(source.habits.comma);
    let json = source.tree.format == Format::Json
        || source
            .ancestors(id)
            .find_map(|id| quotes_keys(source, id))
            .unwrap_or(false);
    Form {
        context: if json { Context::Json } else { Context::Flow },
        comma: comma.unwrap_or(if colon == ":" { "," } else { ", " }),
        colon: if json { colon } else { ": " },
        eol: source.eol,
        unit,
    }
}

/// Whether a flow mapping, or one that is the first in a flow list, quotes its keys as JSON does.
fn quotes_keys(source: &Source<'_>, id: Id) -> Option<bool> {
    match &source.tree.raw(id).kind {
        Kind::Mapping {
            entries,
            flow: true,
        } => match &source.tree.raw(entries.first()?.0).kind {
            Kind::Scalar { style, .. } => Some(*style == Style::Double),
            _ => None,
        },
        Kind::Sequence { items, flow: true } => match &source.tree.raw(*items.first()?).kind {
            Kind::Mapping {
                entries,
                flow: true,
            } if !entries.is_empty() => quotes_keys(source, *items.first()?),
            _ => None,
        },
        _ => None,
    }
}

impl Form<'_> {
    /// `around` is the indentation of the line it stands on if it is to spread over lines.
    fn part(&self, out: &mut String, key: Option<&str>, value: &Value, around: Option<&str>) {
        if let Some(key) = key {
            emit::push_string(out, key, self.context);
            out.push_str(self.colon);
        }
        self.value(out, value, around);
    }

    fn value(&self, out: &mut String, value: &Value, around: Option<&str>) {
        let (open, close, parts): (_, _, Vec<(Option<&str>, &Value)>) = match value {
            Value::Object(map) if !map.is_empty() => (
                '{',
                '}',
                map.iter()
                    .map(|(key, value)| (Some(key.as_str()), value))
                    .collect(),
            ),
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
    source: &Source<'_>,
    id: Id,
    change: &Change<'_>,
    parts: &[Part],
    out: &mut Vec<Splice>,
) -> Result<(), Odd> {
    let depth = source.depth(id);
    let removes = &change.removes;
    // The first ones go up to what follows them, the others from what they follow.
    let leading = removes
        .iter()
        .zip(0..)
        .take_while(|(index, count)| *index == count)
        .count();
    let mut ranges = Vec::new();
    if let (true, Some(first)) = (leading > 0, parts.first()) {
        let end = match (parts.get(leading), parts.last()) {
            (Some(next), _) => next.start,
            (None, Some(last)) => {
                let after = source.slice(last.end, source.text.len());
                let comma = after.trim_start();
                if comma.starts_with(',') {
                    last.end + after.len() - comma.len() + 1
                } else {
                    last.end
                }
            }
            _ => first.end,
        };
        ranges.push((first.start, end));
    }
    for &index in removes.iter().skip(leading) {
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
            if source.has_comment(from, part.start) {
                return Err(Odd::new("a comment stands before it that would go too"));
            }
            from = part.end;
        }
        if source.has_comment(from, end) {
            return Err(Odd::new("a comment stands behind it that would go too"));
        }
        out.push(Splice {
            start,
            end,
            text: String::new(),
            depth,
        });
    }
    Ok(())
}
