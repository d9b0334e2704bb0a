//! The componentSpecs of a predictor, each with the spec of a pod.

use super::containers::decide_list;
use super::parts;
use super::pass::{Pass, Pod};
use super::volumes;
use super::{stub_order, stubs};
use crate::inject::draft::{Draft, Inputs, Wanted};
use crate::inject::ownership::keys::Keys;
use crate::inject::ownership::mount::volume_fits;
use crate::inject::ownership::record::Part;
use crate::inject::patch::{NewComponent, NewValue, Op};
use crate::seldon::object::{ComponentSpec, PodSpec};
use crate::seldon::{ContainerList, Lenient, Place};

/// Decides the containers, init containers and prepackaged servers of a predictor.
pub(crate) fn decide_all<'v>(inputs: &Inputs<'_, 'v>, draft: &mut Draft<'v>) {
    let specs = &inputs.view.component_specs;
    let place = Place::ComponentSpecs(inputs.index);
    inputs.note_odd(draft, place, "a list", specs);
    let mut pass = Pass {
        stubs: stub_order::order(inputs, &mut draft.notes),
        keys: Keys::default(),
        late: Vec::new(),
    };
    for (at, component) in specs.items().iter().enumerate() {
        match component {
            Lenient::Is(component) => decide_component(inputs, draft, at, component, &mut pass),
            odd => {
                let place = Place::ComponentSpec(inputs.index, at);
                inputs.note_odd(draft, place, "an object", odd);
            }
        }
    }
    if specs.items().is_empty() && specs.odd().is_none() && !pass.stubs.to_add().is_empty() {
        let spec = stubs::new_pod(inputs, draft, &pass);
        let pod = NewComponent { spec };
        if specs.is_absent() {
            let before = inputs.object.before(specs, place);
            draft.out.new.set(Part::ComponentSpecs, before);
            draft
                .ops
                .push(Op::Add(place, NewValue::ComponentSpecs([pod])));
        } else {
            parts::creates(inputs, draft, Part::ComponentSpec, place, specs);
            draft
                .ops
                .push(Op::Append(place, NewValue::ComponentSpec(pod)));
        }
    }
    draft.ops.extend(pass.late.into_iter().rev());
    if matches!(inputs.wanted, Wanted::Restore) {
        // A stub that goes back between containers goes back between their records, and stays there at the next call.
        let places = &inputs.ours.containers;
        let place = |key: &_| places.get_index_of(key).unwrap_or(usize::MAX);
        draft.out.containers.sort_by_cached_key(|key, _| place(key));
    }
    parts::keep_outermost(inputs, draft);
}

fn decide_component<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    at: usize,
    component: &'v ComponentSpec<'v>,
    pass: &mut Pass<'v>,
) {
    let place = Place::PodSpec(inputs.index, at);
    match &component.spec {
        Lenient::Is(spec) => decide_pod(inputs, draft, at, component, spec, pass),
        absent if absent.is_absent() && at == 0 && !pass.stubs.to_add().is_empty() => {
            let pod = stubs::new_pod(inputs, draft, pass);
            parts::creates(inputs, draft, Part::PodSpec, place, absent);
            draft.ops.push(Op::Add(place, NewValue::PodSpec(pod)));
        }
        odd => inputs.note_odd(draft, place, "an object", odd),
    }
}

fn decide_pod<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    at: usize,
    component: &'v ComponentSpec<'v>,
    spec: &'v PodSpec<'v>,
    pass: &mut Pass<'v>,
) {
    let ours = inputs.roster.volumes(at);
    let fits = volume_fits(spec, |volume| ours.mounted && inputs.owns_volume(volume));
    let mut pod = Pod {
        at,
        spec,
        ours,
        config_volume: inputs.config_volume.as_ref().filter(|_| fits),
        needs_volume: false,
        first: [draft.out.containers.len(), draft.out.init_containers.len()],
    };
    let removed = decide_list(inputs, draft, &mut pod, ContainerList::Containers, pass);
    let count = spec.containers.items().len();
    let adds = at == 0 && !pass.stubs.to_add().is_empty() && spec.containers.odd().is_none();
    let all_go = !adds && !removed.is_empty() && removed.len() == count;
    if all_go && inputs.ours.new.has_any_around_stubs() {
        let op = parts::removal(inputs, at, component, spec, ours);
        match op {
            Op::RemoveItem(..) => return pass.late.push(op),
            Op::Remove(Place::Containers(..)) | Op::Add(Place::Containers(..), _) => {
                draft.ops.push(op);
            }
            _ => return draft.ops.push(op),
        }
    } else {
        let list = Place::Containers(inputs.index, at, ContainerList::Containers);
        let removals = removed.iter().rev();
        draft
            .ops
            .extend(removals.map(|index| Op::RemoveItem(list, *index)));
    }
    if adds {
        stubs::add(inputs, draft, &mut pod, count - removed.len(), pass);
    }
    decide_list(inputs, draft, &mut pod, ContainerList::InitContainers, pass);
    volumes::decide_volume(inputs, draft, &pod);
}
