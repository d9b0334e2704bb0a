//! Warnings and audit annotations, and which of them the API server drops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The most characters of all warnings together before each is cut: `pkg/endpoints/filters/warning.go` of kube-apiserver.
const ALL_WARNINGS: usize = 4096;

/// The length to which they are cut, in characters.
const CUT_WARNING: usize = 256;

/// The longest name of an audit annotation.
const MAX_KEY: usize = 63;

/// Something that the API server drops from an answer in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A warning that the user does not receive.
    Warning {
        /// The warning.
        text: String,
        /// The reason.
        why: &'static str,
    },
    /// A warning that the user receives without its end.
    CutWarning {
        /// What is left of it.
        text: String,
    },
    /// An audit annotation that is not recorded.
    AuditAnnotation {
        /// Its key.
        key: String,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning { text, why } => write!(
                f,
                "the API server would drop the warning {text:?}, because {why}"
            ),
            Self::CutWarning { text } => write!(
                f,
                "the API server would cut a warning to {CUT_WARNING} characters, because all warnings together have more than {ALL_WARNINGS}: {text:?}"
            ),
            Self::AuditAnnotation { key } => write!(
                f,
                "the API server would not record the audit annotation {key:?}, because its key is not a name of at most {MAX_KEY} letters, digits, '-', '_' and '.', with a letter or digit at both ends"
            ),
        }
    }
}

/// The warnings that the user receives; what is lost goes to `losses`.
pub(super) fn warnings(sent: Vec<String>, losses: &mut Vec<Loss>) -> Vec<String> {
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
            let why = "it has a control character such as a line break";
            losses.push(Loss::Warning { text, why });
            continue;
        }
        if cutting && written >= ALL_WARNINGS {
            let why = "the warnings before it leave no room for it";
            losses.push(Loss::Warning { text, why });
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

/// Cuts a warning, and returns its new length.
fn cut(text: &mut String, losses: &mut Vec<Loss>) -> usize {
    if let Some((end, _)) = text.char_indices().nth(CUT_WARNING) {
        text.truncate(end);
        losses.push(Loss::CutWarning { text: text.clone() });
    }
    text.chars().count()
}

/// The audit annotations that are recorded; the others go to `losses`.
pub(super) fn audit_annotations(
    sent: BTreeMap<String, String>,
    losses: &mut Vec<Loss>,
) -> BTreeMap<String, String> {
    let (kept, lost): (BTreeMap<_, _>, BTreeMap<_, _>) =
        sent.into_iter().partition(|(key, _)| is_name(key));
    losses.extend(lost.into_keys().map(|key| Loss::AuditAnnotation { key }));
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
