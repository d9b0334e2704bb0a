//! A YAML stream cut into its documents, one in memory at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use serde::de::IgnoredAny;

/// One document of a stream as it was written, with its marker line and its comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawDocument {
    /// The bytes of the document. All texts of a stream together are the stream.
    pub text: String,
    /// The line of the stream, from 1, on which the text begins.
    pub first_line: usize,
}

/// Splits a YAML stream at its document markers.
///
/// A line `---` begins a document and belongs to it, a line `...` ends a document and belongs to it. Directives belong to the document
/// that follows them. Documents that consist of comments are included, so that all texts together are the stream. JSON objects may follow
/// each other without markers, as `jq -c` prints them.
#[derive(Debug)]
pub struct Documents<R> {
    reader: R,
    /// A marker line that belongs to the next document.
    pending: Vec<u8>,
    /// Lines read so far, without the pending line.
    lines: usize,
    at_start: bool,
    done: bool,
    /// Objects of JSON that stand before what is read next.
    objects: VecDeque<RawDocument>,
}

/// The lines of the current document so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Blank lines and comments only.
    Empty,
    /// A directive: the next `---` belongs to the same document.
    Directive,
    /// The marker or content: the next `---` begins another document.
    Body,
}

impl<R: BufRead> Documents<R> {
    /// Reads documents from `reader`.
    pub const fn new(reader: R) -> Self {
        Self {
            reader,
            pending: Vec::new(),
            lines: 0,
            at_start: true,
            done: false,
            objects: VecDeque::new(),
        }
    }

    fn read(&mut self) -> io::Result<Option<RawDocument>> {
        let first_line = self.lines + 1;
        let mut text = String::new();
        let mut stage = Stage::Empty;
        loop {
            let mut line = std::mem::take(&mut self.pending);
            if line.is_empty() && self.reader.read_until(b'\n', &mut line)? == 0 {
                self.done = true;
                break;
            }
            let content = if std::mem::take(&mut self.at_start) {
                line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line)
            } else {
                &line
            };
            if is_marker(content, b"---") && !text.is_empty() && stage != Stage::Directive {
                self.pending = line;
                break;
            }
            let ends = is_marker(content, b"...");
            stage = next_stage(stage, content);
            self.lines += 1;
            let line = str::from_utf8(&line).map_err(|error| {
                self.done = true;
                let message = format!("line {} is not UTF-8: {error}", self.lines);
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
            text.push_str(line);
            if ends {
                break;
            }
        }
        self.objects = objects(&text, first_line);
        let document = RawDocument { text, first_line };
        let first = self.objects.pop_front().unwrap_or(document);
        Ok(Some(first).filter(|document| !document.text.is_empty()))
    }
}

/// Cuts a text into the JSON objects that follow each other in it. Empty if it does not begin with two of them.
fn objects(text: &str, first_line: usize) -> VecDeque<RawDocument> {
    let mut objects = VecDeque::new();
    let body = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let (mut start, mut line) = (0, first_line);
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<IgnoredAny>();
    while body.starts_with('{') {
        let follows = values.next().is_some_and(|value| value.is_ok());
        let rest = body.get(values.byte_offset()..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let is_last = !(follows && rest.starts_with('{'));
        if is_last && objects.is_empty() {
            break;
        }
        let end = if is_last {
            text.len()
        } else {
            text.len() - rest.len()
        };
        let object = text.get(start..end).unwrap_or_default().to_owned();
        let lines = object.matches('\n').count();
        objects.push_back(RawDocument {
            text: object,
            first_line: line,
        });
        if is_last {
            break;
        }
        (start, line) = (end, line + lines);
    }
    objects
}

impl<R: BufRead> Iterator for Documents<R> {
    type Item = io::Result<RawDocument>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.objects.pop_front() {
            Some(object) => Some(Ok(object)),
            None if self.done => None,
            None => self.read().transpose(),
        }
    }
}

/// Whether the line begins with the marker and then white space or nothing. YAML allows this only for markers, even in quoted text.
fn is_marker(line: &[u8], marker: &[u8]) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.first().is_none_or(|byte| b" \t\r\n".contains(byte)))
}

