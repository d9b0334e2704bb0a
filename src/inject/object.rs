//! The decision on one object: its record, and the decisions on its predictors.

use std::borrow::Cow;
use std::collections::HashSet;

use super::bounds::exceeded;
use super::conclude::{conclude, finish, refuse};
use super::draft::{Draft, ObjectInputs};
use super::engine::EngineVariables;
use super::layers::{Layer, Origin};
use super::misplaced::note_misplaced;
use super::ownership::record::Record;
use super::ownership::since::{Recorded, find_record, is_put_back, unchanged_since};
use super::plan::{Context, Outcome, Plan, Task};
use super::reason::Reason;
use super::trigger::Triggers;
use super::walk::Walk;
use crate::config::Config;
use crate::config::setting::{RECORD, RESYNC};
use crate::seldon::lenient::Rest;
use crate::seldon::object::{Annotations, Predictor};
use crate::seldon::{Lenient, Place, SeldonDeployment};

/// Decides what to do with an object. `old` is what was stored before, on an update.
///
/// ```
/// use seldon_tracing::config::Config;
/// use seldon_tracing::inject::{Context, Outcome, SeldonDeployment, plan};
///
/// let json = br#"{
///   "metadata": {"name": "iris", "annotations": {"tracing": "true"}},
///   "spec": {"predictors": [{
///     "name": "default",
///     "graph": {"name": "classifier", "implementation": "SKLEARN_SERVER"}
///   }]}
/// }"#;
/// let object = SeldonDeployment::from_json(json)?;
/// let config = Config::default();
/// let plan = plan(&object, None, &config, &Context::default());
/// assert_eq!(plan.outcome, Outcome::Injected);
/// let paths: Vec<String> = plan.patch()?.iter().map(|op| op.path().to_string()).collect();
/// assert_eq!(
///     paths,
///     [
///         "/spec/predictors/0/componentSpecs",
///         "/spec/predictors/0/svcOrchSpec",
///         "/metadata/annotations/tracing.seldon.io~1injected",
///     ]
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn plan<'v>(
    object: &'v SeldonDeployment<'v>,
    old: Option<&'v SeldonDeployment<'v>>,
    config: &'v Config,
    context: &Context<'v>,
) -> Plan<'v> {
    if matches!(context.task, Task::Stored | Task::Live) {
        return plan_stored(object, config, context);
    }
    decide(object, old, config, context)
}

/// What the webhook does with an object that is written without a change, if it has a record.
fn plan_stored<'v>(
    object: &'v SeldonDeployment<'v>,
    config: &'v Config,
    context: &Context<'v>,
) -> Plan<'v> {
    let Stored {
        fresh,
        kept,
        by_namespace,
    } = Stored::of(object, config, context);
    let Some(kept) = kept else { return fresh };
    let others = fresh.changed_variables();
    // Where the config gives what is there, it also says where that is from.
    let mut kept = if fresh.is_empty() { fresh } else { kept };
    if by_namespace {
        kept.add_note(Reason::ByNamespace, String::new());
    }
    if kept.is_empty() && !others.is_empty() {
        kept.add_note(Reason::Outdated, others.join(", "));
    }
    kept
}

/// The two decisions on a stored object.
pub(crate) struct Stored<'v> {
    /// As if nothing had been injected before.
    pub(crate) fresh: Plan<'v>,
    /// What a write without a change does, if the object has a record. Without one, it does the same as `fresh`.
    pub(crate) kept: Option<Plan<'v>>,
    /// Whether the record shows that the namespace has tracing on.
    by_namespace: bool,
}

impl<'v> Stored<'v> {
    pub(crate) fn of(
        object: &'v SeldonDeployment<'v>,
        config: &'v Config,
        context: &Context<'v>,
    ) -> Self {
        let is_known = context.task == Task::Live;
        let mut context = Context {
            task: Task::Follow,
            ..*context
        };
        let fresh = decide(object, None, config, &context);
        let metadata = object.metadata.get();
        let annotations = metadata.and_then(|metadata| metadata.annotations.get());
        if annotations.is_none_or(|annotations| find_record(annotations).record().is_none()) {
            return Self {
                fresh,
                kept: None,
                by_namespace: false,
            };
        }
        let by_namespace =
            !is_known && !context.namespace_default && fresh.loses_what_nothing_asks_for();
        let fresh = if by_namespace {
            context.namespace_default = true;
            decide(object, None, config, &context)
        } else {
            fresh
        };
        Self {
            fresh,
            kept: Some(decide(object, Some(object), config, &context)),
            by_namespace,
        }
    }
}

