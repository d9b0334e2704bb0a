//! The types of the decision.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::layers::Origin;
use super::notes::Note;
use super::patch::{NewValue, Op, Ops};
use super::reason::Reason;
use super::trigger::Asker;
use crate::config::setting::{RECORD, RESYNC};
use crate::jaeger::{EnvSet, EnvValue, PerVariable, Variable};
use crate::seldon::Place;

/// The inputs of a decision besides the object.
#[derive(Clone, Copy, Default)]
pub struct Context<'c> {
    /// The namespace of an object that names none.
    pub namespace: Option<&'c str>,
    /// Whether the namespace turns tracing on by default (label `tracing=enabled`).
    pub namespace_default: bool,
    /// What is to be done.
    pub task: Task<'c>,
    /// How the nulls of the object are spelled, by their JSON pointers, if it comes from a text.
    pub nulls: Option<Nulls<'c>>,
}

/// The spelling of the null at a JSON pointer into an object, if it is known.
pub type Nulls<'c> = &'c dyn Fn(&str) -> Option<&'static str>;

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task<'c> {
    /// What its annotations ask for.
    #[default]
    Follow,
    /// The same, but an object with a record is decided as if its stored version were written without a change. The labels of its
    /// namespace are unknown: the record shows whether the namespace asked for tracing.
    Stored,
    /// The same, with known labels of the namespace.
    Live,
    /// What its annotations ask for, with a trigger of that value written where there is none.
    Trigger(&'c str),
    /// Everything of ours is removed; the annotations do not matter.
    Uninject,
}

impl<'c> Task<'c> {
    /// The trigger that is to be written.
    pub(crate) const fn trigger(self) -> Option<&'c str> {
        match self {
            Self::Trigger(value) => Some(value),
            Self::Follow | Self::Stored | Self::Live | Self::Uninject => None,
        }
    }
}

table! {
    /// The result of the decision for an object.
    pub enum Outcome
    /// The stable name in `explain`, metrics and audit annotations.
    pub fn code -> &'static str {
        /// Variables were added.
        Injected = "injected",
        /// Variables of ours were removed, and none was added.
        Removed = "removed",
        /// It is traced, and nothing changes.
        Unchanged = "unchanged",
        /// Tracing is asked for, and the user set the variables by hand.
        TracedByHand = "traced-by-hand",
        /// Tracing is asked for, and the user turned it off in each target.
        UserDisabled = "user-disabled",
        /// Tracing is asked for, and nothing in the object can be traced.
        NothingToTrace = "nothing-to-trace",
        /// Tracing is not asked for, or not possible.
        Skipped = "skipped",
    }
}

/// One predictor in the plan.
#[derive(Clone, Debug)]
pub struct PredictorPlan<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Its index.
    pub index: usize,
    /// Whether it is traced after the patch.
    pub traced: bool,
    /// Why it is traced, or why not.
    pub reason: Reason,
    /// The profile that its trigger names.
    pub profile: Option<&'a str>,
    /// What asks for its tracing, if anything does.
    pub asked_by: Option<Asker>,
}

/// The decision for one object.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The result for the object as a whole.
    pub outcome: Outcome,
    /// Its predictors.
    pub predictors: Vec<PredictorPlan<'a>>,
    /// Its targets, in the order of the object.
    pub targets: Vec<TargetPlan<'a>>,
    /// The reasons for the decision, with their places.
    pub notes: Vec<Note<'a>>,
    pub(crate) ops: Vec<Op<'a>>,
}

