//! The decision in the making: what is asked of each predictor, and what was there before.

use std::collections::HashSet;
use std::rc::Rc;

use indexmap::IndexSet;

use crate::config::Config;
use crate::inject::bounds::MAX_ADDED;
use crate::inject::engine::EngineVariables;
use crate::inject::layers::{Layer, Origin, Placed, Resolved};
use crate::inject::notes::Notes;
use crate::inject::ownership::keys::Ordinals;
use crate::inject::ownership::record::{MAX_RECORD, PredictorRecord, RECORD, Record};
use crate::inject::ownership::since::{Recorded, find_record, unchanged_since};
use crate::inject::patch::Op;
use crate::inject::plan::{Context, Outcome, Plan, PredictorPlan, Task};
use crate::inject::predictor::{PredictorWalk, Wanted};
use crate::inject::reason::Reason;
use crate::inject::target::TargetPlan;
use crate::inject::trigger::{Trigger, Triggers};
use crate::jaeger::variable::EnvSet;
use crate::seldon::lenient::Lenient;
use crate::seldon::object::{Annotations, Predictor, SeldonDeployment, name_of};
use crate::seldon::place::Place;

/// The decision in the making.
pub(crate) struct Planner<'v> {
    pub(crate) config: &'v Config,
    pub(crate) namespace: Option<&'v str>,
    pub(crate) name: Option<&'v str>,
    pub(crate) notes: Notes<'v>,
    pub(crate) ops: Vec<Op<'v>>,
    pub(crate) targets: Vec<TargetPlan<'v>>,
    pub(crate) predictors: Vec<PredictorPlan<'v>>,
    /// Names that were excluded and are no server's, with the predictor that they must be in, if it is one.
    pub(crate) excluded: IndexSet<(String, Option<usize>)>,
    /// What `spec.annotations` sets in every orchestrator.
    pub(crate) engine: Rc<EngineVariables<'v>>,
    /// What the variables of all targets take so far, in bytes, and what their record takes at least.
    pub(crate) added: usize,
    pub(crate) recorded: usize,
    /// The record that is being written.
    pub(crate) record: Record<'v>,
}

