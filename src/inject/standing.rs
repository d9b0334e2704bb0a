//! Compares a stored object with the tracing that it asks for: `status` shows the result, `resync` and the controller act on it.

use std::fmt::Write;

use super::object::Stored;
use super::plan::{Change, Context, Outcome, Plan, TargetPlan, Task};
use super::reason::Reason;
use super::trigger::Asker;
use crate::config::Config;
use crate::jaeger::Variable;
use crate::seldon::SeldonDeployment;

table! {
    /// How a stored object compares with the tracing that it asks for. If several apply, the first one is reported.
    pub enum Standing
    /// The stable name in `status` and metrics.
    pub fn code -> &'static str {
        /// It asks for tracing and lacks it. The next write adds it, and so does the controller.
        Missing = "missing",
        /// Nothing asks for tracing, and it still has what was injected. The next write removes it, and so does the controller.
        Leftover = "leftover",
        /// It is traced with other values than the current config and its annotations give. `resync` brings it up to date.
        Outdated = "outdated",
        /// It needs attention, for example because an annotation is not valid.
        Problem = "problem",
        /// It is traced and up to date.
        Traced = "traced",
        /// The user set the variables.
        TracedByHand = "traced-by-hand",
        /// Nothing asks for tracing, or nothing in it can be traced.
        Off = "off",
    }
}

serialize_codes! { Standing }

/// What a namespace says about tracing by its labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// It cannot be read: only the object's record shows its effect.
    #[default]
    Unknown,
    /// Tracing is off unless an annotation asks for it.
    Off,
    /// Tracing is on unless an annotation turns it off.
    On,
    /// The webhook is not called for it.
    Excluded,
}

/// The assessment of a stored object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Its standing.
    pub standing: Standing,
    /// What asks for the tracing of its predictors.
    pub asked_by: Vec<Asker>,
    /// How many targets have the variables, injected or set by the user.
    pub traced: usize,
    /// How many have them or should.
    pub targets: usize,
    /// How many problems it has, with any standing.
    pub problems: usize,
    /// The reason for its standing, for people; empty for an object that is traced and up to date.
    pub why: String,
}

/// Assesses a stored object, given as the API server's JSON.
///
/// # Errors
/// Only for text that is not JSON.
pub fn assess(
    json: &[u8],
    config: &Config,
    namespace: Namespace,
) -> Result<Assessment, serde_json::Error> {
    let object = SeldonDeployment::from_json(json)?;
    let context = Context {
        namespace_default: namespace == Namespace::On,
        task: namespace.task(),
        ..Context::default()
    };
    let mut assessment = Assessment::of(&Stored::of(&object, config, &context));
    let acts = matches!(
        assessment.standing,
        Standing::Missing | Standing::Leftover | Standing::Outdated
    );
    if namespace == Namespace::Excluded && acts {
        assessment.standing = Standing::Problem;
        assessment.why = Namespace::why_excluded("this namespace");
    }
    Ok(assessment)
}

impl Namespace {
    /// The task with which `explain` decides an object of this namespace.
    #[must_use]
    pub const fn task(self) -> Task<'static> {
        match self {
            Self::Unknown => Task::Stored,
            Self::Off | Self::On | Self::Excluded => Task::Live,
        }
    }

    /// Why nothing is changed in a namespace that is excluded, for people.
    pub(crate) fn why_excluded(which: &str) -> String {
        format!(
            "the webhook is not called for {which}: it has the label tracing.seldon.io/disabled=true, or is a system namespace or the webhook's own"
        )
    }
}

impl Assessment {
    fn of(stored: &Stored<'_>) -> Self {
        let fresh = &stored.fresh;
        let written = stored.kept.as_ref().unwrap_or(fresh);
        let mut asked_by: Vec<_> = fresh
            .predictors
            .iter()
            .filter_map(|it| it.asked_by)
            .collect();
        asked_by.sort_unstable();
        asked_by.dedup();
        let traced = fresh.targets.iter().filter(|it| is_traced(it)).count();
        let targets = fresh.targets.iter();
        let targets = targets
            .filter(|it| is_traced(it) || has(it, Change::Add))
            .count();
        let standing = standing(fresh, written, traced);
        Self {
            standing,
            asked_by,
            traced,
            targets,
            problems: fresh.problems().count(),
            why: why(standing, fresh, written),
        }
    }
}

