//! The text under edit: its lines, its style, and splices of it.

use super::super::tree::{Id, Kind, Style, Tree};
use super::error::Unclear;

/// A range of the text and its replacement.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
    /// Of several insertions at one place, the deepest comes first, because it ends first.
    pub(super) depth: usize,
}

impl Splice {
    pub(super) fn insert(at: usize, text: String, depth: usize) -> Self {
        Self::replace(at, at, text, depth)
    }

    pub(super) const fn replace(start: usize, end: usize, text: String, depth: usize) -> Self {
        Self {
            start,
            end,
            text,
            depth,
        }
    }

    pub(super) const fn remove(start: usize, end: usize, depth: usize) -> Self {
        Self::replace(start, end, String::new(), depth)
    }
}

/// An entry of a collection in the text.
pub(super) struct Part {
    /// The start of the key or of the item; in a block sequence, of the dash.
    pub(super) start: usize,
    /// The end of the value; in a block collection, of its last line.
    pub(super) end: usize,
    pub(super) value: Id,
}

/// Makes all splices at once.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Result<String, Unclear> {
    let inserts = |splice: &Splice| splice.start == splice.end;
    splices.sort_by_key(|splice| (splice.start, !inserts(splice), usize::MAX - splice.depth));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for splice in splices {
        if splice.start < done && (inserts(&splice) || !splice.text.is_empty()) {
            return Err(Unclear::new("a change lies within another one"));
        }
        // Removals may overlap.
        let kept = text.get(done..splice.start.max(done)).ok_or_else(outside)?;
        out.push_str(kept);
        out.push_str(&splice.text);
        done = splice.end.max(done);
    }
    out.push_str(text.get(done..).ok_or_else(outside)?);
    Ok(out)
}

/// The text without the line break at its end.
fn without_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

fn outside() -> Unclear {
    Unclear::new("the text differs from the text that was read")
}

/// The style of a document, used where no collection nearby shows one.
#[derive(Debug, Default)]
struct Habits {
    step: Option<usize>,
    dash: Option<usize>,
    comma: Option<&'static str>,
    colon: Option<&'static str>,
}

pub(super) struct Original<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
    /// The line break of the document.
    pub(super) eol: &'static str,
    habits: Habits,
    /// The start of each line. With them, finding the line of a place is fast also in JSON on one long line.
    lines: Vec<usize>,
}