fn decide<'v>(
    object: &'v SeldonDeployment<'v>,
    old: Option<&'v SeldonDeployment<'v>>,
    config: &'v Config,
    context: &Context<'v>,
) -> Plan<'v> {
    decide_with(object, old, config, context, Unchanged::Restore)
}

/// What is done with an object in which nothing has changed since.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unchanged {
    /// What the older object had is kept or put back.
    Restore,
    /// What the older object had is taken out, and the settings decide.
    DecideAnew,
}

fn decide_with<'v>(
    object: &'v SeldonDeployment<'v>,
    old: Option<&'v SeldonDeployment<'v>>,
    config: &'v Config,
    context: &Context<'v>,
    unchanged: Unchanged,
) -> Plan<'v> {
    let mut draft = Draft::new();
    let Some(annotations) = annotations_of(object, &mut draft) else {
        return finish(draft, Outcome::Skipped);
    };
    let triggers = Triggers::of(object, config, context.namespace_default);
    let has_trigger = triggers.has_any(object);
    note_odd_spec(object, has_trigger, context, &mut draft);
    if let Some((reason, place, detail)) = exceeded(object) {
        draft.notes.add(reason, place, detail);
        return finish(draft, Outcome::Skipped);
    }
    let found = record_of(annotations, &mut draft);
    let sticky = unchanged_since(object, old, annotations, &found, &config.trigger);
    if let Some(settled) = decided_anew(object, sticky.as_ref(), &found, config, context) {
        return settled;
    }
    let nothing = Record::new();
    let record = sticky.as_ref().or_else(|| found.record());
    let record = record.unwrap_or(&nothing);
    let kept = sticky.as_ref().and(old);
    let kept = kept.filter(|_| unchanged == Unchanged::Restore);
    let new_trigger = context.task.trigger().filter(|_| !has_trigger);
    if context.task == Task::Follow && !has_trigger {
        note_misplaced(object, &config.trigger, &mut draft.notes);
    }
    let mut predictors = object.predictors().iter().filter_map(Lenient::get);
    let added = new_trigger.filter(|_| predictors.any(Predictor::is_whole));
    let added = added.map(Cow::Borrowed);
    draft.record.trigger = added.or_else(|| our_trigger(annotations, record, &config.trigger));
    let spec = object.spec.get();
    let engine = EngineVariables::of(spec.and_then(|spec| spec.annotations.get()));
    let inputs = ObjectInputs {
        config,
        namespace: object.namespace().or(context.namespace),
        name: object.name(),
        protocol: spec.and_then(|spec| spec.protocol.text()),
        engine: &engine,
        record,
        nulls: context.nulls,
    };
    let walk = Walk {
        object,
        old: kept,
        layers: layers(object, annotations, config, &mut draft),
        task: context.task,
        new_trigger,
        inputs: &inputs,
    };
    if let Err(reason) = walk.predictors(triggers, &mut draft) {
        return refuse(draft, reason);
    }
    if kept.is_some() && draft.records_nothing() {
        // Nothing of what the older object had can be put back, so the next write would be decided anew: this one is, too.
        return decide_with(object, old, config, context, Unchanged::DecideAnew);
    }
    let is_put_back = || is_put_back(object, old, annotations, &found, &config.trigger);
    if sticky.is_none() && draft.records_nothing() && is_put_back() {
        // Without a record, the object could not be told from one to which the next call restores what the older object had.
        return decide(object, Some(object), config, context);
    }
    note_unknown_exclusions(&mut draft);
    conclude(draft, object, annotations, &found, &inputs, context.task)
}

/// The record of an object, with a note where it cannot be read.
fn record_of(annotations: &Annotations<'_>, draft: &mut Draft<'_>) -> Recorded {
    let found = find_record(annotations);
    if matches!(found, Recorded::Unreadable) {
        let place = Place::Annotation(RECORD);
        draft.notes.add(Reason::RecordUnreadable, place, "");
    }
    found
}

