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

/// What a template is filled from. A part that is not known makes what uses it unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) predictor: Option<&'a str>,
    pub(crate) container: Option<&'a str>,
}

/// Fills a template. The error is the placeholder that has no value here.
pub(crate) fn expand<'a>(template: &'a str, names: &Names<'_>) -> Result<Cow<'a, str>, &'a str> {
    let mut rest = template;
    let mut text = String::new();
    while let Some((before, placeholder, behind)) = split_template(rest) {
        let value = match placeholder {
            "namespace" => names.namespace,
            "name" => names.name,
            "predictor" => names.predictor,
            _ => names.container,
        };
        text.push_str(before);
        text.push_str(value.filter(|value| !value.is_empty()).ok_or(placeholder)?);
        rest = behind;
    }
    if text.is_empty() {
        return Ok(rest.into());
    }
    text.push_str(rest);
    Ok(text.into())
}

/// The template with every placeholder filled by a letter; nothing if one is not known.
pub(crate) fn sample(template: &str) -> Option<String> {
    let mut rest = template;
    let mut text = String::new();
    while let Some((before, placeholder, behind)) = split_template(rest) {
        if !PLACEHOLDERS.contains(&placeholder) {
            return None;
        }
        text.push_str(before);
        text.push('x');
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}
