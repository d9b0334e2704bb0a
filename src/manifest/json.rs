//! JSON text into a [`Tree`].

use serde::de::IgnoredAny;

use super::tree::{Format, Id, Kind, ParseError, Position, Raw, Style, Tree};

impl Tree {
    /// Reads one JSON document.
    ///
    /// # Errors
    /// Text that is not JSON, or nesting too deep.
    pub fn json(text: &str) -> Result<Self, ParseError> {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        // serde_json checks the grammar and the depth. Only the places of the nodes are left to find.
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
            tree: Self::new(Format::Json, text),
        };
        let root = scan.value(None)?;
        scan.tree.root = Some(root);
        Ok(scan.tree)
    }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    position: Position,
    tree: Tree,
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
            // A column is a character, not a byte.
            Some(byte) if byte & 0xC0 != 0x80 => self.position.column += 1,
            _ => {}
        }
        self.at += 1;
    }

    /// Skips white space and separators, which `serde_json` has checked.
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
        let id = self.tree.nodes.len();
        let raw = Raw::new(Kind::Sequence, start..start, position, parent);
        self.tree.nodes.push(raw);
        match first {
            Some(b'{') => {
                self.step();
                while self.skip().is_some_and(|byte| byte != b'}') {
                    let entry = (self.value(Some(id))?, self.value(Some(id))?);
                    self.tree.nodes[id].entries.push(entry);
                }
                self.step();
                self.tree.nodes[id].kind = Kind::Mapping;
                self.tree.nodes[id].flow = true;
            }
            Some(b'[') => {
                self.step();
                while self.skip().is_some_and(|byte| byte != b']') {
                    let item = self.value(Some(id))?;
                    self.tree.nodes[id].entries.push((item, item));
                }
                self.step();
                self.tree.nodes[id].flow = true;
            }
            _ => self.tree.nodes[id].kind = self.scalar(first)?,
        }
        self.tree.nodes[id].span.end = self.at.min(self.text.len());
        Ok(id)
    }

    fn scalar(&mut self, first: Option<u8>) -> Result<Kind, ParseError> {
        let (start, position) = (self.at, self.position);
        if first == Some(b'"') {
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
            let style = Style::Double;
            return Ok(Kind::Scalar { text, style });
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        while self.peek().is_some_and(is_word) {
            self.step();
        }
        if self.at == start {
            return Err(ParseError::new(position, "expected a value"));
        }
        let text = self.text.get(start..self.at).unwrap_or_default().to_owned();
        let style = Style::Plain;
        Ok(Kind::Scalar { text, style })
    }
}
