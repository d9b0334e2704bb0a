//! Warnings and audit annotations, and which of them the API server drops.

use std::collections::{BTreeMap, BTreeSet};

/// The longest name of an audit annotation.
const MAX_KEY: usize = 63;

/// The warnings that the user receives; what is lost goes to `losses`. The API server also cuts warnings of more than 4096 characters
/// together (`pkg/endpoints/filters/warning.go`). That is left out, because those of the webhook have 600 at most.
pub(super) fn warnings(sent: Vec<String>, losses: &mut Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    // An empty or repeated warning does not count as lost.
    let new = sent
        .into_iter()
        .filter(|text| !text.is_empty() && seen.insert(text.clone()));
    let (lost, kept): (Vec<_>, Vec<_>) = new.partition(|text| text.chars().any(char::is_control));
    losses.extend(lost.into_iter().map(|text| format!(
        "the API server would drop the warning {text:?}, because it has a control character such as a line break"
    )));
    kept
}

/// The audit annotations that are recorded; the others go to `losses`.
pub(super) fn audit_annotations(
    sent: BTreeMap<String, String>,
    losses: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let (kept, lost): (BTreeMap<_, _>, BTreeMap<_, _>) =
        sent.into_iter().partition(|(key, _)| is_name(key));
    losses.extend(lost.into_keys().map(|key| format!(
        "the API server would not record the audit annotation {key:?}, because its key is not a name of at most {MAX_KEY} letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    )));
    kept
}

/// Whether the API server accepts the key, which follows the name of the webhook and a slash
/// ([syntax](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set)).
fn is_name(key: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = key.as_bytes();
    key.len() <= MAX_KEY
        && bytes.iter().all(|byte| is_inner(*byte))
        && [bytes.first(), bytes.last()]
            .iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
}
