//! The one decision: what to add to an object, what to keep, what to take out, and why.

use std::borrow::Cow;

use super::less_ours::same_less_ours;
use super::new_value::NewValue;
use super::notes::{Note, Notes};
use super::ordinals::Ordinals;
use super::patch::{Op, Ops, Place, to_json_patch};
use super::predictor::{PredictorWalk, Wanted};
use super::reason::Reason;
use super::record::{MAX_RECORD, Part, PredictorRecord, RECORD, Record};
use super::settings::{ANNOTATION_PREFIX, Layer, Origin, Resolved};
use super::shape::{Shape, Text};
use super::target::TargetPlan;
use super::trigger::{Trigger, trigger};
use super::view::{Annotations, Predictor, SeldonDeployment, name_of};
use crate::config::Config;

/// What is known about an object beside the object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// The namespace that the object goes to, where it does not say so itself.
    pub namespace: Option<&'c str>,
    /// Whether the namespace turns tracing on by default (label `tracing=enabled`).
    pub namespace_default: bool,
    /// What is to be done.
    pub task: Task<'c>,
}

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task<'c> {
    /// What its annotations ask for.
    #[default]
    Follow,
    /// The same, with a trigger of that value written where there is none.
    Trigger(&'c str),
    /// Everything of ours is taken out, whatever the annotations ask for.
    Uninject,
}

/// What came of the decision for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Variables were added.
    Injected,
    /// Variables of ours were only taken out.
    Removed,
    /// It is traced, and as it should be.
    Unchanged,
    /// Tracing is not asked for, or not possible.
    Skipped,
}

impl Outcome {
    /// The stable name in `explain`, metrics and audit annotations.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Removed => "removed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
        }
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
    /// Why not, or why as it is.
    pub reason: Reason,
    /// The profile that its trigger names.
    pub profile: Option<&'a str>,
}

/// The decision for one object.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// What came of it.
    pub outcome: Outcome,
    /// Its predictors.
    pub predictors: Vec<PredictorPlan<'a>>,
    /// Its targets, in the order of the object.
    pub targets: Vec<TargetPlan<'a>>,
    /// Why things were done or left, with their places.
    pub notes: Vec<Note<'a>>,
    pub(crate) ops: Vec<Op<'a>>,
}

impl Plan<'_> {
    /// Whether the object is as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The patch, in the types of the `json-patch` crate. It applies to the object that the plan was made from.
    #[must_use]
    pub fn patch(&self) -> json_patch::Patch {
        to_json_patch(&self.ops)
    }

    /// The same patch as JSON text, behind what is already in `out`.
    pub fn write_patch(&self, out: &mut Vec<u8>) {
        // Writing into memory does not fail, and our values have no keys but strings.
        let _ = serde_json::to_writer(out, &Ops(&self.ops));
    }
}

/// Decides what to do with an object. `old` is what was stored before, on an update.
#[must_use]
pub fn plan<'v>(
    object: &'v SeldonDeployment<'v>,
    old: Option<&'v SeldonDeployment<'v>>,
    config: &'v Config,
    context: &Context<'v>,
) -> Plan<'v> {
    let mut planner = Planner {
        config,
        namespace: object.namespace().or(context.namespace),
        name: object.name(),
        notes: Notes::default(),
        ops: Vec::with_capacity(16),
        targets: Vec::with_capacity(4),
        predictors: Vec::new(),
        record: Record::new(),
    };
    let metadata = match &object.metadata {
        Shape::Is(metadata) => metadata,
        other => {
            planner.notes.odd(
                Place::Metadata,
                "an object",
                other.odd().unwrap_or("nothing"),
            );
            return planner.finish(Outcome::Skipped);
        }
    };
    if metadata.being_deleted {
        planner.notes.add(Reason::BeingDeleted, Place::Object, "");
        return planner.finish(Outcome::Skipped);
    }
    let none = Annotations::default();
    let annotations = match &metadata.annotations {
        Shape::Absent => &none,
        Shape::Is(annotations) => annotations,
        odd => {
            planner.notes.odd(
                Place::Annotations,
                "an object",
                odd.odd().unwrap_or_default(),
            );
            return planner.finish(Outcome::Skipped);
        }
    };
    planner.note_odd_spec(object);
    planner.object(object, old, annotations, context)
}

/// The decision in the making.
pub(crate) struct Planner<'v> {
    pub(crate) config: &'v Config,
    pub(crate) namespace: Option<&'v str>,
    pub(crate) name: Option<&'v str>,
    pub(crate) notes: Notes<'v>,
    pub(crate) ops: Vec<Op<'v>>,
    pub(crate) targets: Vec<TargetPlan<'v>>,
    pub(crate) predictors: Vec<PredictorPlan<'v>>,
    /// The record that is being written.
    pub(crate) record: Record<'v>,
}