/// The annotations of an object that may be changed; nothing where a note says why it may not.
fn annotations_of<'v>(
    object: &'v SeldonDeployment<'v>,
    draft: &mut Draft<'v>,
) -> Option<&'v Annotations<'v>> {
    const NONE: &Annotations<'static> = &Annotations {
        rest: Rest(Vec::new()),
    };
    let notes = &mut draft.notes;
    let Lenient::Is(metadata) = &object.metadata else {
        let found = object.metadata.odd().unwrap_or("nothing");
        notes.odd(Place::Metadata, "an object", found);
        return None;
    };
    if metadata.is_being_deleted() {
        notes.add(Reason::BeingDeleted, Place::Object, "");
        return None;
    }
    match &metadata.annotations {
        Lenient::Absent | Lenient::Null => Some(NONE),
        Lenient::Is(annotations) => {
            if annotations.rest.get(RESYNC).is_some() {
                notes.add(Reason::Resync, Place::Annotation(RESYNC), "");
            }
            Some(annotations)
        }
        Lenient::Odd(found) => {
            notes.odd(Place::Annotations, "an object", found);
            None
        }
    }
}

/// The plan if an earlier call for the same write made a new decision: nothing is left to do, and the older object does not matter.
fn decided_anew<'v>(
    object: &'v SeldonDeployment<'v>,
    sticky: Option<&Record<'static>>,
    found: &Recorded,
    config: &'v Config,
    context: &Context<'v>,
) -> Option<Plan<'v>> {
    if sticky? == found.record()? {
        return None;
    }
    let anew = plan(object, None, config, context);
    anew.is_empty().then_some(anew)
}

/// The trigger that an earlier injection wrote, if it is still there.
fn our_trigger<'v>(
    annotations: &Annotations<'_>,
    record: &Record<'static>,
    key: &str,
) -> Option<Cow<'v, str>> {
    let ours = record.trigger.clone()?;
    (annotations.get(key).text() == Some(&*ours)).then_some(ours)
}

fn note_odd_spec<'v>(
    object: &'v SeldonDeployment<'v>,
    has_trigger: bool,
    context: &Context<'_>,
    draft: &mut Draft<'v>,
) {
    let asks = match context.task {
        Task::Uninject => false,
        Task::Trigger(_) => true,
        Task::Follow | Task::Stored | Task::Live => has_trigger || context.namespace_default,
    };
    let notes = &mut draft.notes;
    if let Some(found) = object.spec.odd() {
        return notes.odd(Place::Spec, "an object", found);
    }
    let spec = object.spec.get();
    let predictors = spec.map(|spec| &spec.predictors);
    if let Some(found) = predictors.and_then(Lenient::odd) {
        notes.odd(Place::Predictors, "a list", found);
    } else if asks && predictors.is_none_or(Lenient::is_absent) {
        notes.add(Reason::PartialObject, Place::Spec, "");
    } else if object.predictors().is_empty() {
        notes.add(Reason::NoPredictors, Place::Spec, "");
    }
    if let Some(found) = spec.and_then(|spec| spec.annotations.odd()) {
        notes.odd(Place::SpecAnnotations, "an object", found);
    }
}

/// The settings that stand in the annotations of the object, weakest first.
fn layers<'v>(
    object: &'v SeldonDeployment<'v>,
    annotations: &'v Annotations<'v>,
    config: &'v Config,
    draft: &mut Draft<'v>,
) -> [Layer<'v>; 2] {
    let spec = object.spec.get().and_then(|spec| spec.annotations.get());
    let places = [
        (spec, Origin::SpecAnnotation),
        (Some(annotations), Origin::Annotation),
    ];
    let notes = &mut draft.notes;
    places.map(|(found, origin)| Layer::read(found, (origin, 0), &config.trigger, notes))
}

/// A name that is excluded for all predictors need be in one of them only.
fn note_unknown_exclusions(draft: &mut Draft<'_>) {
    let targets = draft.targets.iter();
    let known: HashSet<(&str, Option<usize>)> = targets
        .flat_map(|target| [None, Some(target.predictor)].map(|place| (&*target.name, place)))
        .collect();
    for (name, predictor) in std::mem::take(&mut draft.exclusions) {
        if !known.contains(&(name.as_str(), predictor)) {
            let place = predictor.map_or(Place::Predictors, Place::Predictor);
            draft.notes.add(Reason::ExcludedUnknown, place, name);
        }
    }
}
