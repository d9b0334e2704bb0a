//! The feedback of a decision: warnings that kubectl prints, and annotations of the audit log.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::inject::notes::Note;
use crate::inject::plan::Plan;
use crate::inject::plan::{Change, TargetKind};

/// The most warnings that one answer carries.
pub const MAX_WARNINGS: usize = 5;

/// The longest warning, in bytes.
pub const MAX_WARNING: usize = 119;

/// Printable ASCII, one character longer than a warning at most. A user can give an annotation a name of megabytes.
struct Line(String);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if self.0.len() > MAX_WARNING {
                return Err(fmt::Error);
            }
            let shown = letter.is_ascii_graphic() || letter == ' ';
            self.0.push(if shown { letter } else { '?' });
        }
        Ok(())
    }
}

impl Note<'_> {
    /// The note in one line of at most [`MAX_WARNING`] printable ASCII characters, as the API server passes it on to kubectl
    /// (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>).
    #[must_use]
    pub fn warning(&self) -> String {
        let mut line = Line(String::new());
        // It fails where the line is full.
        let _ = write!(line, "{self}");
        let Line(mut line) = line;
        if line.len() > MAX_WARNING {
            line.truncate(MAX_WARNING - 3);
            line.push_str("...");
        }
        line
    }
}

/// The annotations of one decision in the API server's audit log. Keys are plain names, values a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditAnnotations {
    /// The code of the outcome.
    pub outcome: &'static str,
    /// The codes of the reasons, separated by commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reasons: String,
    /// How many targets of each kind have variables of ours, as `container=2`, separated by commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub targets: String,
}

impl Plan<'_> {
    /// The notes that the user or the admin should act on.
    pub fn problems(&self) -> impl Iterator<Item = &Note<'_>> {
        self.notes.iter().filter(|note| note.reason.is_problem())
    }

    /// The warnings of an admission response: at most [`MAX_WARNINGS`], the last of which counts the rest. The API server drops a
    /// repeated warning, so notes that read alike, such as those about two containers of one name, share one.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = Vec::new();
        let mut rest = 0;
        for note in self.problems() {
            if warnings.len() == MAX_WARNINGS {
                rest += 1;
                continue;
            }
            let warning = note.warning();
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        if let Some(last) = warnings.last_mut().filter(|_| rest > 0) {
            *last = format!(
                "{} more; seldon-tracing explain lists all of them",
                rest + 1
            );
        }
        warnings
    }

    /// The audit annotations of an admission response.
    #[must_use]
    pub fn audit_annotations(&self) -> AuditAnnotations {
        let mut reasons: Vec<&str> = self.notes.iter().map(|note| note.reason.code()).collect();
        reasons.extend(
            self.predictors
                .iter()
                .map(|predictor| predictor.reason.code()),
        );
        reasons.sort_unstable();
        reasons.dedup();
        let mut targets = String::new();
        for kind in TargetKind::ALL {
            let count = self.traced_targets(kind);
            if count > 0 {
                let comma = if targets.is_empty() { "" } else { "," };
                // Writing into a String cannot fail.
                let _ = write!(targets, "{comma}{}={count}", kind.code());
            }
        }
        AuditAnnotations {
            outcome: self.outcome.code(),
            reasons: reasons.join(","),
            targets,
        }
    }

    /// How many targets of a kind hold variables of ours after the patch.
    #[must_use]
    pub fn traced_targets(&self, kind: TargetKind) -> usize {
        self.targets
            .iter()
            .filter(|target| target.kind == kind)
            .filter(|target| {
                target
                    .changes
                    .iter()
                    .any(|(_, change)| !matches!(change, Change::None | Change::Remove))
            })
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::inject::{Context, Place, Reason, SeldonDeployment, plan};

    #[test]
    fn a_warning_is_one_short_line_of_ascii() {
        let note = Note {
            reason: Reason::UnknownTriggerValue,
            place: Place::Annotation("tracing"),
            detail: "\u{7}\u{1b}[31mé\n".repeat(99).into(),
        };
        let warning = note.warning();
        assert!(
            warning.starts_with("unknown-trigger-value: metadata.annotations.tracing: "),
            "{warning}"
        );
        assert!(
            warning.len() == MAX_WARNING && warning.ends_with("..."),
            "{warning}"
        );
        assert!(
            warning.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{warning}"
        );
    }

    #[test]
    fn there_are_at_most_five_warnings_and_the_last_counts_the_rest() {
        let predictors =
            (0..7).map(|at| format!(r#"{{"name":"p{at}","annotations":{{"tracing":"yes"}}}}"#));
        let json = format!(
            r#"{{"metadata":{{}},"spec":{{"predictors":[{}]}}}}"#,
            predictors.collect::<Vec<_>>().join(",")
        );
        let object = SeldonDeployment::from_json(json.as_bytes()).unwrap();
        let config = Config::default();
        let plan = plan(&object, None, &config, &Context::default());
        let warnings = plan.warnings();
        assert_eq!(warnings.len(), MAX_WARNINGS);
        assert_eq!(
            warnings[4],
            "3 more; seldon-tracing explain lists all of them"
        );
        let audit = plan.audit_annotations();
        assert_eq!(
            (audit.outcome, &*audit.reasons, &*audit.targets),
            ("skipped", "unknown-trigger-value", "")
        );
    }

    #[test]
    fn notes_that_read_alike_share_one_warning() {
        // More notes come first than `Notes` compares a new one with.
        let nodes = r#"{"name":"a","implementation":"SIMPLE_MODEL"},"#.repeat(20);
        let nameless = r#"{"implementation":"SKLEARN_SERVER"}"#;
        let json = format!(
            r#"{{"metadata":{{"annotations":{{"tracing":"true"}}}},"spec":{{"predictors":[
            {{"name":"p","graph":{{"name":"a","children":[{nodes}{nameless},{nameless}]}}}}]}}}}"#
        );
        let object = SeldonDeployment::from_json(json.as_bytes()).unwrap();
        let config = Config::default();
        let plan = plan(&object, None, &config, &Context::default());
        assert_eq!(plan.problems().count(), 2);
        assert_eq!(plan.warnings().len(), 1, "{:?}", plan.warnings());
    }
}
