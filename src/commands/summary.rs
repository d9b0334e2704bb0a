//! What `inject` and `uninject` did: a line for each `SeldonDeployment`, on standard error.

use super::messages::{plural, summary};
use crate::inject::explain::{ExplainedVariable, Explanation};
use crate::inject::{Change, Outcome, TargetKind, Task};

/// The lines, kept until the result is printed or written.
#[derive(Default)]
pub(super) struct Summary {
    lines: Vec<String>,
    injected: usize,
    removed: usize,
    would: bool,
}

impl Summary {
    /// Adds an object. `would` says that nothing is printed or written.
    pub(super) fn add(&mut self, explanation: &Explanation, task: Task<'_>, would: bool) {
        self.would = would;
        let be = if would { "would be " } else { "" };
        let targets = match explanation.outcome {
            Outcome::Injected => targets(explanation, |variable| variable.value.is_some()),
            Outcome::Removed => targets(explanation, |variable| variable.action == Change::Remove),
            _ => None,
        };
        let did = match (explanation.outcome, targets) {
            (Outcome::Injected, Some(targets)) => {
                self.injected += 1;
                format!("{be}injected into {targets}")
            }
            (Outcome::Removed, Some(targets)) => {
                self.removed += 1;
                format!("{be}removed from {targets}")
            }
            (Outcome::Unchanged, _) => "unchanged, already injected".to_owned(),
            _ if task == Task::Uninject => "skipped, nothing was injected".to_owned(),
            _ => format!("skipped, {}", reason(explanation)),
        };
        let namespace = explanation.namespace.iter().map(String::as_str);
        let name = explanation.name.as_deref().unwrap_or("(no name)");
        let name: Vec<_> = namespace.chain([name]).collect();
        self.lines.push(format!("{}: {did}", name.join("/")));
    }

    /// Prints the lines, and a total of several. `changed` says how many files were written, or would be.
    pub(super) fn say(&self, files: usize, changed: Option<&str>) {
        for line in &self.lines {
            summary(line);
        }
        if self.lines.is_empty() {
            summary("no SeldonDeployment found");
        }
        if self.lines.len() > 1 || changed.is_some() {
            let (inject, remove) = if self.would {
                ("to inject", "to remove")
            } else {
                ("injected", "removed")
            };
            summary(&format!(
                "{}, {}: {} {inject}, {} {remove}{}",
                plural(files, "file"),
                plural(self.lines.len(), "SeldonDeployment"),
                self.injected,
                self.removed,
                changed.unwrap_or_default(),
            ));
        }
    }
}

/// The first reason that is given for the whole object or a predictor.
fn reason(explanation: &Explanation) -> &'static str {
    let predictor = explanation.predictors.first().map(|it| it.reason.text());
    let note = explanation.notes.first().map(|note| note.text);
    predictor.or(note).unwrap_or("nothing in it is traced")
}

/// The targets with such a variable, in words: `2 containers and the orchestrator`.
fn targets(explanation: &Explanation, has: impl Fn(&ExplainedVariable) -> bool) -> Option<String> {
    let all = explanation.predictors.iter().flat_map(|it| &it.targets);
    let kinds: Vec<_> = all
        .filter(|target| target.variables.iter().any(&has))
        .map(|target| target.kind)
        .collect();
    let mut words = Vec::new();
    for kind in [
        TargetKind::Container,
        TargetKind::InitContainer,
        TargetKind::PrepackagedServer,
        TargetKind::Explainer,
        TargetKind::Orchestrator,
    ] {
        match kinds.iter().filter(|it| **it == kind).count() {
            0 => {}
            1 if kind == TargetKind::Orchestrator => words.push("the orchestrator".to_owned()),
            count => words.push(plural(count, &kind.code().replace('-', " "))),
        }
    }
    let last = words.pop()?;
    Some(if words.is_empty() {
        last
    } else {
        format!("{} and {last}", words.join(", "))
    })
}
