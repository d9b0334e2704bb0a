//! JSON text into a [`Tree`].

use serde::de::IgnoredAny;

use super::tree::{Format, Id, Kind, ParseError, Position, Raw, Style, Tree};

/// `serde_json` says whether it is JSON and bounds its depth; what is left is to find the places.
pub(super) fn parse(text: &str) -> Result<Tree, ParseError> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Err(error) = serde_json::from_str::<IgnoredAny>(body) {
        let position = Position {
            line: error.line().max(1),
            column: error.column().max(1),
        };
        let message = error.to_string();
        let message = message
            .rsplit_once(" at line ")
            .map_or(&*message, |(message, _)| message);
        return Err(ParseError::new(position, message));
    }
    let mut scan = Scan {
        text,
        at: text.len() - body.len(),
        position: Position { line: 1, column: 1 },
        nodes: Vec::new(),
    };
    let root = scan.value(None)?;
    Ok(Tree {
        nodes: scan.nodes,
        root: Some(root),
        format: Format::Json,
        comments: Vec::new(),
        text_len: text.len(),
    })
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    position: Position,
    nodes: Vec<Raw>,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        match self.peek() {
            Some(b'\n') => {
                self.position = Position {
                    line: self.position.line + 1,
                    column: 1,
                };
            }
            // One column a character, not a byte.
            Some(byte) if byte & 0xC0 != 0x80 => self.position.column += 1,
            _ => {}
        }
        self.at += 1;
    }

    /// Skips white space and the separators: that they stand where they should is known already.
    fn skip(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':') {
                return Some(byte);
            }
            self.step();
        }
        None
    }

    fn value(&mut self, parent: Option<Id>) -> Result<Id, ParseError> {
        let first = self.skip();
        let (start, position) = (self.at, self.position);
        let id = self.nodes.len();
        self.nodes.push(Raw {
            kind: Kind::Sequence {
                items: Vec::new(),
                flow: true,
            },
            span: start..start,
            content: start,
            position,
            parent,
            anchor: None,
            tag: None,
        });
        let kind = match first {
            Some(b'{') => {
                self.step();
                let mut entries = Vec::new();
                while self.skip().is_some_and(|byte| byte != b'}') {
                    entries.push((self.value(Some(id))?, self.value(Some(id))?));
                }
                self.step();
                Kind::Mapping {
                    entries,
                    flow: true,
                }
            }
            Some(b'[') => {
                self.step();
                let mut items = Vec::new();
                while self.skip().is_some_and(|byte| byte != b']') {
                    items.push(self.value(Some(id))?);
                }
                self.step();
                Kind::Sequence { items, flow: true }
            }
            Some(b'"') => {
                self.step();
                while let Some(byte) = self.peek().filter(|byte| *byte != b'"') {
                    self.step();
                    if byte == b'\\' {
                        self.step();
                    }
                }
                self.step();
                let text = serde_json::from_str(self.text.get(start..self.at).unwrap_or_default())
                    .map_err(|error| ParseError::new(position, error.to_string()))?;
                Kind::Scalar {
                    text,
                    style: Style::Double,
                }
            }
            _ => {
                while self.peek().is_some_and(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
                }) {
                    self.step();
                }
                if self.at == start {
                    return Err(ParseError::new(position, "expected a value"));
                }
                let text = self.text.get(start..self.at).unwrap_or_default().to_owned();
                Kind::Scalar {
                    text,
                    style: Style::Plain,
                }
            }
        };
        self.nodes[id].kind = kind;
        self.nodes[id].span.end = self.at.min(self.text.len());
        Ok(id)
    }
}
