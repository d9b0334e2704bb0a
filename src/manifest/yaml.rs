//! YAML and JSON text into a [`Tree`].

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options};
use serde::de::IgnoredAny;

use super::tree::{Format, Id, Kind, MAX_DEPTH, ParseError, Position, Raw, Style, Tag, Tree};

impl Tree {
    /// Reads one YAML document; a document marker and directives may stand before it.
    ///
    /// # Errors
    /// Text that is not YAML, more than one document, or nesting too deep.
    pub fn yaml(text: &str) -> Result<Self, ParseError> {
        let mut build = Build {
            tree: Self::new(Format::Yaml, text),
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

    /// Reads one JSON document.
    ///
    /// # Errors
    /// Text that is not JSON, or nesting too deep. Also a key of more than 1024 bytes or a character that YAML does not allow, such as
    /// U+007F: no Kubernetes object has one.
    pub fn json(text: &str) -> Result<Self, ParseError> {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Err(error) = serde_json::from_str::<IgnoredAny>(body) {
            let position = Position {
                line: error.line().max(1),
                column: error.column().max(1),
            };
            let message = error.to_string();
            let bare = message.rsplit_once(" at line ").map(|(bare, _)| bare);
            return Err(ParseError::new(position, bare.unwrap_or(&message)));
        }
        // JSON is YAML too. Only the values of its scalars are read by other rules.
        let mut tree = Self::yaml(text)?;
        tree.format = Format::Json;
        Ok(tree)
    }
}

fn scan_error(error: &ScanError) -> ParseError {
    let position = Position {
        line: error.marker().line(),
        column: error.marker().col() + 1,
    };
    ParseError::new(position, error.info())
}

struct Build {
    tree: Tree,
    /// The collections whose end is still to come, each with the key whose value comes next.
    open: Vec<(Id, Option<Id>)>,
    /// The node of each anchor, by the parser's number for the anchor.
    anchors: HashMap<usize, Id>,
    documents: usize,
}

impl Build {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), ParseError> {
        let tag = event
            .tag()
            .map(|tag| match tag.suffix_in_namespace("tag:yaml.org,2002:") {
                Some(suffix) => Tag::Core(suffix.into_owned()),
                None => Tag::Other,
            });
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document begins here";
                    return Err(ParseError::new(position(span), message));
                }
            }
            Event::Scalar(text, style, ..) => {
                let style = match style {
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                    ScalarStyle::Plain => Style::Plain,
                };
                // For a value that is not written, the parser gives `~`.
                let is_absent = style == Style::Plain && span.is_empty();
                let text = if is_absent {
                    String::new()
                } else {
                    text.into_owned()
                };
                self.add(Kind::Scalar { text, style }, tag, span)?;
            }
            Event::SequenceStart(style, ..) => self.begin(Kind::Sequence, style, tag, span)?,
            Event::MappingStart(style, ..) => self.begin(Kind::Mapping, style, tag, span)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((id, _)) = self.open.pop() {
                    self.tree.nodes[id].span.end = bytes(span).end;
                }
            }
            Event::Alias(number) => {
                let target = self.anchors.get(&number).copied();
                let target = target.filter(|target| self.open.iter().all(|(id, _)| id != target));
                let Some(target) = target else {
                    let message = "this alias stands within the node it stands for";
                    return Err(ParseError::new(position(span), message));
                };
                self.add(Kind::Alias(target), None, span)?;
            }
            Event::Anchor(number, name) => {
                // The event follows its node, though the anchor is written before it.
                if let Some(raw) = self.tree.nodes.last_mut() {
                    raw.anchor = Some(name.into_owned());
                    widen(raw, span);
                }
                let last = self.tree.nodes.len().saturating_sub(1);
                self.anchors.insert(number, last);
            }
            Event::Comment(..) => self.tree.comments.push(bytes(span)),
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        tag: Option<Tag>,
        span: &Span,
    ) -> Result<(), ParseError> {
        let id = self.add(kind, tag, span)?;
        self.tree.nodes[id].flow = style == StructureStyle::Flow;
        self.open.push((id, None));
        Ok(())
    }

    fn add(&mut self, kind: Kind, tag: Option<Tag>, span: &Span) -> Result<Id, ParseError> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(ParseError::new(position(span), message));
        }
        let id = self.tree.nodes.len();
        let parent = self.open.last().map(|(id, _)| *id);
        let mut raw = Raw::new(kind, bytes(span), position(span), parent);
        raw.tag = tag;
        if let Some(tag) = span.tag_span() {
            widen(&mut raw, &tag);
        }
        self.tree.nodes.push(raw);
        match self.open.last_mut() {
            None => self.tree.root = Some(id),
            Some((parent, key)) => {
                let parent = &mut self.tree.nodes[*parent];
                if parent.is_sequence() {
                    parent.entries.push((id, id));
                } else if let Some(key) = key.take() {
                    parent.entries.push((key, id));
                } else {
                    *key = Some(id);
                }
            }
        }
        Ok(id)
    }
}

/// Lets a node begin at its tag or anchor.
fn widen(raw: &mut Raw, property: &Span) {
    let start = bytes(property).start;
    if start < raw.span.start {
        raw.span.start = start;
        raw.position = position(property);
    }
}

fn position(span: &Span) -> Position {
    Position {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0) // always present when the parser reads a str
}

/// Moves the starts of block nodes to their `|` or first dash: the parser gives the first character of the content.
fn settle(tree: &mut Tree, text: &str) {
    let lines: Vec<_> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    // Entries have higher numbers than their collection, so they are settled before it.
    for id in (0..tree.nodes.len()).rev() {
        let raw = tree.raw(id);
        let is_block = raw.is_collection();
        let (start, end) = match (&raw.kind, raw.entries.first(), raw.entries.last()) {
            (
                Kind::Scalar {
                    style: Style::Block,
                    ..
                },
                ..,
            ) => {
                // The parser counts the indentation of the next line to the scalar.
                let block = text.get(..raw.span.end).unwrap_or_default();
                let lines = block.trim_end_matches(' ');
                let end = if lines.ends_with('\n') { lines } else { block };
                (header(tree, text, raw.content), end.len())
            }
            (_, Some((first, _)), Some((key, value))) if !raw.flow => {
                let start = if raw.is_sequence() {
                    tree.dash(text, *first)
                } else {
                    Some(tree.raw(*first).span.start)
                };
                (
                    start,
                    tree.raw(*key).span.end.max(tree.raw(*value).span.end),
                )
            }
            _ => continue,
        };
        let has_property = raw.content != raw.span.start;
        let raw = &mut tree.nodes[id];
        raw.span.end = end.max(raw.span.start);
        let Some(start) = start else { continue };
        if !has_property || start < raw.span.start {
            raw.span.start = start;
            raw.position = place(text, &lines, start);
        }
        if is_block {
            raw.content = start;
        }
    }
}

/// The place of the `|` or `>` of a block scalar.
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

fn place(text: &str, lines: &[usize], at: usize) -> Position {
    let line = lines.partition_point(|start| *start <= at).max(1);
    let start = lines.get(line - 1).copied().unwrap_or_default();
    let before = text.get(start..at).unwrap_or_default();
    Position {
        line,
        column: before.trim_start_matches('\u{feff}').chars().count() + 1,
    }
}
