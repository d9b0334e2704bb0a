//! A plan in words: what `explain` shows. The shape is documented in `docs/explain.md` and does not change but by additions. Pure.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Change, Choice, Note, Outcome, Plan, PredictorPlan, Reason, TargetPlan};

/// Everything that is known about the tracing of one `SeldonDeployment`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `metadata.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `metadata.namespace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `injected`, `removed`, `unchanged` or `skipped`: what an injection does to the object.
    #[serde(serialize_with = "code")]
    pub outcome: Outcome,
    /// Whether an injection changes the object.
    pub would_change: bool,
    /// Its predictors.
    pub predictors: Vec<ExplainedPredictor>,
    /// What else was met, with its place.
    pub notes: Vec<ExplainedNote>,
}

/// One predictor.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedPredictor {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its place.
    pub path: String,
    /// Whether anything in it is traced by us after an injection.
    pub traced: bool,
    /// Why, as a code of `docs/reasons.md`.
    pub reason: Reason,
    /// The profile that its trigger names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Its targets.
    pub targets: Vec<ExplainedTarget>,
}

/// One target.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedTarget {
    /// `container`, `init-container`, `orchestrator`, `prepackaged-server` or `explainer`.
    pub kind: &'static str,
    /// The container's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its place.
    pub path: String,
    /// Why it is left alone as a whole, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Reason>,
    /// Its variables.
    pub variables: Vec<ExplainedVariable>,
}

/// One variable of a target.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedVariable {
    /// Its name.
    pub name: &'static str,
    /// `add`, `keep`, `remove` or `leave`.
    pub action: &'static str,
    /// Our value; never the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The layer that our value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'static str>,
    /// Why it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Something that was met.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedNote {
    /// The code of `docs/reasons.md`.
    pub reason: Reason,
    /// Whether somebody should do something about it.
    pub problem: bool,
    /// Its place.
    pub path: String,
    /// The line of the file, where there is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The reason in one line.
    pub text: &'static str,
    /// The particular.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

fn code<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.code())
}

impl fmt::Display for ExplainedNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.text)?;
        if !self.detail.is_empty() {
            write!(formatter, " ({})", self.detail)?;
        }
        write!(formatter, " [{}]", self.reason.code())
    }
}

impl Explanation {
    /// Puts a plan into words. `line_of` finds the line of a JSON pointer in the file, where there is one.
    #[must_use]
    pub fn of(
        plan: &Plan<'_>,
        name: Option<&str>,
        namespace: Option<&str>,
        line_of: impl Fn(&str) -> Option<usize>,
    ) -> Self {
        let predictor = |predictor: &PredictorPlan<'_>| ExplainedPredictor {
            name: predictor.name.map(str::to_owned),
            path: format!("spec.predictors[{}]", predictor.index),
            traced: predictor.traced,
            reason: predictor.reason,
            profile: predictor.profile.map(str::to_owned),
            targets: plan
                .targets
                .iter()
                .filter(|target| target.predictor == predictor.index)
                .map(target)
                .collect(),
        };
        let note = |note: &Note<'_>| ExplainedNote {
            reason: note.reason,
            problem: note.reason.is_problem(),
            path: note.place.to_string(),
            line: line_of(&note.place.pointer()),
            text: note.reason.text(),
            detail: note.detail.clone().into_owned(),
        };
        Self {
            name: name.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            outcome: plan.outcome,
            would_change: !plan.is_empty(),
            predictors: plan.predictors.iter().map(predictor).collect(),
            notes: plan.notes.iter().map(note).collect(),
        }
    }
}

fn target(target: &TargetPlan<'_>) -> ExplainedTarget {
    let variables = target.choices.iter().filter_map(|(variable, choice)| {
        let change = *target.changes.get(variable);
        let name = variable.name();
        Some(match (choice, change) {
            (Choice::Set(value, origin), _) => ExplainedVariable {
                name,
                action: if change == Change::Keep {
                    "keep"
                } else {
                    "add"
                },
                value: Some(value.text().to_owned()),
                from: Some(origin.code()),
                reason: None,
            },
            (_, Change::Remove) => ExplainedVariable {
                name,
                action: "remove",
                value: None,
                from: None,
                reason: match choice {
                    Choice::Leave(reason) => Some(*reason),
                    _ => target.left,
                },
            },
            (Choice::Leave(reason), _) if target.left != Some(*reason) => ExplainedVariable {
                name,
                action: "leave",
                value: None,
                from: None,
                reason: Some(*reason),
            },
            _ => return None,
        })
    });
    ExplainedTarget {
        kind: target.kind.code(),
        name: target.name.clone().into_owned(),
        path: target.place.to_string(),
        left: target.left,
        variables: variables.collect(),
    }
}
