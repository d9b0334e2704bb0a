//! A plan as `explain` shows it. `docs/explain.md` documents the keys. New keys may be added; existing keys do not change.

use std::fmt;

use serde::Serialize;

use super::{
    Change, Choice, Note, Origin, Outcome, Plan, PredictorPlan, Reason, TargetKind, TargetPlan,
};

/// The tracing of one `SeldonDeployment`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `metadata.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `metadata.namespace`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The result of an injection.
    pub outcome: Outcome,
    /// Whether an injection changes the object.
    pub would_change: bool,
    /// Its predictors.
    pub predictors: Vec<ExplainedPredictor>,
    /// Problems and remarks, with their places.
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
    /// Whether an injection traces anything in it.
    pub traced: bool,
    /// The reason, as a code of `docs/reasons.md`.
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
    /// What kind of target it is.
    pub kind: TargetKind,
    /// The container's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its place.
    pub path: String,
    /// Why the whole target is left alone, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Reason>,
    /// Its variables.
    pub variables: Vec<ExplainedVariable>,
}

/// One variable of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedVariable {
    /// Its name.
    pub name: &'static str,
    /// What happens to it.
    pub action: Change,
    /// The injected value; never a user's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The layer of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// Why it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A problem or a remark.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedNote {
    /// The code of `docs/reasons.md`.
    pub reason: Reason,
    /// Whether the user should act on it.
    pub problem: bool,
    /// Its place.
    pub path: String,
    /// The line of the file, if there is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The reason in one line.
    pub text: &'static str,
    /// Details, such as the value that is wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

serialize_codes! { Change Origin Outcome Reason TargetKind }

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
    /// Explains a plan. `line_of` finds the line of a JSON pointer in the file, if there is a file.
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
        let action = *target.changes.get(variable);
        let (value, from, reason) = match choice {
            Choice::Set(value, origin) => (Some(value.text().to_owned()), Some(*origin), None),
            Choice::Leave(reason) if action == Change::Remove || target.left != Some(*reason) => {
                (None, None, Some(*reason))
            }
            Choice::None if action == Change::Remove => (None, None, target.left),
            Choice::Leave(_) | Choice::None => return None,
        };
        Some(ExplainedVariable {
            name: variable.name(),
            action,
            value,
            from,
            reason,
        })
    });
    ExplainedTarget {
        kind: target.kind,
        name: target.name.clone().into_owned(),
        path: target.place.to_string(),
        left: target.left,
        variables: variables.collect(),
    }
}
