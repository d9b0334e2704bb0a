//! What a decision reads, and the draft that it writes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use indexmap::IndexSet;

use super::bounds::MAX_ADDED;
use super::engine::EngineVariables;
use super::layers::Resolved;
use super::notes::Notes;
use super::ownership::mount::is_our_volume;
use super::ownership::record::{Before, MAX_RECORD, PredictorRecord, Record, spelling};
use super::ownership::roster::{Member, Roster};
use super::patch::{ConfigVolume, Op};
use super::plan::{Nulls, PredictorPlan, TargetPlan};
use super::reason::Reason;
use crate::config::Config;
use crate::config::template::Names;
use crate::jaeger::EnvSet;
use crate::seldon::object::{Predictor, Volume, name_of};
use crate::seldon::{ContainerList, Lenient, Node, Place};

/// The container of the orchestrator, which Seldon adds to the pod.
pub(crate) const ORCHESTRATOR: &str = "seldon-container-engine";

/// What is wanted of a predictor.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each predictor, on the stack"
)]
pub(crate) enum Wanted<'v> {
    /// Nothing of ours stays in it.
    Off(Reason),
    /// What is present of ours stays, and nothing is added.
    Hold,
    /// Exactly what the record has.
    Restore,
    /// What the settings ask for.
    On(Resolved<'v>),
}

/// What the decision reads that is the same for all predictors of an object.
pub(crate) struct ObjectInputs<'p, 'v> {
    pub(crate) config: &'v Config,
    pub(crate) namespace: Option<&'v str>,
    pub(crate) name: Option<&'v str>,
    pub(crate) protocol: Option<&'v str>,
    /// What `spec.annotations` sets in every orchestrator.
    pub(crate) engine: &'p EngineVariables<'v>,
    /// The record that says what in the object is ours.
    pub(crate) record: &'p Record<'static>,
    pub(crate) nulls: Option<Nulls<'v>>,
}

impl ObjectInputs<'_, '_> {
    /// What stands where a part is to be created.
    pub(crate) fn before<T>(&self, part: &Lenient<T>, place: Place<'_>) -> Before {
        match (part, self.nulls) {
            (Lenient::Null, None) => spelling("null"),
            (Lenient::Null, Some(nulls)) => nulls(&place.pointer()),
            _ => None,
        }
    }
}

/// What the decision on one predictor reads.
pub(crate) struct Inputs<'p, 'v> {
    pub(crate) object: &'p ObjectInputs<'p, 'v>,
    pub(crate) index: usize,
    pub(crate) view: &'v Predictor<'v>,
    pub(crate) old: Option<&'v Predictor<'v>>,
    pub(crate) wanted: &'p Wanted<'v>,
    /// The part of the record on this predictor.
    pub(crate) ours: &'p PredictorRecord<'static>,
    pub(crate) roster: &'p Roster<'v, 'v>,
    /// The containers of the older object, for the places that variables and stubs had there.
    pub(crate) old_members: HashMap<(ContainerList, &'p str), &'p Member<'v, 'v>>,
    /// The nodes of the graph, if the settings decide and the graph can be read.
    pub(crate) nodes: Vec<Node<'v>>,
    /// The names of those that run in `MLServer`.
    pub(crate) mlservers: HashSet<Cow<'v, str>>,
    /// The names of those with an image of the user's that probably runs `MLServer` too.
    pub(crate) own_images: HashSet<Cow<'v, str>>,
    /// The names that the settings exclude.
    pub(crate) excluded: HashSet<&'p str>,
    /// The `ConfigMap` to mount, by the settings or by the record.
    pub(crate) config_volume: Option<ConfigVolume<'v>>,
}

impl<'v> Inputs<'_, 'v> {
    pub(crate) fn is_on(&self) -> bool {
        matches!(self.wanted, Wanted::On(_))
    }

    /// What templates are filled from, but for the container.
    pub(crate) fn names(&self) -> Names<'v> {
        Names {
            namespace: self.object.namespace,
            name: self.object.name,
            predictor: name_of(&self.view.name),
            container: None,
        }
    }

    /// Why a target is left alone, by its kind and name.
    pub(crate) fn why_left(&self, kind_is_on: bool, name: &str) -> Option<Reason> {
        if !kind_is_on {
            Some(Reason::TargetSwitchedOff)
        } else if self.excluded.contains(name) {
            Some(Reason::Excluded)
        } else {
            None
        }
    }

    /// Notes a part of another type than expected, where the settings decide.
    pub(crate) fn note_odd<T>(
        &self,
        draft: &mut Draft<'v>,
        place: Place<'v>,
        expected: &'static str,
        part: &Lenient<T>,
    ) {
        if let (Some(found), true) = (part.odd(), self.is_on()) {
            draft.notes.odd(place, expected, found);
        }
    }

    /// Whether the record says that a volume is ours.
    pub(crate) fn owns_volume(&self, volume: &Lenient<Volume<'_>>) -> bool {
        let config_map = self.ours.config_map.as_deref();
        config_map.is_some_and(|name| is_our_volume(volume, name))
    }
}

/// The decision on an object in the making.
#[derive(Default)]
pub(crate) struct Draft<'v> {
    pub(crate) notes: Notes<'v>,
    pub(crate) ops: Vec<Op<'v>>,
    pub(crate) targets: Vec<TargetPlan<'v>>,
    pub(crate) predictors: Vec<PredictorPlan<'v>>,
    /// Excluded names that are not names of servers, each with the predictor that it must be in, if there is one.
    pub(crate) exclusions: IndexSet<(String, Option<usize>)>,
    /// The record of the object …
    pub(crate) record: Record<'v>,
    /// … and of the predictor that is being decided.
    pub(crate) out: PredictorRecord<'v>,
    /// What the variables of all targets take so far, in bytes, and what their record takes at least.
    pub(crate) added: usize,
    pub(crate) recorded: usize,
}

impl<'v> Draft<'v> {
    pub(crate) fn new() -> Self {
        Self {
            ops: Vec::with_capacity(16),
            targets: Vec::with_capacity(4),
            record: Record::new(),
            ..Self::default()
        }
    }

    /// Whether nothing in the object is ours afterwards.
    pub(crate) fn records_nothing(&self) -> bool {
        self.record.predictors.is_empty() && self.record.trigger.is_none()
    }

    /// Why the decision ends here, if it would add more than an object can hold.
    pub(crate) const fn is_too_much(&self) -> Option<Reason> {
        if self.recorded > MAX_RECORD {
            Some(Reason::RecordTooLarge)
        } else if self.added > MAX_ADDED {
            Some(Reason::TooManyTargets)
        } else {
            None
        }
    }

    /// Counts what a target adds to the object and to the record. Gives the index of its variables in the record.
    pub(crate) fn count(&mut self, name: &str, set: &EnvSet<'v>) -> usize {
        let before = self.record.sets.len();
        let index = self.record.intern(set);
        let bytes: usize = set
            .entries()
            .map(|(variable, value)| variable.name().len() + value.text().len() + 24)
            .sum();
        self.added += bytes;
        self.recorded += name.len() + 12;
        if self.record.sets.len() > before {
            // At least this much: a set may say only what differs from the one before it.
            self.recorded += 12;
        }
        index
    }
}
