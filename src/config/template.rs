//! Templates of settings: text with `{namespace}`, `{name}`, `{predictor}` and `{container}` in it.

use std::borrow::Cow;

/// The placeholders of a template.
const PLACEHOLDERS: [&str; 4] = ["namespace", "name", "predictor", "container"];

/// A template split at its first placeholder: text before, name of the placeholder, text behind.
fn split_template(text: &str) -> Option<(&str, &str, &str)> {
    // `${VAR:default}` is the clients' own form and no placeholder.
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        if text[..open].ends_with('$') {
            from = open + 1;
            continue;
        }
        let close = text[open..].find('}')? + open;
        return Some((&text[..open], &text[open + 1..close], &text[close + 1..]));
    }
    None
}

/// The longest text that a template may become, in bytes.
pub(crate) const MAX_EXPANDED: usize = 4096;

/// The names that fill a template. A placeholder for an unknown name makes the whole text unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) predictor: Option<&'a str>,
    pub(crate) container: Option<&'a str>,
}

/// The most placeholders that a template may have.
pub(crate) const MAX_PLACEHOLDERS: usize = 16;

/// Why a template has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved<'a> {
    /// The placeholder has no value here.
    Unknown(&'a str),
    /// The value would be longer than the caller can use.
    TooLong,
}

/// Fills a template with at most `most` bytes.
///
/// # Errors
/// A placeholder without a value, or a longer text. The length is looked at before anything is copied: names may have megabytes.
pub(crate) fn expand<'a>(
    template: &'a str,
    names: &Names<'_>,
    most: usize,
) -> Result<Cow<'a, str>, Unresolved<'a>> {
    let mut rest = template;
    let mut text = String::new();
    while let Some((before, placeholder, behind)) = split_template(rest) {
        let value = match placeholder {
            "namespace" => names.namespace,
            "name" => names.name,
            "predictor" => names.predictor,
            _ => names.container,
        };
        let value = value
            .filter(|value| !value.is_empty())
            .ok_or(Unresolved::Unknown(placeholder))?;
        if text.len() + before.len() + value.len() > most {
            return Err(Unresolved::TooLong);
        }
        text.push_str(before);
        text.push_str(value);
        rest = behind;
    }
    if text.is_empty() {
        return Ok(rest.into());
    }
    if text.len() + rest.len() > most {
        return Err(Unresolved::TooLong);
    }
    text.push_str(rest);
    Ok(text.into())
}

/// The template with every placeholder filled by a letter; nothing if a placeholder is not known, or if there are too many.
pub(crate) fn sample(template: &str) -> Option<String> {
    let mut rest = template;
    let mut text = String::new();
    let mut count = 0;
    while let Some((before, placeholder, behind)) = split_template(rest) {
        count += 1;
        if !PLACEHOLDERS.contains(&placeholder) || count > MAX_PLACEHOLDERS {
            return None;
        }
        text.push_str(before);
        text.push('x');
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}