fn standing(fresh: &Plan<'_>, written: &Plan<'_>, traced: usize) -> Standing {
    let adds = |plan: &Plan<'_>| plan.targets.iter().any(|it| has(it, Change::Add));
    let asks = fresh.predictors.iter().any(|it| it.asked_by.is_some());
    let goes = written.targets.iter().any(is_leftover);
    if adds(written) || (traced == 0 && adds(fresh)) {
        Standing::Missing
    } else if goes || (!asks && !written.is_empty()) {
        Standing::Leftover
    } else if fresh.changes_spec() || written.changes_spec() {
        Standing::Outdated
    } else if fresh.problems().next().is_some() {
        Standing::Problem
    } else if fresh.outcome == Outcome::TracedByHand {
        Standing::TracedByHand
    } else if traced > 0 {
        Standing::Traced
    } else {
        Standing::Off
    }
}

fn has(target: &TargetPlan<'_>, wanted: Change) -> bool {
    target.changes.iter().any(|(_, change)| *change == wanted)
}

/// Whether the target has variables now: ours, or the user's that turn tracing on.
fn is_traced(target: &TargetPlan<'_>) -> bool {
    let ours = |change| matches!(change, Change::Keep | Change::Replace | Change::Remove);
    let by_hand = |variable| target.choices.get(variable).is_by_hand();
    target.changes.iter().any(|(_, change)| ours(*change))
        || [Variable::Tracing, Variable::OtlpEndpoint]
            .into_iter()
            .any(by_hand)
}

/// Whether something of ours is removed, because nothing asks for it.
fn is_leftover(target: &TargetPlan<'_>) -> bool {
    let is_off = matches!(target.left, Some(Reason::NoTrigger | Reason::OptedOut));
    is_off && has(target, Change::Remove)
}

/// How many targets the reason names.
const SHOWN: usize = 3;

fn why(standing: Standing, fresh: &Plan<'_>, written: &Plan<'_>) -> String {
    match standing {
        Standing::Missing => {
            let plan = if written.targets.iter().any(|it| has(it, Change::Add)) {
                written
            } else {
                fresh
            };
            let lacking = plan.targets.iter().filter(|it| has(it, Change::Add));
            format!("no variables in {}", names(lacking))
        }
        Standing::Outdated => match fresh.changed_variables().as_slice() {
            [] => "a different ConfigMap would be mounted".to_owned(),
            changed => format!("{} would change", changed.join(", ")),
        },
        Standing::Problem => {
            let problem = fresh.problems().next();
            problem.map_or_else(String::new, ToString::to_string)
        }
        Standing::Traced => String::new(),
        Standing::Leftover | Standing::TracedByHand | Standing::Off => {
            let predictor = fresh.predictors.first().map(|it| it.reason);
            let note = || fresh.notes.first().map(|note| note.reason);
            let reason = predictor.or_else(note);
            reason.map_or_else(String::new, |reason| reason.text().to_owned())
        }
    }
}

/// The targets in words: `model, the orchestrator and 2 more`.
fn names<'t, 'v: 't>(targets: impl Iterator<Item = &'t TargetPlan<'v>>) -> String {
    let (mut text, mut more) = (String::new(), 0);
    for (at, target) in targets.enumerate() {
        if at >= SHOWN {
            more += 1;
            continue;
        }
        let comma = if at > 0 { ", " } else { "" };
        let name = match &*target.name {
            "" => target.kind.code(),
            name => name,
        };
        // Writing into a String cannot fail.
        let _ = write!(text, "{comma}{name}");
    }
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}