fn next_stage(stage: Stage, line: &[u8]) -> Stage {
    if stage == Stage::Body || is_marker(line, b"---") {
        return Stage::Body;
    }
    if line.starts_with(b"%") {
        return Stage::Directive;
    }
    match line.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None | Some(b'#') => stage,
        Some(_) => Stage::Body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(String, usize)> {
        let documents: Vec<_> = Documents::new(text.as_bytes())
            .map(|document| document.map(|document| (document.text, document.first_line)))
            .collect::<io::Result<_>>()
            .unwrap();
        assert_eq!(
            documents
                .iter()
                .map(|document| document.0.as_str())
                .collect::<String>(),
            text
        );
        documents
    }

    #[test]
    fn cuts_at_markers_and_keeps_every_byte() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a: 1", &["a: 1"]),
            ("a: 1\n---\nb: 2\n", &["a: 1\n", "---\nb: 2\n"]),
            (
                "---\na: 1\n--- # x\r\nb: 2",
                &["---\na: 1\n", "--- # x\r\nb: 2"],
            ),
            ("# c\n---\na: 1\n", &["# c\n", "---\na: 1\n"]),
            (
                "# c\n%YAML 1.2\n---\na: 1\n---\n",
                &["# c\n%YAML 1.2\n---\na: 1\n", "---\n"],
            ),
            (
                "a: 1\n...\n# c\n---\nb: 1\n...\n",
                &["a: 1\n...\n", "# c\n", "---\nb: 1\n...\n"],
            ),
            ("a: 1\n...\n---\nb: 1", &["a: 1\n...\n", "---\nb: 1"]),
            ("---\n---\n", &["---\n", "---\n"]),
            (
                "\u{feff}---\na: 1\n---\t\n",
                &["\u{feff}---\na: 1\n", "---\t\n"],
            ),
            (
                "a: |\n  ---\n ---\n---x: 1\n--- |\n",
                &["a: |\n  ---\n ---\n---x: 1\n", "--- |\n"],
            ),
            (
                "{\"a\": 1}\n{\"b\": [{}]} \n\n{\"c\": 1}",
                &["{\"a\": 1}\n", "{\"b\": [{}]} \n\n", "{\"c\": 1}"],
            ),
            (
                "\u{feff}{\"a\": 1}{\"b\": 1}{\"c\": 1, bad}\n---\nd: 1\n",
                &[
                    "\u{feff}{\"a\": 1}",
                    "{\"b\": 1}",
                    "{\"c\": 1, bad}\n",
                    "---\nd: 1\n",
                ],
            ),
            (
                "{\"a\": 1} # {\n---\n{\"a\": 1}\n{\"b\": 1}\n",
                &["{\"a\": 1} # {\n", "---\n{\"a\": 1}\n{\"b\": 1}\n"],
            ),
            ("{a: 1}\n{b: 1}\n", &["{a: 1}\n{b: 1}\n"]),
            (
                "a: |\n  %x\n%y: 1\n---\n",
                &["a: |\n  %x\n%y: 1\n", "---\n"],
            ),
        ];
        for (text, expected) in cases {
            let texts: Vec<_> = split(text).into_iter().map(|document| document.0).collect();
            assert_eq!(&texts, expected, "{text:?}");
        }
    }

    #[test]
    fn counts_lines_over_the_whole_stream() {
        let lines: Vec<_> = split("a: 1\n\n---\nb: 2\n...\n---\nc")
            .into_iter()
            .map(|document| document.1)
            .collect();
        assert_eq!(lines, [1, 3, 6]);
        let lines: Vec<_> = split("{}\n\n{\n}\n{}\n---\na: 1\n")
            .into_iter()
            .map(|document| document.1)
            .collect();
        assert_eq!(lines, [1, 3, 5, 6]);
    }

    #[test]
    fn names_the_line_that_is_not_text() {
        let mut documents = Documents::new(&b"a: 1\n---\nb: 1\nc: \xff\n"[..]);
        assert!(documents.next().unwrap().is_ok());
        let error = documents.next().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().starts_with("line 4 "), "{error}");
        assert!(documents.next().is_none());
    }
}
