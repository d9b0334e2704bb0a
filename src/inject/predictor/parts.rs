//! The structures that are created around stubs, from `componentSpecs` down to the list of containers, and taken out with the last stub.

use crate::inject::draft::{Draft, Inputs};
use crate::inject::ownership::record::Part;
use crate::inject::ownership::roster::OurVolumes;
use crate::inject::patch::Op;
use crate::seldon::object::{ComponentSpec, PodSpec};
use crate::seldon::{ContainerList, Lenient, Place};

/// Records that a part is created, unless a part around it was created earlier: both are removed together.
pub(crate) fn creates<T>(
    inputs: &Inputs<'_, '_>,
    draft: &mut Draft<'_>,
    part: Part,
    place: Place<'_>,
    found: &Lenient<T>,
) {
    let mut outer = Part::AROUND_STUBS
        .into_iter()
        .take_while(|outer| *outer != part);
    if !outer.any(|outer| stands(inputs, outer)) {
        let before = inputs.object.before(found, place);
        draft.out.new.set(part, before);
    }
}

/// Whether a part was created earlier and still holds a stub: what the user emptied is the user's.
fn stands(inputs: &Inputs<'_, '_>, part: Part) -> bool {
    let mut members = inputs.roster.members().iter();
    inputs.ours.new.has(part) && members.any(|member| member.is_stub)
}

/// The operation that takes out what was created around the stubs of a pod, as far as nothing else is in it.
pub(crate) fn removal<'v>(
    inputs: &Inputs<'_, 'v>,
    at: usize,
    component: &ComponentSpec<'v>,
    pod: &PodSpec<'v>,
    ours: OurVolumes,
) -> Op<'v> {
    let new = inputs.ours.new;
    let made = |part| new.has(part);
    let take_out = |place, part| Op::take_out(place, new.before(part));
    let mut volumes = pod.volumes.items().iter();
    let volumes_go = pod.volumes.odd().is_none()
        && volumes.all(|volume| ours.mounted && inputs.owns_volume(volume));
    let pod_is_empty = pod.rest.is_empty() && pod.init_containers.is_absent() && volumes_go;
    if !pod_is_empty || made(Part::Containers) {
        let list = ContainerList::Containers;
        return take_out(Place::Containers(inputs.index, at, list), Part::Containers);
    }
    if !component.rest.is_empty() || made(Part::PodSpec) {
        return take_out(Place::PodSpec(inputs.index, at), Part::PodSpec);
    }
    let components = Place::ComponentSpecs(inputs.index);
    let is_only = inputs.view.component_specs.items().len() == 1;
    if is_only && made(Part::ComponentSpecs) {
        take_out(components, Part::ComponentSpecs)
    } else {
        Op::RemoveItem(components, at)
    }
}

/// Structures that were created earlier stay recorded while a stub of ours is in them. What is in the outermost one goes with it.
pub(crate) fn keep_outermost(inputs: &Inputs<'_, '_>, draft: &mut Draft<'_>) {
    let mut containers = draft.out.containers.values();
    if !containers.any(|target| target.new.has(Part::Container)) {
        return;
    }
    let made = Part::AROUND_STUBS.into_iter().find_map(|part| {
        let out = draft.out.new;
        let new = if out.has(part) { out } else { inputs.ours.new };
        (out.has(part) || stands(inputs, part)).then(|| (part, new.before(part)))
    });
    draft.out.new.unset_around_stubs();
    if let Some((part, before)) = made {
        draft.out.new.set(part, before);
    }
}
