//! The explainer of a predictor, where it has a container of the user's.

use crate::inject::draft::{Draft, Inputs};
use crate::inject::plan::TargetKind;
use crate::inject::reason::Reason;
use crate::inject::target::{self, Candidate};
use crate::seldon::object::name_of;
use crate::seldon::server::speaks_v2;
use crate::seldon::{Holder, Lenient, Place};

pub(crate) fn decide<'v>(inputs: &Inputs<'_, 'v>, draft: &mut Draft<'v>) {
    let place = Place::Explainer(inputs.index);
    let holder = Holder::Explainer(inputs.index);
    let explainer = match &inputs.view.explainer {
        Lenient::Absent | Lenient::Null => return,
        Lenient::Is(explainer) => explainer,
        odd @ Lenient::Odd(_) => return inputs.note_odd(draft, place, "an object", odd),
    };
    let without_type = name_of(&explainer.kind)
        .is_none()
        .then_some(Reason::ExplainerWithoutType);
    let container = match &explainer.container_spec {
        Lenient::Is(container) => container,
        Lenient::Absent | Lenient::Null => {
            if inputs.is_on() {
                let reason = without_type.unwrap_or(Reason::ExplainerWithoutContainer);
                draft.notes.add(reason, place, "");
            }
            return;
        }
        odd @ Lenient::Odd(_) => {
            return inputs.note_odd(draft, Place::Holder(holder), "an object", odd);
        }
    };
    let overwritten = speaks_v2(inputs.object.protocol).then_some(Reason::ExplainerOverwritten);
    let name = name_of(&container.name).unwrap_or_default();
    let left = without_type
        .or(overwritten)
        .or_else(|| inputs.why_left(inputs.object.config.targets.explainer, name));
    let old = inputs
        .old
        .and_then(|old| old.explainer.get()?.container_spec.get());
    let decided = target::decide(
        inputs,
        Candidate {
            kind: TargetKind::Explainer,
            holder,
            name: name.into(),
            env: Some(&container.env),
            recorded: inputs.ours.explainer,
            left: left.or_else(|| draft.is_too_much()),
            config_volume: None,
            old_env: old.map(|old| &old.env),
        },
    );
    let written = decided.write(draft);
    written.edit.write(holder, &mut draft.ops);
    draft.out.explainer = written.record;
}
