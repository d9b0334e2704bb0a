//! The orchestrator of a predictor: its `svcOrchSpec`, which Seldon gives to the container that it adds.

use crate::inject::draft::{Draft, Inputs, ORCHESTRATOR};
use crate::inject::ownership::record::Part;
use crate::inject::patch::{NewValue, Op};
use crate::inject::plan::TargetKind;
use crate::inject::reason::Reason;
use crate::inject::target::{self, Candidate, EnvEdit};
use crate::seldon::{Holder, Lenient, Place};

pub(crate) fn decide<'v>(inputs: &Inputs<'_, 'v>, draft: &mut Draft<'v>) {
    let holder = Holder::Orchestrator(inputs.index);
    let place = Place::SvcOrchSpec(inputs.index);
    let spec = &inputs.view.svc_orch_spec;
    let (env, rest_is_empty) = match spec {
        Lenient::Absent | Lenient::Null => (&Lenient::Absent, true),
        Lenient::Is(found) => (&found.env, found.rest.is_empty()),
        odd @ Lenient::Odd(_) => return inputs.note_odd(draft, place, "an object", odd),
    };
    let switched_on = inputs.object.config.targets.orchestrator;
    let left = if has_no_engine(inputs) {
        Some(Reason::NoOrchestrator)
    } else {
        inputs.why_left(switched_on, ORCHESTRATOR)
    };
    let old = inputs.old.and_then(|old| old.svc_orch_spec.get());
    let decided = target::decide(
        inputs,
        Candidate {
            kind: TargetKind::Orchestrator,
            holder,
            name: "".into(),
            env: Some(env),
            recorded: inputs.ours.orchestrator,
            left: left.or_else(|| draft.is_too_much()),
            config_volume: None,
            old_env: old.map(|old| &old.env),
        },
    );
    let written = decided.write(draft);
    // What the user emptied is the user's (docs/record.md, Rules).
    let created = inputs.ours.new.has(Part::SvcOrchSpec) && !env.items().is_empty();
    let before = inputs.ours.new.before(Part::SvcOrchSpec);
    draft.out.orchestrator = written.record;
    if written.record.is_some() && (created || spec.is_absent()) {
        let before = if spec.is_absent() {
            inputs.object.before(spec, place)
        } else {
            before
        };
        draft.out.new.set(Part::SvcOrchSpec, before);
    }
    match written.edit {
        EnvEdit::Remove(_) if created && rest_is_empty => {
            draft.ops.push(Op::take_out(place, before));
        }
        EnvEdit::Create(entries) if spec.is_absent() && !entries.is_empty() => {
            let value = NewValue::SvcOrchSpec { env: entries };
            draft.ops.push(Op::Add(place, value));
        }
        edit => edit.write(holder, &mut draft.ops),
    }
}

/// Whether an annotation says that the predictor has no orchestrator
/// (<https://docs.seldon.ai/seldon-core-1/configuration/deployment/annotations>).
fn has_no_engine(inputs: &Inputs<'_, '_>) -> bool {
    let annotations = inputs.view.annotations.get();
    let value = annotations.map(|annotations| annotations.get("seldon.io/no-engine"));
    let text = value.as_ref().and_then(Lenient::text);
    text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
}
