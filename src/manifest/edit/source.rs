//! The text under edit: its lines, its habits, and splices of it.

use super::super::tree::{Id, Kind, Style, Tree};
use super::Odd;

/// A range of the text and what comes in its place.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
    /// Of several at one place, what lies deeper comes first: it ends before what is around it.
    pub(super) depth: usize,
}

/// Makes all splices at once.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Result<String, Odd> {
    let insertions = |splice: &Splice| splice.start == splice.end;
    splices.sort_by_key(|splice| (splice.start, !insertions(splice), usize::MAX - splice.depth));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for splice in splices {
        if splice.start < done && (insertions(&splice) || !splice.text.is_empty()) {
            return Err(Odd::new("a change lies within another one"));
        }
        // Removals may overlap: what is gone is gone.
        let kept = text.get(done..splice.start.max(done)).ok_or_else(outside)?;
        out.push_str(kept);
        out.push_str(&splice.text);
        done = splice.end.max(done);
    }
    out.push_str(text.get(done..).ok_or_else(outside)?);
    Ok(out)
}

fn outside() -> Odd {
    Odd::new("the text is not the one that was read")
}

/// How a document likes its collections, where nothing nearer tells.
#[derive(Debug)]
pub(super) struct Habits {
    pub(super) step: Option<usize>,
    pub(super) dash: Option<usize>,
    pub(super) comma: Option<&'static str>,
    pub(super) colon: Option<&'static str>,
}

pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
    /// The line break of the document.
    pub(super) eol: &'static str,
    pub(super) habits: Habits,
    bom: usize,
    /// Where each line after the first begins: JSON on one line makes searching it dear.
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, tree: &'a Tree) -> Self {
        let crlf = text.find('\n').is_some_and(|at| text[..at].ends_with('\r'));
        let mut source = Self {
            text,
            tree,
            eol: if crlf { "\r\n" } else { "\n" },
            habits: Habits {
                step: None,
                dash: None,
                comma: None,
                colon: None,
            },
            lines: Vec::new(),
            bom: if text.starts_with('\u{feff}') {
                '\u{feff}'.len_utf8()
            } else {
                0
            },
        };
        source.lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let ids = 0..tree.nodes.len();
        source.habits = Habits {
            step: ids.clone().find_map(|id| source.step_at(id)),
            dash: ids.clone().find_map(|id| source.dash_at(id)),
            comma: ids.clone().find_map(|id| source.comma_at(id)),
            colon: ids.clone().find_map(|id| source.colon_at(id)),
        };
        source
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        let line = self
            .lines
            .partition_point(|start| *start <= at)
            .checked_sub(1);
        line.and_then(|line| self.lines.get(line))
            .copied()
            .unwrap_or_else(|| self.bom.min(at))
    }

    /// The end of the line without its line break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let line = rest.find('\n').map_or(rest, |end| &rest[..end]);
        at + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// The end of the line before, if there is one.
    pub(super) fn previous_end(&self, at: usize) -> Option<usize> {
        let before = self.text.get(..self.line_start(at)).unwrap_or_default();
        let line = before.strip_suffix('\n')?;
        Some(line.strip_suffix('\r').unwrap_or(line).len())
    }

    pub(super) fn next_line(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |end| at + end + 1)
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
        match &raw.kind {
            Kind::Mapping {
                entries,
                flow: false,
            } => entries.last().map_or(raw.span.end, |(key, value)| {
                self.line_end(self.tree.raw(*key).span.end)
                    .max(self.block_end(*value))
            }),
            Kind::Sequence { items, flow: false } => items
                .last()
                .map_or(raw.span.end, |item| self.block_end(*item)),
            Kind::Scalar {
                style: Style::Literal | Style::Folded,
                ..
            } => self.literal_end(raw.span.start, raw.content, raw.span.end),
            _ => self.line_end(raw.span.end),
        }
    }

    fn literal_end(&self, start: usize, content: usize, end: usize) -> usize {
        let header_end = self.line_end(self.header(start, content));
        let header = self.slice(start, header_end);
        let keeps = header
            .find(['|', '>'])
            .and_then(|at| header.get(at..))
            .is_some_and(|rest| {
                rest.split([' ', '\t', '#'])
                    .next()
                    .is_some_and(|h| h.contains('+'))
            });
        let body = self.slice(content, end);
        if keeps {
            let last = self.slice(0, end);
            let last = last.strip_suffix('\n').unwrap_or(last);
            return last
                .strip_suffix('\r')
                .unwrap_or(last)
                .len()
                .max(header_end);
        }
        // Lines of no more than the indentation are not content; longer ones are.
        let indentation = self.column(content);
        let mut last = None;
        let mut at = content;
        for line in body.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let blank = bare.trim_start_matches(' ').is_empty() && bare.len() <= indentation;
            if at == content && !bare.is_empty() || !blank {
                last = Some(at + bare.len());
            }
            at += line.len();
        }
        last.map_or(header_end, |last| last.max(header_end))
    }

    /// The indicator of a block scalar, after its tag and anchor.
    fn header(&self, start: usize, content: usize) -> usize {
        let first = self.slice(start, content.max(start));
        first.rfind(['|', '>']).map_or(start, |at| start + at)
    }

    fn dash_at(&self, id: Id) -> Option<usize> {
        let Kind::Sequence { items, flow: false } = &self.tree.raw(id).kind else {
            return None;
        };
        let parent = self.tree.raw(id).parent?;
        let Kind::Mapping {
            entries,
            flow: false,
        } = &self.tree.raw(parent).kind
        else {
            return None;
        };
        let dash = self.tree.dash(self.text, *items.first()?)?;
        let key = self.tree.raw(entries.first()?.0).span.start;
        self.column(dash).checked_sub(self.column(key))
    }

    fn step_at(&self, id: Id) -> Option<usize> {
        let Kind::Mapping {
            entries,
            flow: false,
        } = &self.tree.raw(id).kind
        else {
            return None;
        };
        let parent = self.tree.raw(id).parent?;
        let Kind::Mapping {
            entries: outer,
            flow: false,
        } = &self.tree.raw(parent).kind
        else {
            return None;
        };
        let inner = self.column(self.tree.raw(entries.first()?.0).span.start);
        let outer = self.column(self.tree.raw(outer.first()?.0).span.start);
        inner.checked_sub(outer).filter(|step| *step > 0)
    }

    pub(super) fn comma_at(&self, id: Id) -> Option<&'static str> {
        let (last, next) = match &self.tree.raw(id).kind {
            Kind::Mapping {
                entries,
                flow: true,
            } => (entries.first()?.1, entries.get(1)?.0),
            Kind::Sequence { items, flow: true } => (*items.first()?, *items.get(1)?),
            _ => return None,
        };
        let gap = self.slice(self.tree.raw(last).span.end, self.tree.raw(next).span.start);
        match gap.split_once(',')?.1 {
            "" => Some(","),
            gap if gap.contains('\n') => None,
            _ => Some(", "),
        }
    }

    pub(super) fn colon_at(&self, id: Id) -> Option<&'static str> {
        let Kind::Mapping {
            entries,
            flow: true,
        } = &self.tree.raw(id).kind
        else {
            return None;
        };
        let (key, value) = *entries.first()?;
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
}
