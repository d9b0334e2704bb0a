//! YAML text into a [`Tree`].

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options};

use super::tree::{Format, Id, Kind, MAX_DEPTH, ParseError, Position, Raw, Style, Tag, Tree};

pub(super) fn parse(text: &str) -> Result<Tree, ParseError> {
    let mut build = Build {
        tree: Tree {
            nodes: Vec::new(),
            root: None,
            format: Format::Yaml,
            comments: Vec::new(),
            text_len: text.len(),
        },
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: 0,
    };
    let options = options! {
        emit_anchor_events: true,
        // As libyaml, and with it kubectl, reads a last line without a line break.
        block_scalar_eof_without_line_feed: true,
        max_buffered_comment_events: usize::MAX,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| scan_error(&error))?;
        build.event(event, &span)?;
    }
    let mut tree = build.tree;
    tree.comments.sort_by_key(|comment| comment.start);
    settle(&mut tree, text);
    Ok(tree)
}

fn scan_error(error: &ScanError) -> ParseError {
    let position = Position {
        line: error.marker().line(),
        column: error.marker().col() + 1,
    };
    ParseError::new(position, error.info())
}

/// A collection whose end is still to come.
struct Open {
    id: Id,
    /// The key whose value comes next.
    key: Option<Id>,
}

struct Build {
    tree: Tree,
    open: Vec<Open>,
    /// The node behind each anchor number of the parser.
    anchors: HashMap<usize, Id>,
    documents: usize,
}

impl Build {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), ParseError> {
        let tag = event
            .tag()
            .map(|tag| match tag.suffix_in_namespace("tag:yaml.org,2002:") {
                Some(suffix) => Tag::Core(suffix.into_owned()),
                None if tag.original() == "!" => Tag::NonSpecific,
                None => Tag::Other(tag.original()),
            });
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(ParseError::new(
                        position(span),
                        "a second document begins here",
                    ));
                }
            }
            Event::Scalar(text, style, ..) => {
                let style = match style {
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                    ScalarStyle::Plain => Style::Plain,
                };
                // The parser gives a value left out as `~`, but nothing was written.
                let text = if style == Style::Plain && span.is_empty() {
                    String::new()
                } else {
                    text.into_owned()
                };
                self.add(Kind::Scalar { text, style }, tag, span)?;
            }
            Event::SequenceStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let id = self.add(
                    Kind::Sequence {
                        items: Vec::new(),
                        flow,
                    },
                    tag,
                    span,
                )?;
                self.open.push(Open { id, key: None });
            }
            Event::MappingStart(style, ..) => {
                let flow = style == StructureStyle::Flow;
                let id = self.add(
                    Kind::Mapping {
                        entries: Vec::new(),
                        flow,
                    },
                    tag,
                    span,
                )?;
                self.open.push(Open { id, key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let raw = &mut self.tree.nodes[open.id];
                    raw.span.end = bytes(span).end;
                }
            }
            Event::Alias(number) => {
                let target = self.anchors.get(&number).copied();
                let target = target.filter(|id| self.open.iter().all(|open| open.id != *id));
                let Some(target) = target else {
                    let message = "this alias stands within the node it stands for";
                    return Err(ParseError::new(position(span), message));
                };
                self.add(Kind::Alias(target), None, span)?;
            }
            Event::Anchor(number, name) => {
                // Comes right after the node it belongs to, though it is written before it.
                if let Some(raw) = self.tree.nodes.last_mut() {
                    raw.anchor = Some(name.into_owned());
                    raw.widen(span);
                }
                self.anchors
                    .insert(number, self.tree.nodes.len().saturating_sub(1));
            }
            Event::Comment(..) => self.tree.comments.push(bytes(span)),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, kind: Kind, tag: Option<Tag>, span: &Span) -> Result<Id, ParseError> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(ParseError::new(position(span), message));
        }
        let id = self.tree.nodes.len();
        let range = bytes(span);
        let mut raw = Raw {
            kind,
            content: range.start,
            span: range,
            position: position(span),
            parent: self.open.last().map(|open| open.id),
            anchor: None,
            tag,
        };
        if let Some(tag) = span.tag_span() {
            raw.widen(&tag);
        }
        self.tree.nodes.push(raw);
        match self.open.last_mut() {
            None => self.tree.root = Some(id),
            Some(open) => match &mut self.tree.nodes[open.id].kind {
                Kind::Mapping { entries, .. } => match open.key.take() {
                    None => open.key = Some(id),
                    Some(key) => entries.push((key, id)),
                },
                Kind::Sequence { items, .. } => items.push(id),
                _ => {}
            },
        }
        Ok(id)
    }
}