impl Plan<'_> {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// How many operations the patch has.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.ops.len()
    }

    /// Whether the patch changes the spec, and not just the annotations.
    pub(crate) fn changes_spec(&self) -> bool {
        self.ops.iter().any(Op::is_in_spec)
    }

    /// Whether something goes from a predictor because no annotation asks for it.
    pub(crate) fn loses_what_nothing_asks_for(&self) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| {
            let goes = |(_, change): (Variable, &Change)| *change == Change::Remove;
            target.left == Some(Reason::NoTrigger) && target.changes.iter().any(goes)
        })
    }

    /// The names of the variables that it changes in some target.
    pub(crate) fn changed_variables(&self) -> Vec<&'static str> {
        let is_changed = |variable: &Variable| {
            let mut targets = self.targets.iter();
            targets.any(|it| !matches!(it.changes.get(*variable), Change::None | Change::Keep))
        };
        let changed = Variable::ALL.into_iter().filter(is_changed);
        changed.map(Variable::name).collect()
    }

    /// Adds a note on the record.
    pub(crate) fn add_note(&mut self, reason: Reason, detail: String) {
        self.notes.push(Note {
            reason,
            place: Place::Annotation(RECORD),
            detail: detail.into(),
        });
    }

    /// Writes the patch as JSON, behind what is already in `out`. It applies to the object that the plan was made from.
    ///
    /// # Errors
    /// An operation that cannot be written. What is in `out` then must not be used: a patch is never sent in part.
    pub fn write_patch(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(out, &Ops(&self.ops))
    }

    /// The same without the nulls that the patch puts back. The API server drops nulls where it decodes a request; those of a webhook would
    /// meet the schema, which refuses them.
    #[must_use]
    pub fn without_nulls(mut self) -> Self {
        for op in &mut self.ops {
            if let Op::Add(place, NewValue::Null(_)) = *op {
                *op = Op::Remove(place);
            }
        }
        self
    }

    /// The same with the request for a new decision taken out of the object, so that the next write does not decide anew again.
    #[must_use]
    pub fn without_request(mut self) -> Self {
        if self.notes.iter().any(|it| it.reason == Reason::Resync) {
            self.ops.push(Op::Remove(Place::Annotation(RESYNC)));
        }
        self
    }

    /// How the nulls are spelled that the patch puts back, by their JSON pointers.
    #[must_use]
    pub fn nulls(&self) -> BTreeMap<String, &'static str> {
        let nulls = self.ops.iter().filter_map(|op| match op {
            Op::Add(place, NewValue::Null(text)) => Some((place.pointer(), *text)),
            _ => None,
        });
        nulls.collect()
    }

    /// The same patch in the types of the `json-patch` crate.
    ///
    /// # Errors
    /// See [`Plan::write_patch`].
    pub fn patch(&self) -> Result<json_patch::Patch, serde_json::Error> {
        let mut text = Vec::new();
        self.write_patch(&mut text)?;
        serde_json::from_slice(&text)
    }
}

table! {
    /// The kinds of targets.
    pub enum TargetKind
    /// The stable name in `explain`, metrics and audit annotations.
    pub fn code -> &'static str {
        /// A container of the manifest.
        Container = "container",
        /// An init container of the manifest.
        InitContainer = "init-container",
        /// The orchestrator of a predictor.
        Orchestrator = "orchestrator",
        /// A prepackaged server that has no container in the manifest but the stub that we add.
        PrepackagedServer = "prepackaged-server",
        /// The explainer of a predictor.
        Explainer = "explainer",
    }
}

table! {
    /// What happens to a variable of ours.
    #[derive(Default)]
    pub enum Change
    /// The stable name in `explain`.
    pub fn code -> &'static str {
        /// It is absent and stays absent.
        #[default]
        None = "leave",
        /// It is added.
        Add = "add",
        /// It has an earlier value of ours, which is replaced.
        Replace = "replace",
        /// It has the right value and stays.
        Keep = "keep",
        /// It is removed.
        Remove = "remove",
    }
}

/// The decision for one target.
#[derive(Clone, Debug)]
pub struct TargetPlan<'a> {
    /// What kind of target it is.
    pub kind: TargetKind,
    /// Where it stands; for a stub that is added, where it will stand.
    pub place: Place<'a>,
    /// Index of its predictor.
    pub predictor: usize,
    /// Name of the container, or nothing for an orchestrator.
    pub name: Cow<'a, str>,
    /// Why the target as a whole is left alone, if it is.
    pub left: Option<Reason>,
    /// What is done about each variable.
    pub choices: Choices<'a>,
    /// What happens to each variable of ours.
    pub changes: PerVariable<Change>,
}

/// What is done about one variable of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice<'a> {
    /// There is nothing to say about it here.
    #[default]
    None,
    /// It is ours.
    Set(EnvValue<'a>, Origin),
    /// It is left alone.
    Leave(Reason),
}

impl Choice<'_> {
    /// Whether the user set the variable.
    pub(crate) const fn is_by_hand(&self) -> bool {
        matches!(
            self,
            Self::Leave(Reason::UserSet | Reason::UserChanged | Reason::EngineAnnotation)
        )
    }
}

/// The choices of one target.
pub type Choices<'a> = PerVariable<Choice<'a>>;

impl<'a> Choices<'a> {
    /// The same reason for every variable.
    pub(crate) fn all_left(reason: Reason) -> Self {
        let mut choices = Self::default();
        for variable in Variable::ALL {
            *choices.get_mut(variable) = Choice::Leave(reason);
        }
        choices
    }

    /// Only what is set.
    pub(crate) fn set(&self) -> EnvSet<'a> {
        let mut set = EnvSet::default();
        for (variable, choice) in self.iter() {
            if let Choice::Set(value, _) = choice {
                *set.get_mut(variable) = Some(value.clone());
            }
        }
        set
    }
}
