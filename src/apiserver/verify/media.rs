//! Media types, as Go's `mime.ParseMediaType` takes them: any that can be parsed is accepted.

use std::collections::BTreeSet;

/// Whether the API server could parse the `Content-Type`.
pub(super) fn is_media_type(text: &str) -> bool {
    let (kind, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
    let mut names = kind.trim().split('/');
    let is_type = names.next().is_some_and(is_token)
        && names.next().is_none_or(is_token)
        && names.next().is_none();
    if !is_type {
        return false;
    }
    let mut seen = BTreeSet::new();
    while !rest.trim().is_empty() {
        let Some((name, after)) = parameter(rest) else {
            // One semicolon too many is forgiven.
            return rest.trim() == ";";
        };
        // Go keeps the first of two equal parameters and fails on two that differ; nobody sends either.
        if !seen.insert(name.to_ascii_lowercase()) {
            return false;
        }
        rest = after;
    }
    true
}

/// The name of the parameter at the front, and what follows its value.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix(';')?.trim_start();
    let (name, value) = text.split_once('=')?;
    if !is_token(name) {
        return None;
    }
    let rest = if let Some(quoted) = value.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        })?;
        quoted.get(end + 1..)?
    } else {
        let end = value
            .find(|letter| !is_token_letter(letter))
            .unwrap_or(value.len());
        if end == 0 {
            return None;
        }
        value.get(end..)?
    };
    Some((name, rest))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_letter)
}

fn is_token_letter(letter: char) -> bool {
    letter.is_ascii_graphic() && !r#"()<>@,;:\"/[]?="#.contains(letter)
}
