//! The end of a decision: the record and the trigger in the annotations, and the outcome.

use std::borrow::Cow;
use std::collections::HashSet;

use super::draft::{Draft, ObjectInputs};
use super::ownership::record::{MAX_RECORD, Part};
use super::ownership::since::Recorded;
use super::patch::{NewValue, Op};
use super::plan::{Outcome, Plan, Task};
use super::reason::Reason;
use crate::config::setting::RECORD;
use crate::seldon::object::Annotations;
use crate::seldon::{Place, SeldonDeployment};

/// What Kubernetes allows for all annotations of an object, less some room for others
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>).
const MAX_ANNOTATIONS: usize = 240 * 1024;

/// The plan as the draft has it.
pub(crate) fn finish(draft: Draft<'_>, outcome: Outcome) -> Plan<'_> {
    Plan {
        outcome,
        predictors: draft.predictors,
        targets: draft.targets,
        notes: draft.notes.0,
        ops: draft.ops,
    }
}

/// The plan of leaving the object as it is.
pub(crate) fn refuse(mut draft: Draft<'_>, reason: Reason) -> Plan<'_> {
    let place = match reason {
        Reason::RecordTooLarge => Place::Annotation(RECORD),
        _ => Place::Predictors,
    };
    draft.notes.add(reason, place, "");
    draft.ops.clear();
    draft.targets.clear();
    for predictor in &mut draft.predictors {
        predictor.traced = false;
        predictor.reason = reason;
    }
    finish(draft, Outcome::Skipped)
}

/// Writes the annotations, and determines the outcome.
pub(crate) fn conclude<'v>(
    mut draft: Draft<'v>,
    object: &SeldonDeployment<'_>,
    annotations: &Annotations<'_>,
    found: &Recorded,
    inputs: &ObjectInputs<'_, 'v>,
    task: Task<'_>,
) -> Plan<'v> {
    let traced = !draft.record.predictors.is_empty();
    let keeps_trigger = draft.record.trigger.is_some() && task != Task::Uninject;
    let changed = !draft.ops.is_empty();
    if traced || keeps_trigger {
        if let Err(reason) = write_annotations(&mut draft, object, annotations, found, inputs) {
            return refuse(draft, reason);
        }
    } else if let Recorded::Read(_) = found {
        remove_annotations(&mut draft, annotations, inputs, task);
    }
    let added = draft.ops.iter().any(Op::adds_variables);
    let outcome = match (added, changed, traced) {
        (true, ..) => Outcome::Injected,
        (false, false, true) => Outcome::Unchanged,
        (false, false, false) if draft.ops.is_empty() => why_unchanged(&draft),
        (false, ..) => Outcome::Removed,
    };
    finish(draft, outcome)
}

/// The outcome for an object that is not traced by us and does not change.
fn why_unchanged(draft: &Draft<'_>) -> Outcome {
    let has = |reason| {
        draft
            .predictors
            .iter()
            .any(|predictor| predictor.reason == reason)
    };
    if has(Reason::TracedByHand) {
        Outcome::TracedByHand
    } else if has(Reason::UserDisabled) {
        Outcome::UserDisabled
    } else if has(Reason::NothingToTrace) {
        Outcome::NothingToTrace
    } else {
        Outcome::Skipped
    }
}

fn write_annotations<'v>(
    draft: &mut Draft<'v>,
    object: &SeldonDeployment<'_>,
    annotations: &Annotations<'_>,
    found: &Recorded,
    inputs: &ObjectInputs<'_, 'v>,
) -> Result<(), Reason> {
    let key = inputs.config.trigger.as_str();
    let record = &mut draft.record;
    record.new = inputs.record.new;
    let metadata = object.metadata.get();
    let absent = metadata.filter(|metadata| metadata.annotations.is_absent());
    if let Some(metadata) = absent {
        let before = inputs.before(&metadata.annotations, Place::Annotations);
        record.new.set(Part::Annotations, before);
    }
    record.number_sets();
    // A record that an older version spelled otherwise is not written again for that alone.
    let same = found.record().is_some_and(|before| before == record);
    // A record always has a text. Without one, nothing may be injected.
    let text = record.write().map_err(|_| Reason::RecordTooLarge)?;
    let present = annotations.rest.0.iter();
    let present: usize = present
        .map(|(key, value)| key.len() + value.get().len())
        .sum();
    if text.len() > MAX_RECORD || present + text.len() > MAX_ANNOTATIONS {
        return Err(Reason::RecordTooLarge);
    }
    let trigger = record.trigger.take();
    let trigger = trigger.filter(|_| annotations.rest.get(key).is_none());
    if absent.is_some() {
        let record = (RECORD, Cow::Owned(text));
        let entries = trigger
            .map(|value| (key, value))
            .into_iter()
            .chain([record]);
        let value = NewValue::Annotations(entries.collect());
        draft.ops.push(Op::Add(Place::Annotations, value));
        return Ok(());
    }
    let add = |key, value| Op::Add(Place::Annotation(key), NewValue::Text(value));
    draft.ops.extend(trigger.map(|value| add(key, value)));
    if !same {
        draft.ops.push(add(RECORD, text.into()));
    }
    Ok(())
}

fn remove_annotations<'v>(
    draft: &mut Draft<'v>,
    annotations: &Annotations<'_>,
    inputs: &ObjectInputs<'_, 'v>,
    task: Task<'_>,
) {
    let key = inputs.config.trigger.as_str();
    let written = inputs.record.trigger.as_deref();
    let trigger_goes =
        task == Task::Uninject && written.is_some() && annotations.get(key).text() == written;
    let keys: HashSet<&str> = annotations.rest.0.iter().map(|(key, _)| &**key).collect();
    let left = keys.len() - 1 - usize::from(trigger_goes);
    let new = inputs.record.new;
    if left == 0 && new.has(Part::Annotations) {
        let before = new.before(Part::Annotations);
        draft.ops.push(Op::take_out(Place::Annotations, before));
        return;
    }
    draft.ops.push(Op::Remove(Place::Annotation(RECORD)));
    if trigger_goes {
        draft.ops.push(Op::Remove(Place::Annotation(key)));
    }
}