/// The record in the annotations of an object.
enum Found {
    None,
    Unreadable,
    Read {
        record: Record<'static>,
        text: String,
    },
}

fn find_record(annotations: &Annotations<'_>) -> Found {
    match annotations.get(RECORD) {
        Shape::Absent => Found::None,
        Shape::Is(Text(text)) => match Record::read(&text) {
            Some(record) => Found::Read {
                record: record.into_owned(),
                text: text.into_owned(),
            },
            None => Found::Unreadable,
        },
        Shape::Null | Shape::Odd(_) => Found::Unreadable,
    }
}

/// What `old` had of ours, if nothing that we look at has changed since.
fn unchanged_since<'v>(
    object: &SeldonDeployment<'v>,
    old: Option<&SeldonDeployment<'v>>,
    annotations: &Annotations<'v>,
    trigger: &str,
) -> Option<Record<'static>> {
    let old = old?;
    let none = Annotations::default();
    let old_annotations = old.metadata.get()?.annotations.get().unwrap_or(&none);
    let Found::Read { record, .. } = find_record(old_annotations) else {
        return None;
    };
    (same_settings(annotations, old_annotations, trigger) && same_less_ours(object, old, &record))
        .then_some(record)
}

/// Whether the annotations that we read, the record apart, are the same.
fn same_settings(new: &Annotations<'_>, old: &Annotations<'_>, trigger: &str) -> bool {
    let is_read =
        |key: &str| key == trigger || (key.starts_with(ANNOTATION_PREFIX) && key != RECORD);
    let contains = |one: &Annotations<'_>, other: &Annotations<'_>| {
        one.rest
            .0
            .iter()
            .filter(|(key, _)| is_read(key))
            .all(|(key, _)| {
                let (one, other) = (one.get(key), other.get(key));
                one.text().is_some() && one.text() == other.text()
            })
    };
    contains(new, old) && contains(old, new)
}

impl<'v> Planner<'v> {
    fn finish(self, outcome: Outcome) -> Plan<'v> {
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

