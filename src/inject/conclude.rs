//! The end of a decision: the record and the trigger in the annotations, and what came of it all.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::inject::ownership::record::{MAX_RECORD, Part, RECORD, Record};
use crate::inject::ownership::since::Recorded;
use crate::inject::patch::NewValue;
use crate::inject::patch::Op;
use crate::inject::plan::{Context, Outcome, Plan, Task};
use crate::inject::planner::{Planner, has_key};
use crate::inject::reason::Reason;
use crate::seldon::object::{Annotations, SeldonDeployment};
use crate::seldon::place::Place;

/// What Kubernetes allows for all annotations of an object, less some room for others
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>).
const MAX_ANNOTATIONS: usize = 240 * 1024;

impl<'v> Planner<'v> {
    /// Writes the annotations, and says what came of it all.
    pub(crate) fn conclude(
        mut self,
        object: &'v SeldonDeployment<'v>,
        annotations: &Annotations<'v>,
        found: &Recorded,
        ours: &Record<'_>,
        context: &Context<'v>,
    ) -> Plan<'v> {
        let traced = !self.record.predictors.is_empty();
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
                return self.refused(Reason::RecordTooLarge);
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
                let same = matches!(found, Recorded::Read { text: before, .. } if *before == text);
                if !same {
                    self.ops.push(Op::Add(
                        Place::Annotation(RECORD),
                        NewValue::Text(text.into()),
                    ));
                }
            }
        } else if let Recorded::Read { .. } = found {
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
        let keys: HashSet<&str> = annotations.rest.0.iter().map(|(key, _)| &**key).collect();
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