impl<'v> Planner<'v> {
    pub(crate) fn finish(self, outcome: Outcome) -> Plan<'v> {
        let Self {
            notes,
            ops,
            targets,
            predictors,
            ..
        } = self;
        Plan {
            outcome,
            predictors,
            targets,
            notes: notes.0,
            ops,
        }
    }

    pub(crate) fn note_odd_spec(&mut self, object: &SeldonDeployment<'v>) {
        match &object.spec {
            Lenient::Is(spec) => {
                if let Some(found) = spec.predictors.odd() {
                    self.notes.odd(Place::Predictors, "a list", found);
                }
                if let Some(found) = spec.annotations.odd() {
                    self.notes.odd(Place::SpecAnnotations, "an object", found);
                }
            }
            other => self
                .notes
                .odd(Place::Spec, "an object", other.odd().unwrap_or("nothing")),
        }
    }

    pub(crate) fn object(
        mut self,
        object: &'v SeldonDeployment<'v>,
        old: Option<&'v SeldonDeployment<'v>>,
        annotations: &Annotations<'v>,
        context: &Context<'v>,
    ) -> Plan<'v> {
        let config = self.config;
        let found = find_record(annotations);
        if matches!(found, Recorded::Unreadable) {
            self.notes
                .add(Reason::RecordUnreadable, Place::Annotation(RECORD), "");
        }
        let sticky = unchanged_since(object, old, annotations, &found, &config.trigger);
        let nothing = Record::new();
        let ours = match (&sticky, &found) {
            (Some(record), _) | (None, Recorded::Read { record, .. }) => record,
            (None, Recorded::None | Recorded::Unreadable) => &nothing,
        };
        let new_trigger = match context.task {
            Task::Trigger(value) if !has_trigger(object, &config.trigger) => Some(value),
            _ => None,
        };
        // Which annotation of ours stays, beside the record.
        self.record.trigger = match (&ours.trigger, new_trigger) {
            (_, Some(value)) => Some(value.into()),
            (Some(ours), None) if annotations.get(&config.trigger).text() == Some(ours) => {
                Some(ours.clone())
            }
            _ => None,
        };
        let layers = self.layers(object, annotations);
        let mut ordinals = Ordinals::of(
            object
                .predictors()
                .iter()
                .map(|item| Some(&item.get()?.name)),
        );
        let old_predictors = sticky
            .as_ref()
            .and(old)
            .map_or(&[][..], SeldonDeployment::predictors);
        let none = PredictorRecord::default();
        let mut triggers = Triggers::of(object, config, context.namespace_default);
        for (index, item) in object.predictors().iter().enumerate() {
            let Lenient::Is(view) = item else {
                self.notes.odd(
                    Place::Predictor(index),
                    "an object",
                    item.odd().unwrap_or_default(),
                );
                continue;
            };
            let key = ordinals.key(&view.name);
            let ours_here = ours.predictors.get(&*key).unwrap_or(&none);
            let asked = match (context.task, new_trigger) {
                (Task::Uninject, _) => Trigger::Off(Reason::OptedOut),
                (_, Some(value)) => written_trigger(value, config),
                _ => triggers.at(view, index, &mut self.notes),
            };
            let (wanted, reason, profile) =
                self.wanted(&asked, sticky.is_some(), view, index, &layers);
            let jaeger_config = match &wanted {
                Wanted::On(settings) => settings.jaeger_config(),
                _ => None,
            };
            let walk = PredictorWalk {
                index,
                view,
                old: old_predictors.get(index).and_then(Lenient::get),
                wanted,
                nodes: Vec::new(),
                mlservers: HashSet::new(),
                excluded: HashSet::new(),
                protocol: object.spec.get().and_then(|spec| spec.protocol.text()),
                ours_record: ours,
                ours: ours_here,
                out: PredictorRecord::default(),
                planner: &mut self,
            };
            let out = walk.walk();
            let traced = !out.is_empty();
            self.predictors.push(PredictorPlan {
                name: name_of(&view.name),
                index,
                traced,
                reason,
                profile,
                jaeger_config,
            });
            if traced {
                self.record.predictors.insert(key, out);
            }
            if let Some(reason) = self.is_too_much() {
                return self.refused(reason);
            }
        }
        self.note_unknown_exclusions();
        self.conclude(object, annotations, &found, ours, context)
    }

    /// A name that is excluded for all predictors need be in one of them only.
    fn note_unknown_exclusions(&mut self) {
        let Self {
            excluded,
            targets,
            notes,
            ..
        } = self;
        if excluded.is_empty() {
            return;
        }
        let known: HashSet<(&str, Option<usize>)> = targets
            .iter()
            .flat_map(|target| {
                [
                    (&*target.name, None),
                    (&*target.name, Some(target.predictor)),
                ]
            })
            .collect();
        for (name, predictor) in std::mem::take(excluded) {
            if !known.contains(&(name.as_str(), predictor)) {
                let place = predictor.map_or(Place::Predictors, Place::Predictor);
                notes.add(Reason::ExcludedUnknown, place, name);
            }
        }
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

    /// Remembers what a target adds to the object and to the record. Gives the index of its variables in the record.
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
            self.recorded += bytes / 2;
        }
        index
    }

    /// The object stays as it is.
    pub(crate) fn refused(mut self, reason: Reason) -> Plan<'v> {
        let place = match reason {
            Reason::RecordTooLarge => Place::Annotation(RECORD),
            _ => Place::Predictors,
        };
        self.notes.add(reason, place, "");
        self.ops.clear();
        self.targets.clear();
        for predictor in &mut self.predictors {
            predictor.traced = false;
            predictor.reason = reason;
        }
        self.finish(Outcome::Skipped)
    }

    /// The settings that stand in the annotations of the object.
    pub(crate) fn layers(
        &mut self,
        object: &'v SeldonDeployment<'v>,
        annotations: &Annotations<'v>,
    ) -> [Layer<'v>; 2] {
        let trigger = &self.config.trigger;
        let spec = object.spec.get().and_then(|spec| spec.annotations.get());
        [
            Layer::read(spec, Place::SpecAnnotation, trigger, &mut self.notes),
            Layer::read(
                Some(annotations),
                Place::Annotation,
                trigger,
                &mut self.notes,
            ),
        ]
    }

    pub(crate) fn wanted(
        &mut self,
        asked: &Trigger<'v>,
        sticky: bool,
        view: &'v Predictor<'v>,
        index: usize,
        layers: &[Layer<'v>; 2],
    ) -> (Wanted<'v>, Reason, Option<&'v str>) {
        match *asked {
            Trigger::Off(reason) => (Wanted::Off(reason), reason, None),
            Trigger::Unclear(reason) => (Wanted::Hold, reason, None),
            Trigger::On(profile) if sticky => (Wanted::Restore, Reason::Restored, profile),
            Trigger::On(profile) => {
                let mut settings = Resolved::from_config(self.config, self.namespace, profile);
                let own = Layer::read(
                    view.annotations.get(),
                    |key| Place::PredictorAnnotation(index, key),
                    &self.config.trigger,
                    &mut self.notes,
                );
                if let Some(found) = view.annotations.odd() {
                    let place = Place::PredictorAnnotations(index);
                    self.notes.odd(place, "an object", found);
                }
                let [spec, metadata] = layers;
                let layers = [
                    Placed {
                        layer: spec,
                        origin: Origin::SpecAnnotation,
                        place: &|key| Place::SpecAnnotation(key),
                    },
                    Placed {
                        layer: metadata,
                        origin: Origin::Annotation,
                        place: &|key| Place::Annotation(key),
                    },
                    Placed {
                        layer: &own,
                        origin: Origin::PredictorAnnotation,
                        place: &|key| Place::PredictorAnnotation(index, key),
                    },
                ];
                settings.lay_over(layers, &mut self.notes);
                (Wanted::On(settings), Reason::Injected, profile)
            }
        }
    }
}

pub(crate) fn has_key(annotations: &Annotations<'_>, key: &str) -> bool {
    annotations.rest.get(key).is_some()
}

/// Whether any place of the object has a trigger.
fn has_trigger(object: &SeldonDeployment<'_>, key: &str) -> bool {
    let at = |annotations: Option<&Annotations<'_>>| {
        annotations.is_some_and(|found| has_key(found, key))
    };
    at(object
        .metadata
        .get()
        .and_then(|metadata| metadata.annotations.get()))
        || at(object.spec.get().and_then(|spec| spec.annotations.get()))
        || object
            .predictors()
            .iter()
            .filter_map(Lenient::get)
            .any(|predictor| at(predictor.annotations.get()))
}

/// What a trigger asks for that the command line is about to write; the command line has checked it.
fn written_trigger<'v>(value: &'v str, config: &'v Config) -> Trigger<'v> {
    if value.eq_ignore_ascii_case("false") {
        return Trigger::Off(Reason::OptedOut);
    }
    Trigger::On(
        config
            .profiles
            .get_key_value(value)
            .map(|(name, _)| name.as_str()),
    )
}