impl Raw {
    fn widen(&mut self, property: &Span) {
        let start = bytes(property).start;
        if start < self.span.start {
            self.span.start = start;
            self.position = position(property);
        }
    }
}

fn position(span: &Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0) // always there when the parser reads a str
}

/// Moves the starts of block nodes to what a reader sees as such: the parser gives the first
/// character of the content, not the `|` or the dash before it.
fn settle(tree: &mut Tree, text: &str) {
    let lines: Vec<_> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    // Children have the higher numbers, so that what a collection begins with is settled first.
    for id in (0..tree.nodes.len()).rev() {
        let raw = &tree.nodes[id];
        let (start, end) = match &raw.kind {
            Kind::Scalar {
                style: Style::Literal | Style::Folded,
                ..
            } => {
                // The parser counts the indentation of the line that follows to it.
                let block = text.get(..raw.span.end).unwrap_or_default();
                let lines = block.trim_end_matches(' ');
                let end = if lines.ends_with('\n') {
                    lines.len()
                } else {
                    block.len()
                };
                (header(tree, text, raw.content), end)
            }

            Kind::Sequence { items, flow: false } => match (items.first(), items.last()) {
                (Some(first), Some(last)) => (tree.dash(text, *first), tree.raw(*last).span.end),
                _ => continue,
            },
            Kind::Mapping {
                entries,
                flow: false,
            } => match (entries.first(), entries.last()) {
                (Some((first, _)), Some((key, value))) => (
                    Some(tree.raw(*first).span.start),
                    tree.raw(*key).span.end.max(tree.raw(*value).span.end),
                ),
                _ => continue,
            },
            _ => continue,
        };
        let block = !matches!(raw.kind, Kind::Scalar { .. });
        let first = raw.content == raw.span.start;
        let raw = &mut tree.nodes[id];
        raw.span.end = end.max(raw.span.start);
        if let Some(start) = start.filter(|start| first || *start < raw.span.start) {
            raw.span.start = start;
            raw.position = place(text, &lines, start);
        }
        if let (true, Some(start)) = (block, start) {
            raw.content = start;
        }
    }
}

/// Where the `|` or `>` of a block scalar stands.
fn header(tree: &Tree, text: &str, content: usize) -> Option<usize> {
    let indicator = |at: usize| matches!(text.as_bytes().get(at), Some(b'|' | b'>'));
    let before = text.get(..tree.back(text, content)).unwrap_or_default();
    let before =
        before.trim_end_matches(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    match before.len().checked_sub(1) {
        Some(at) if indicator(at) => Some(at),
        _ => indicator(content).then_some(content), // an empty one has no content to begin at
    }
}

impl Tree {
    /// Goes back from `at` over white space, line breaks and comments.
    pub(super) fn back(&self, text: &str, at: usize) -> usize {
        let mut at = at;
        loop {
            let kept = text.get(..at).unwrap_or_default();
            at = kept.trim_end_matches([' ', '\t', '\r', '\n']).len();
            let comment = self.comments.partition_point(|comment| comment.end < at);
            match self.comments.get(comment) {
                Some(comment) if comment.start < at => at = comment.start,
                _ => return at,
            }
        }
    }

    /// Where the dash before an item of a block sequence stands.
    pub(super) fn dash(&self, text: &str, item: Id) -> Option<usize> {
        let at = self.back(text, self.raw(item).span.start).checked_sub(1)?;
        (text.as_bytes().get(at) == Some(&b'-')).then_some(at)
    }
}

fn place(text: &str, lines: &[usize], at: usize) -> Position {
    let line = lines.partition_point(|start| *start <= at).max(1);
    let start = lines.get(line - 1).copied().unwrap_or_default();
    let before = text.get(start..at).unwrap_or_default();
    Position {
        line,
        column: before.trim_start_matches('\u{feff}').chars().count() + 1,
    }
}
