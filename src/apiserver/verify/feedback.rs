//! Warnings and audit annotations, and which of them the API server drops.

use std::collections::{BTreeMap, BTreeSet};

/// The most characters of all warnings together before each is cut: `pkg/endpoints/filters/warning.go` of kube-apiserver.
const ALL_WARNINGS: usize = 4096;

/// The length to which they are cut, in characters.
const CUT_WARNING: usize = 256;

/// The longest name of an audit annotation.
const MAX_KEY: usize = 63;

/// The warnings that the user receives; what is lost goes to `losses`.
pub(super) fn warnings(sent: Vec<String>, losses: &mut Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<String> = Vec::new();
    let mut written = 0;
    let mut cutting = false;
    for text in sent {
        // An empty or repeated warning is no loss.
        if text.is_empty() || !seen.insert(text.clone()) {
            continue;
        }
        if text.chars().any(char::is_control) {
            losses.push(dropped(
                &text,
                "it has a control character such as a line break",
            ));
            continue;
        }
        if cutting && written >= ALL_WARNINGS {
            losses.push(dropped(
                &text,
                "the warnings before it leave no room for it",
            ));
            continue;
        }
        written += text.chars().count();
        kept.push(text);
        if !cutting && written > ALL_WARNINGS {
            cutting = true;
            written = kept.iter_mut().map(|text| cut(text, losses)).sum();
        } else if cutting && let Some(last) = kept.last_mut() {
            written -= last.chars().count();
            written += cut(last, losses);
        }
    }
    kept
}

fn dropped(warning: &str, why: &str) -> String {
    format!("the API server would drop the warning {warning:?}, because {why}")
}

/// Cuts a warning, and returns its new length.
fn cut(text: &mut String, losses: &mut Vec<String>) -> usize {
    if let Some((end, _)) = text.char_indices().nth(CUT_WARNING) {
        text.truncate(end);
        losses.push(format!(
            "the API server would cut a warning to {CUT_WARNING} characters, because all warnings together have more than {ALL_WARNINGS}: {text:?}"
        ));
    }
    text.chars().count()
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
