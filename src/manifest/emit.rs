//! Values as text: whole documents for `-o yaml`, and the pieces that an edit puts in.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::scalar::{self, Plain};

/// Writes a value as a YAML document in block style, as kubectl prints it.
///
/// A string is quoted exactly where a reader of YAML 1.1 or 1.2 would else take it for something
/// other than that string.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let layout = Layout {
        step: 2,
        dash: 0,
        literals: true,
    };
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => {
            layout.entries(&mut out, map, 0);
        }
        Value::Array(items) if !items.is_empty() => {
            layout.items(&mut out, items, 0);
        }
        scalar => layout.scalar(&mut out, scalar, 0),
    }
    out.push('\n');
    out
}

/// How block collections are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Columns from a key to the keys below it.
    pub(super) step: usize,
    /// Columns from a key to the dashes below it.
    pub(super) dash: usize,
    /// Whether text of several lines may become a block.
    pub(super) literals: bool,
}

impl Layout {
    /// Entries at a column; the first without indentation, none with a last line break.
    pub(super) fn entries(self, out: &mut String, map: &Map<String, Value>, column: usize) {
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                new_line(out, column);
            }
            self.entry(out, key, value, column);
        }
    }

    /// One entry, whose key stands at the column.
    pub(super) fn entry(self, out: &mut String, key: &str, value: &Value, column: usize) {
        push_string(out, key, Context::Block);
        out.push(':');
        self.value(out, value, column);
    }

    /// What comes after the colon of a key at the column.
    pub(super) fn value(self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                new_line(out, column + self.step);
                self.entries(out, map, column + self.step);
            }
            Value::Array(items) if !items.is_empty() => {
                new_line(out, column + self.dash);
                self.items(out, items, column + self.dash);
            }
            scalar => {
                out.push(' ');
                self.scalar(out, scalar, column);
            }
        }
    }

    fn items(self, out: &mut String, items: &[Value], column: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                new_line(out, column);
            }
            self.item(out, item, column);
        }
    }

    /// One item of a sequence, with its dash at the column.
    pub(super) fn item(self, out: &mut String, item: &Value, column: usize) {
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => self.entries(out, map, column + 2),
            Value::Array(items) if !items.is_empty() => self.items(out, items, column + 2),
            scalar => self.scalar(out, scalar, column),
        }
    }

    fn scalar(self, out: &mut String, scalar: &Value, column: usize) {
        match scalar {
            Value::String(text) if self.literals && fits_literal(text) => {
                let body = text.trim_end_matches('\n');
                out.push_str(match text.len() - body.len() {
                    0 => "|-",
                    1 => "|",
                    _ => "|+",
                });
                for line in body.split('\n') {
                    out.push('\n');
                    if !line.is_empty() {
                        out.extend(std::iter::repeat_n(' ', column + self.step));
                        out.push_str(line);
                    }
                }
                // The line break of the last line is written with what follows.
                out.extend(text.get(body.len() + 1..));
            }
            scalar => push_scalar(out, scalar, Context::Block),
        }
    }
}

fn new_line(out: &mut String, column: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', column));
}

/// Whether a block shows the text as it is, without an escape or an indentation indicator.
fn fits_literal(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    !body.is_empty()
        && text.contains('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && body.split('\n').all(|line| !line.ends_with([' ', '\t']))
        && text
            .chars()
            .all(|char| char == '\n' || char == '\t' || printable(char))
}

/// Where a scalar is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    Block,
    Flow,
    Json,
}

/// A scalar or an empty collection.
pub(super) fn push_scalar(out: &mut String, scalar: &Value, context: Context) {
    match scalar {
        Value::String(text) => push_string(out, text, context),
        Value::Number(number) if number.is_f64() && context != Context::Json => {
            out.push_str(&float(&number.to_string()));
        }
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        other => {
            let _ = write!(out, "{other}"); // a String takes everything
        }
    }
}

/// `1e300` is a string to YAML 1.1, which wants a point and a sign.
fn float(text: &str) -> String {
    match text.split_once('e') {
        None => text.to_owned(),
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['-', '+']) {
                ""
            } else {
                "+"
            };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
    }
}

pub(super) fn push_string(out: &mut String, text: &str, context: Context) {
    if context == Context::Json {
        out.push_str(&Value::from(text).to_string());
    } else if is_plain(text, context) {
        out.push_str(text);
    } else if text.starts_with(['{', '[']) && text.contains('"') && text.chars().all(printable) {
        // JSON in a string stays readable.
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        push_double_quoted(out, text);
    }
}