    fn note_odd_spec(&mut self, object: &SeldonDeployment<'v>) {
        match &object.spec {
            Shape::Is(spec) => {
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

    fn object(
        mut self,
        object: &'v SeldonDeployment<'v>,
        old: Option<&'v SeldonDeployment<'v>>,
        annotations: &Annotations<'v>,
        context: &Context<'v>,
    ) -> Plan<'v> {
        let config = self.config;
        let found = find_record(annotations);
        if matches!(found, Found::Unreadable) {
            self.notes
                .add(Reason::RecordUnreadable, Place::Annotation(RECORD), "");
        }
        let sticky = unchanged_since(object, old, annotations, &config.trigger);
        let nothing = Record::new();
        let ours = match (&sticky, &found) {
            (Some(record), _) | (None, Found::Read { record, .. }) => record,
            (None, Found::None | Found::Unreadable) => &nothing,
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
        let mut cursor = 0;
        for (index, item) in object.predictors().iter().enumerate() {
            let Shape::Is(view) = item else {
                self.notes.odd(
                    Place::Predictor(index),
                    "an object",
                    item.odd().unwrap_or_default(),
                );
                continue;
            };
            let key = ordinals.key(&view.name);
            let ours_here = ours.predictors.find(&key, &mut cursor).unwrap_or(&none);
            let asked = match (context.task, new_trigger) {
                (Task::Uninject, _) => Trigger::Off(Reason::OptedOut),
                (_, Some(value)) => written_trigger(value, config),
                _ => trigger(
                    object,
                    view,
                    index,
                    config,
                    context.namespace_default,
                    &mut self.notes,
                ),
            };
            let (wanted, reason, profile) =
                self.wanted(&asked, sticky.is_some(), view, index, &layers);
            let walk = PredictorWalk {
                index,
                view,
                old: old_predictors.get(index).and_then(Shape::get),
                wanted,
                protocol: object.spec.get().and_then(|spec| spec.protocol.text()),
                spec_annotations: object.spec.get().and_then(|spec| spec.annotations.get()),
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
            });
            if traced {
                self.record.predictors.0.push((key, out));
            }
        }
        self.conclude(object, annotations, &found, ours, context)
    }

    /// The settings that stand in the annotations of the object.
    fn layers(
        &mut self,
        object: &'v SeldonDeployment<'v>,
        annotations: &Annotations<'v>,
    ) -> [Layer<'v>; 2] {
        let spec = object.spec.get().and_then(|spec| spec.annotations.get());
        [
            Layer::read(spec, Place::SpecAnnotation, &mut self.notes),
            Layer::read(Some(annotations), Place::Annotation, &mut self.notes),
        ]
    }

    #[expect(
        clippy::redundant_closure,
        reason = "the variant itself fits one lifetime only"
    )]
    fn wanted(
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
                    &mut self.notes,
                );
                if let Some(found) = view.annotations.odd() {
                    let place = Place::PredictorAnnotations(index);
                    self.notes.odd(place, "an object", found);
                }
                let [spec, metadata] = layers;
                let notes = &mut self.notes;
                settings.lay_over(
                    spec,
                    Origin::SpecAnnotation,
                    |key| Place::SpecAnnotation(key),
                    notes,
                );
                settings.lay_over(
                    metadata,
                    Origin::Annotation,
                    |key| Place::Annotation(key),
                    notes,
                );
                settings.lay_over(
                    &own,
                    Origin::PredictorAnnotation,
                    |key| Place::PredictorAnnotation(index, key),
                    notes,
                );
                (Wanted::On(settings), Reason::Injected, profile)
            }
        }
    }

    /// Writes the annotations, and says what came of it all.
    fn conclude(
        mut self,
        object: &'v SeldonDeployment<'v>,
        annotations: &Annotations<'v>,
        found: &Found,
        ours: &Record<'_>,
        context: &Context<'v>,
    ) -> Plan<'v> {
        let traced = !self.record.predictors.0.is_empty();
        let keep = traced || (self.record.trigger.is_some() && context.task != Task::Uninject);
        let changed = !self.ops.is_empty();
        if keep {
            self.record.new = ours.new;
            let absent = object
                .metadata
                .get()
                .is_some_and(|metadata| metadata.annotations.is_absent());
            if absent {
                self.record.new.set(Part::Annotations);
            }
            self.record.number_sets();
            let text = self.record.write();
            let present: usize = annotations
                .rest
                .0
                .iter()
                .map(|(key, value)| key.len() + value.get().len())
                .sum();
            if text.len() > MAX_RECORD || present + text.len() > MAX_ANNOTATIONS {
                self.notes
                    .add(Reason::RecordTooLarge, Place::Annotation(RECORD), "");
                self.ops.clear();
                self.targets.clear();
                return self.finish(Outcome::Skipped);
            }
            let trigger = self
                .record
                .trigger
                .take()
                .filter(|_| !has_key(annotations, &self.config.trigger));
            if absent {
                let mut entries = Vec::new();
                entries.extend(trigger.map(|value| (self.config.trigger.as_str(), value)));
                entries.push((RECORD, Cow::Owned(text)));
                self.ops
                    .push(Op::Add(Place::Annotations, NewValue::Annotations(entries)));
            } else {
                if let Some(value) = trigger {
                    self.ops.push(Op::Add(
                        Place::Annotation(&self.config.trigger),
                        NewValue::Text(value),
                    ));
                }
                let same = matches!(found, Found::Read { text: before, .. } if *before == text);
                if !same {
                    self.ops.push(Op::Add(
                        Place::Annotation(RECORD),
                        NewValue::Text(text.into()),
                    ));
                }
            }
        } else if let Found::Read { .. } = found {
            self.remove_annotations(annotations, ours, context);
        }
        let added = self.ops.iter().any(Op::adds_variables);
        let outcome = match (added, changed, traced) {
            (true, ..) => Outcome::Injected,
            (false, false, true) => Outcome::Unchanged,
            (false, false, false) if self.ops.is_empty() => Outcome::Skipped,
            (false, ..) => Outcome::Removed,
        };
        self.finish(outcome)
    }

    fn remove_annotations(
        &mut self,
        annotations: &Annotations<'v>,
        ours: &Record<'_>,
        context: &Context<'v>,
    ) {
        let config = self.config;
        let written = ours.trigger.as_deref();
        let trigger_goes = context.task == Task::Uninject
            && written.is_some()
            && annotations.get(&config.trigger).text() == written;
        let mut keys: Vec<&str> = annotations.rest.0.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        keys.dedup();
        let left = keys.len() - 1 - usize::from(trigger_goes);
        if left == 0 && ours.new.has(Part::Annotations) {
            self.ops.push(Op::Remove(Place::Annotations));
            return;
        }
        self.ops.push(Op::Remove(Place::Annotation(RECORD)));
        if trigger_goes {
            self.ops
                .push(Op::Remove(Place::Annotation(&config.trigger)));
        }
    }
}

/// What Kubernetes allows for all annotations of an object, less some room for others
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>).
const MAX_ANNOTATIONS: usize = 240 * 1024;

fn has_key(annotations: &Annotations<'_>, key: &str) -> bool {
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
            .filter_map(Shape::get)
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
