//! Triggers that stand where they do not count, such as a label. Users write them and wonder why nothing happens.

use super::notes::Notes;
use super::reason::Reason;
use crate::seldon::lenient::Rest;
use crate::seldon::object::{Annotations, ComponentMetadata};
use crate::seldon::{Lenient, Place, SeldonDeployment};

/// Notes every misplaced trigger of an object that has none in the right place.
pub(crate) fn note_misplaced<'v>(
    object: &SeldonDeployment<'_>,
    trigger: &'v str,
    notes: &mut Notes<'v>,
) {
    let mut finder = Finder { trigger, notes };
    if let Lenient::Is(metadata) = &object.metadata {
        finder.labels(Place::Metadata, metadata.labels.get());
        finder.annotations(Place::Metadata, metadata.annotations.get());
    }
    if let Lenient::Is(spec) = &object.spec {
        finder.annotations(Place::Spec, spec.annotations.get());
    }
    for (index, predictor) in object.predictors().iter().enumerate() {
        let Lenient::Is(predictor) = predictor else {
            continue;
        };
        let place = Place::Predictor(index);
        finder.annotations(place, predictor.annotations.get());
        let labels: Lenient<Annotations<'_>> = predictor.rest.read("labels");
        finder.labels(place, labels.get());
        for (at, component) in predictor.component_specs.items().iter().enumerate() {
            let Lenient::Is(component) = component else {
                continue;
            };
            let metadata: Lenient<ComponentMetadata<'_>> = component.rest.read("metadata");
            if let Lenient::Is(metadata) = &metadata {
                let place = Place::ComponentSpec(index, at);
                finder.labels(place, metadata.labels.get());
                if let Some(annotations) = metadata.annotations.get() {
                    finder.found(place, "metadata.annotations", &annotations.rest, &is_like);
                }
            }
        }
    }
}

/// Whether a key was meant to be the trigger.
fn is_like(key: &str, trigger: &str) -> bool {
    key.eq_ignore_ascii_case(trigger) || key == "seldon.io/tracing"
}

struct Finder<'n, 'v> {
    trigger: &'v str,
    notes: &'n mut Notes<'v>,
}

impl<'v> Finder<'_, 'v> {
    fn labels(&mut self, place: Place<'v>, labels: Option<&Annotations<'_>>) {
        if let Some(labels) = labels {
            self.found(place, "labels", &labels.rest, &is_like);
        }
    }

    /// Annotations that are read, and have the key in another spelling.
    fn annotations(&mut self, place: Place<'v>, annotations: Option<&Annotations<'_>>) {
        if let Some(annotations) = annotations {
            let is_other = |key: &str, trigger: &str| key != trigger && is_like(key, trigger);
            self.found(place, "annotations", &annotations.rest, &is_other);
        }
    }

    fn found(
        &mut self,
        place: Place<'v>,
        of: &str,
        keys: &Rest<'_>,
        is_misplaced: &dyn Fn(&str, &str) -> bool,
    ) {
        let mut keys = keys.0.iter().map(|(key, _)| &**key);
        if let Some(key) = keys.find(|key| is_misplaced(key, self.trigger)) {
            let right = self.trigger;
            let detail = format!(
                "{of}.{key} does not count; set the annotation {right} of the SeldonDeployment"
            );
            self.notes.add(Reason::MisplacedTrigger, place, detail);
        }
    }
}
