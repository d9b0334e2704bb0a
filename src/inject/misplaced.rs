//! Triggers in places where they are ignored, such as a label. Users write them there and wonder why nothing happens.

use super::notes::Notes;
use super::reason::Reason;
use crate::seldon::object::{Annotations, ComponentMetadata};
use crate::seldon::{Lenient, Place, SeldonDeployment};

/// Notes every misplaced trigger of an object that has none in the right place.
pub(crate) fn note_misplaced<'v>(
    object: &SeldonDeployment<'_>,
    trigger: &'v str,
    notes: &mut Notes<'v>,
) {
    let mut look = |place, of: &str, keys: Option<&Annotations<'_>>| {
        let mut keys = keys.iter().flat_map(|keys| &keys.rest.0);
        // Where it counts, it is not misplaced.
        let is_wrong = |key: &str| of != "annotations" || key != trigger;
        if let Some((key, _)) = keys.find(|(key, _)| is_like(key, trigger) && is_wrong(key)) {
            let detail = format!(
                "{of}.{key} is ignored here; set the annotation {trigger} of the SeldonDeployment"
            );
            notes.add(Reason::MisplacedTrigger, place, detail);
        }
    };
    if let Lenient::Is(metadata) = &object.metadata {
        look(Place::Metadata, "labels", metadata.labels.get());
        look(Place::Metadata, "annotations", metadata.annotations.get());
    }
    if let Lenient::Is(spec) = &object.spec {
        look(Place::Spec, "annotations", spec.annotations.get());
    }
    for (index, predictor) in object.predictors().iter().enumerate() {
        let Lenient::Is(predictor) = predictor else {
            continue;
        };
        let place = Place::Predictor(index);
        look(place, "annotations", predictor.annotations.get());
        let labels: Lenient<Annotations<'_>> = predictor.rest.read("labels");
        look(place, "labels", labels.get());
        for (at, component) in predictor.component_specs.items().iter().enumerate() {
            let Lenient::Is(component) = component else {
                continue;
            };
            let metadata: Lenient<ComponentMetadata<'_>> = component.rest.read("metadata");
            if let Lenient::Is(metadata) = &metadata {
                let place = Place::ComponentSpec(index, at);
                look(place, "labels", metadata.labels.get());
                look(place, "metadata.annotations", metadata.annotations.get());
            }
        }
    }
}

/// Whether a key was meant to be the trigger.
fn is_like(key: &str, trigger: &str) -> bool {
    key.eq_ignore_ascii_case(trigger) || key == "seldon.io/tracing"
}