impl<'a> Original<'a> {
    pub(super) fn new(text: &'a str, tree: &'a Tree) -> Self {
        let crlf = text.find('\n').is_some_and(|at| text[..at].ends_with('\r'));
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut new = Self {
            text,
            tree,
            eol: if crlf { "\r\n" } else { "\n" },
            habits: Habits::default(),
            lines: std::iter::once(text.len() - body.len())
                .chain(breaks)
                .collect(),
        };
        let ids = 0..tree.nodes.len();
        new.habits = Habits {
            step: ids.clone().find_map(|id| new.step_at(id)),
            dash: ids.clone().find_map(|id| new.dash_at(id)),
            comma: ids.clone().find_map(|id| new.comma_at(id)),
            colon: ids.clone().find_map(|id| new.colon_at(id)),
        };
        new
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line));
        start.copied().unwrap_or(at)
    }

    /// The end of the line without its line break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        at + without_break(line).len()
    }

    /// The end of the line before, if there is one.
    pub(super) fn previous_end(&self, at: usize) -> Option<usize> {
        let before = self.slice(0, self.line_start(at));
        before.ends_with('\n').then(|| without_break(before).len())
    }

    pub(super) fn next_line(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.split_inclusive('\n').next().map_or(0, str::len)
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// What stands before a place on its line.
    pub(super) fn before(&self, at: usize) -> &'a str {
        self.slice(self.line_start(at), at)
    }

    pub(super) fn column(&self, at: usize) -> usize {
        self.before(at).chars().count()
    }

    /// Whether nothing but white space stands before it on its line.
    pub(super) fn begins_line(&self, at: usize) -> bool {
        self.before(at)
            .chars()
            .all(|char| char == ' ' || char == '\t')
    }

    /// The white space at the beginning of a line.
    pub(super) fn indentation(&self, at: usize) -> &'a str {
        let line = self.before(at);
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    pub(super) fn has_comment(&self, start: usize, end: usize) -> bool {
        let comments = &self.tree.comments;
        let first = comments.partition_point(|comment| comment.end <= start);
        comments
            .get(first)
            .is_some_and(|comment| comment.start < end)
    }

    /// The colon after a key.
    pub(super) fn colon(&self, key: Id) -> Option<usize> {
        let end = self.tree.raw(key).span.end;
        let rest = self.text.get(end..)?;
        let at = end + (rest.len() - rest.trim_start().len());
        (self.text.as_bytes().get(at) == Some(&b':')).then_some(at)
    }

    pub(super) fn depth(&self, id: Id) -> usize {
        self.ancestors(id).count()
    }

    /// The node and what it lies in, outwards.
    pub(super) fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> + use<'a> {
        let tree = self.tree;
        std::iter::successors(Some(id), move |id| tree.raw(*id).parent)
    }

    /// Where new lines go after a block node: the end of its last line of content, its comment
    /// included.
    pub(super) fn block_end(&self, id: Id) -> usize {
        let raw = self.tree.raw(id);
        match (&raw.kind, raw.entries.last()) {
            (
                Kind::Scalar {
                    style: Style::Block,
                    ..
                },
                _,
            ) => self.literal_end(raw.span.start, raw.content, raw.span.end),
            (_, Some((key, value))) if !raw.flow => {
                let end = self.block_end(*value);
                if key == value {
                    end
                } else {
                    end.max(self.line_end(self.tree.raw(*key).span.end))
                }
            }
            _ if raw.is_collection() && !raw.flow => raw.span.end,
            _ => self.line_end(raw.span.end),
        }
    }

    fn literal_end(&self, start: usize, content: usize, end: usize) -> usize {
        // The indicator stands after the tag and the anchor.
        let indicator = self.slice(start, content.max(start)).rfind(['|', '>']);
        let start = start + indicator.unwrap_or_default();
        let header_end = self.line_end(start);
        let header = self.slice(start, header_end).split([' ', '\t', '#']).next();
        if header.is_some_and(|header| header.contains('+')) {
            return without_break(self.slice(0, end)).len().max(header_end);
        }
        // A line of spaces is content only if it is longer than the indentation.
        let indentation = self.column(content);
        let mut last = header_end;
        let mut at = content;
        for line in self.slice(content, end).split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let blank = bare.bytes().all(|byte| byte == b' ') && bare.len() <= indentation;
            if at == content && !bare.is_empty() || !blank {
                last = last.max(at + bare.len());
            }
            at += line.len();
        }
        last
    }

    /// A null in place of a collection on the line of its key.
    pub(super) fn emptied(&self, old: Id, null: &str, depth: usize) -> Splice {
        let span = &self.tree.raw(old).span;
        let has_space = self.slice(0, span.start).ends_with(' ');
        let space = usize::from(null.is_empty() && has_space);
        Splice::replace(span.start - space, span.end, null.to_owned(), depth)
    }

    /// The columns between the parent's keys and the dashes of a block sequence.
    fn dash_at(&self, id: Id) -> Option<usize> {
        let raw = self.tree.raw(id);
        let (item, _) = raw.first(false).filter(|_| raw.is_sequence())?;
        let dash = self.tree.dash(self.text, item)?;
        self.column(dash).checked_sub(self.key_column(raw.parent?)?)
    }

    /// The columns between the parent's keys and the keys of a block mapping.
    fn step_at(&self, id: Id) -> Option<usize> {
        let outer = self.key_column(self.tree.raw(id).parent?)?;
        let step = self.key_column(id)?.checked_sub(outer)?;
        Some(step).filter(|step| *step > 0)
    }

    /// The column of the keys of a block mapping.
    fn key_column(&self, id: Id) -> Option<usize> {
        let raw = self.tree.raw(id);
        let (key, _) = raw.first(false).filter(|_| raw.is_mapping())?;
        Some(self.column(self.tree.raw(key).span.start))
    }

    fn comma_at(&self, id: Id) -> Option<&'static str> {
        let raw = self.tree.raw(id);
        let (last, next) = (raw.first(true)?.1, raw.entries.get(1)?.0);
        let gap = self.slice(self.tree.raw(last).span.end, self.tree.raw(next).span.start);
        match gap.split_once(',')?.1 {
            "" => Some(","),
            gap if gap.contains('\n') => None,
            _ => Some(", "),
        }
    }

    fn colon_at(&self, id: Id) -> Option<&'static str> {
        let raw = self.tree.raw(id);
        let (key, value) = raw.first(true).filter(|_| raw.is_mapping())?;
        let colon = self.colon(key)?;
        let value = self.tree.raw(value).span.start;
        (value > colon).then(|| if value == colon + 1 { ":" } else { ": " })
    }

    /// Columns from a key to the keys below it, as the surroundings have it.
    pub(super) fn step(&self, id: Id) -> usize {
        let near = self.ancestors(id).find_map(|id| self.step_at(id));
        near.or(self.habits.step).unwrap_or(2)
    }

    /// Columns from a key to the dashes below it, as the surroundings have it.
    pub(super) fn dash(&self, id: Id) -> usize {
        let near = self.ancestors(id).find_map(|id| self.dash_at(id));
        near.or(self.habits.dash).unwrap_or(0)
    }

    /// The text between two entries of a flow collection on one line, as the surroundings have it.
    pub(super) fn comma(&self, id: Id) -> Option<&'static str> {
        let near = self.ancestors(id).find_map(|id| self.comma_at(id));
        near.or(self.habits.comma)
    }

    /// The text between a key and its value in a flow mapping, as the surroundings have it.
    pub(super) fn colon_style(&self, id: Id) -> &'static str {
        let near = self.ancestors(id).find_map(|id| self.colon_at(id));
        near.or(self.habits.colon).unwrap_or(": ")
    }
}