fn push_double_quoted(out: &mut String, text: &str) {
    for char in Value::from(text).to_string().chars() {
        if printable(char) {
            out.push(char);
        } else {
            // JSON leaves these as they are, but YAML takes some of them for line breaks.
            let _ = write!(out, "\\u{:04x}", u32::from(char));
        }
    }
}

/// Characters that YAML 1.1 and 1.2 both allow as themselves and that break no line.
fn printable(char: char) -> bool {
    matches!(char,
        ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Whether every reader takes the bare text for just this string.
fn is_plain(text: &str, context: Context) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let second = text.chars().nth(1);
    let starts = match first {
        // Fine before other text, such as in a flag `--port`.
        '-' => {
            context == Context::Block
                && second.is_some_and(|char| char.is_ascii_alphabetic() || char == '-')
        }
        '?' | ':' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\''
        | '"' | '%' | '@' | '`' | '=' | '<' | '~' => false,
        _ => true,
    };
    starts
        && !text.ends_with([' ', ':'])
        && !text.starts_with(' ')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(printable)
        && (context == Context::Block || !text.contains([',', '[', ']', '{', '}']))
        && !is_word(text)
        && !looks_like_number(text)
        && scalar::resolve(text) == Plain::Text
}

/// Words that some reader of YAML takes for null or a truth value.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Numbers, dates and times of some reader, and much that only looks so: quotes do no harm.
fn looks_like_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '.']);
    (digits.starts_with(|char: char| char.is_ascii_digit() || char == '_')
        && text.chars().all(|char| {
            char.is_ascii_hexdigit()
                || matches!(
                    char,
                    'x' | 'X'
                        | 'o'
                        | 'O'
                        | '_'
                        | '.'
                        | ':'
                        | '+'
                        | '-'
                        | 't'
                        | 'T'
                        | 'z'
                        | 'Z'
                        | ' '
                )
        }))
        || ["inf", "nan"]
            .iter()
            .any(|word| digits.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_as_kubectl_prints() {
        let value = json!({
            "kind": "X",
            "metadata": {"name": "a", "labels": {}, "annotations": {"tracing.io/x": "{\"a\":\"it's\"}"}},
            "spec": {"list": [{"env": [{"name": "A", "value": "1"}], "args": ["--port", "-1"]}, [], [[1, 2]], "x"]},
            "text": "one\n  two\n",
            "last": "a\n\n",
        });
        let expected = r#"kind: X
metadata:
  name: a
  labels: {}
  annotations:
    tracing.io/x: '{"a":"it''s"}'
spec:
  list:
  - env:
    - name: A
      value: "1"
    args:
    - --port
    - "-1"
  - []
  - - - 1
      - 2
  - x
text: |
  one
    two
last: |+
  a

"#;
        assert_eq!(to_yaml(&value), expected);
        assert_eq!(to_yaml(&json!("x")), "x\n");
        assert_eq!(to_yaml(&json!([])), "[]\n");
    }

    #[test]
    fn quotes_exactly_what_needs_it() {
        for plain in [
            "a",
            "a b",
            "http://x/y:z",
            "seldonio/x:1.2",
            "--port",
            "a#b",
            "it's",
            "status.hostIP",
            "v1",
            "é",
            "a{b}",
            "a, b",
            "e1",
            "nano",
            "0.5.0-dev",
        ] {
            assert_eq!(to_yaml(&json!(plain)), format!("{plain}\n"));
        }
        for quoted in [
            "",
            " ",
            "1",
            "1.0",
            "0644",
            "0o7",
            "0x1F",
            "1e3",
            "1_0",
            ".5",
            "+1",
            "-1",
            ".inf",
            "-.INF",
            ".NaN",
            "true",
            "No",
            "on",
            "y",
            "~",
            "null",
            "=",
            "<<",
            "12:30",
            "2001-01-01",
            "2001-01-01T00:00:00Z",
            "1.2.3.4",
            "a: b",
            "a:",
            "a #b",
            " a",
            "a ",
            "- a",
            "-",
            "? a",
            ":",
            "@a",
            "`a",
            "%a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "'a",
            "#a",
            "---",
            "--- a",
            "...",
            "{a",
            "[a",
        ] {
            assert_eq!(to_yaml(&json!(quoted)), format!("\"{quoted}\"\n"));
        }
        assert_eq!(
            to_yaml(&json!("a\u{85}\u{2028}\u{7f}\t\r\u{1}")),
            "\"a\\u0085\\u2028\\u007f\\t\\r\\u0001\"\n"
        );
        assert_eq!(to_yaml(&json!(1e300)), "1.0e+300\n");
        assert_eq!(to_yaml(&json!("a \nb")), "\"a \\nb\"\n");
    }
}
