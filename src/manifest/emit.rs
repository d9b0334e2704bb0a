//! Values as text: whole documents for `-o yaml`, and the parts that an edit adds.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use serde_json::Value;

use super::scalar;

/// Writes a value as a YAML document in block style, as kubectl prints it.
///
/// A string is quoted only if a parser of YAML 1.1 or 1.2 would read it as another value without quotes.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let layout = Layout {
        step: 2,
        dash: 0,
        literals: true,
    };
    let mut out = String::new();
    layout.node(&mut out, value, 0, 0);
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
    /// Whether text of several lines becomes a block.
    pub(super) literals: bool,
}

impl Layout {
    /// A node whose first entry or item stands at the column. The lines of a block scalar are indented from `key`.
    fn node(self, out: &mut String, value: &Value, column: usize, key: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (index, (key, value)) in map.iter().enumerate() {
                    if index > 0 {
                        new_line(out, column);
                    }
                    self.entry(out, key, value, column);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        new_line(out, column);
                    }
                    self.item(out, item, column);
                }
            }
            scalar => self.scalar(out, scalar, key),
        }
    }

    /// An entry whose key stands at the column.
    pub(super) fn entry(self, out: &mut String, key: &str, value: &Value, column: usize) {
        push_string(out, key, Context::Block);
        out.push(':');
        self.value(out, value, column);
    }

    /// The text after the colon of a key at the column.
    pub(super) fn value(self, out: &mut String, value: &Value, column: usize) {
        let inner = match value {
            Value::Object(map) if !map.is_empty() => column + self.step,
            Value::Array(items) if !items.is_empty() => column + self.dash,
            scalar => {
                out.push(' ');
                return self.scalar(out, scalar, column);
            }
        };
        new_line(out, inner);
        self.node(out, value, inner, column);
    }

    /// An item of a sequence, with its dash at the column.
    pub(super) fn item(self, out: &mut String, item: &Value, column: usize) {
        out.push_str("- ");
        self.node(out, item, column + 2, column);
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
                    let indentation = if line.is_empty() {
                        0
                    } else {
                        column + self.step
                    };
                    new_line(out, indentation);
                    out.push_str(line);
                }
                // The text after this scalar begins with the line break of its last line.
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

/// Whether a block can hold the text without an escape or an indentation indicator.
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

/// The surroundings of a scalar.
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
            let _ = write!(out, "{other}"); // writing to a String cannot fail
        }
    }
}

/// YAML 1.1 needs a point and a sign: it reads `1e300` as a string.
fn float(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text.to_owned();
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{mantissa}{point}e{sign}{exponent}")
}

pub(super) fn push_string(out: &mut String, text: &str, context: Context) {
    if context == Context::Json {
        out.push_str(&Value::from(text).to_string());
    } else if is_plain(text, context) {
        out.push_str(text);
    } else if text.starts_with(['{', '[']) && text.contains('"') && text.chars().all(printable) {
        // So JSON in a string needs no escapes.
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
            // JSON does not escape these, but YAML reads some of them as line breaks.
            let _ = write!(out, "\\u{:04x}", u32::from(char));
        }
    }
}

/// Characters that YAML 1.1 and 1.2 both allow without an escape, and that are no line breaks.
fn printable(char: char) -> bool {
    matches!(char,
        ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Whether every YAML parser reads the text without quotes as this string.
fn is_plain(text: &str, context: Context) -> bool {
    const INDICATORS: &str = "?:,[]{}#&*!|>'\"%@`=<~ ";
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return false;
    };
    let starts = if first == '-' {
        // A dash is safe before other text, as in a flag `--port`.
        let second = letters.next();
        context == Context::Block
            && second.is_some_and(|char| char.is_ascii_alphabetic() || char == '-')
    } else {
        !INDICATORS.contains(first)
    };
    starts
        && !text.ends_with([' ', ':'])
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(printable)
        && (context == Context::Block || !text.contains([',', '[', ']', '{', '}']))
        && !is_word(text)
        && !looks_like_number(text)
        && matches!(scalar::resolve(text), Some(Value::String(_)))
}

/// Words that some YAML parser reads as null or as a boolean.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Numbers, dates and times of some YAML parser, and some other text: unnecessary quotes do no harm.
fn looks_like_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '.']);
    let is_special = digits.eq_ignore_ascii_case("inf") || digits.eq_ignore_ascii_case("nan");
    let starts = digits.starts_with(|char: char| char.is_ascii_digit() || char == '_');
    let is_part = |char: char| char.is_ascii_hexdigit() || "xXoO_.:+-tTzZ ".contains(char);
    is_special || (starts && text.chars().all(is_part))
}
