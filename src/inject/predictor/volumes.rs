//! The volume of the `ConfigMap` in a pod, and its mount in a container.

use super::pass::Pod;
use crate::inject::draft::{Draft, Inputs, Wanted};
use crate::inject::ownership::mount::{is_our_mount, projected_key};
use crate::inject::ownership::record::{Part, TargetRecord};
use crate::inject::patch::{ConfigVolume, MOUNT, NewValue, Op};
use crate::seldon::object::Container;
use crate::seldon::{Holder, Place};

/// Puts the volume of the `ConfigMap` in, or takes it out.
pub(crate) fn decide_volume<'v>(inputs: &Inputs<'_, 'v>, draft: &mut Draft<'v>, pod: &Pod<'_, 'v>) {
    let list = Place::Volumes(inputs.index, pod.at);
    let volumes = pod.spec.volumes.items();
    let is_ours = |volume| pod.ours.mounted && inputs.owns_volume(volume);
    let here = volumes.iter().position(is_ours);
    let wanted = pod.config_volume.filter(|_| pod.needs_volume);
    let is_same = |index: usize, wanted: &ConfigVolume<'_>| {
        let key = volumes[index].get().and_then(projected_key);
        inputs.ours.config_map.as_deref() == Some(&*wanted.name)
            && key.as_deref() == Some(&*wanted.key)
    };
    let mut created = pod.ours.created;
    match (here, wanted) {
        (None, None) => return,
        (Some(index), Some(wanted)) if is_same(index, wanted) => {}
        (Some(index), None) => {
            let created = created.filter(|_| volumes.len() == 1);
            draft
                .ops
                .push(created.map_or(Op::RemoveItem(list, index), |before| {
                    Op::take_out(list, before)
                }));
            return;
        }
        // A held predictor is left as it is, and no item can be added to a value that is not a list.
        (_, Some(_)) if is_held(inputs) || pod.spec.volumes.odd().is_some() => return,
        (here, Some(wanted)) => {
            draft
                .ops
                .extend(here.map(|index| Op::RemoveItem(list, index)));
            if pod.spec.volumes.is_absent() {
                let value = NewValue::Volumes([wanted.clone()]);
                draft.ops.push(Op::Add(list, value));
                created = Some(inputs.object.before(&pod.spec.volumes, list));
            } else {
                let position = old_position(inputs, pod.at).filter(|_| here.is_none());
                let value = NewValue::Volume(wanted.clone());
                draft
                    .ops
                    .push(Op::put(list, position, volumes.len(), value));
            }
        }
    }
    if let Some(before) = created {
        let record = &draft.record;
        let targets = pod.recorded(&mut draft.out);
        for target in targets.filter(|target| record.mounts_config(target)) {
            target.new.set(Part::Volumes, before);
        }
    }
}

fn is_held(inputs: &Inputs<'_, '_>) -> bool {
    matches!(inputs.wanted, Wanted::Hold)
}

/// Where our volume stood in that pod of the older object.
fn old_position(inputs: &Inputs<'_, '_>, at: usize) -> Option<usize> {
    let old = inputs
        .old?
        .component_specs
        .items()
        .get(at)?
        .get()?
        .spec
        .get()?;
    let mut volumes = old.volumes.items().iter();
    volumes.position(|volume| inputs.owns_volume(volume))
}

/// The mount of the `ConfigMap` in a container, before it is decided.
pub(crate) struct Mount<'c, 'v> {
    pub(crate) container: &'c Container<'v>,
    /// What is recorded of the container, if it mounts the `ConfigMap`.
    pub(crate) recorded: Option<TargetRecord>,
    pub(crate) wanted: bool,
    /// The container in the older object.
    pub(crate) old: Option<&'c Container<'v>>,
}

/// Puts the mount of the `ConfigMap` into a container, or takes it out, and notes in its record what is created for it.
pub(crate) fn decide_mount<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    holder: Holder,
    mount: &Mount<'_, 'v>,
    record: &mut Option<TargetRecord>,
) {
    let Mount {
        container,
        recorded,
        wanted,
        old,
    } = *mount;
    let list = Place::VolumeMounts(holder);
    let mounts = container.volume_mounts.items();
    let here =
        recorded.and_then(|recorded| Some((recorded, mounts.iter().position(is_our_mount)?)));
    match (here, wanted) {
        (Some(_), true) | (None, false) => {}
        // A held predictor is left as it is, and no item can be added to a value that is not a list.
        (None, true) if is_held(inputs) || container.volume_mounts.odd().is_some() => {}
        (Some((recorded, at)), false) => {
            // All that is in a stub was created with it.
            let new = recorded.new;
            let created = new.has(Part::VolumeMounts) || new.has(Part::Container);
            draft.ops.push(if created && mounts.len() == 1 {
                Op::take_out(list, new.before(Part::VolumeMounts))
            } else {
                Op::RemoveItem(list, at)
            });
        }
        (None, true) if container.volume_mounts.is_absent() => {
            draft.ops.push(Op::Add(list, NewValue::Mounts([MOUNT])));
            if let Some(record) = record {
                let before = inputs.object.before(&container.volume_mounts, list);
                record.new.set(Part::VolumeMounts, before);
            }
        }
        (None, true) => {
            let old = old.map(|old| old.volume_mounts.items().iter());
            let position = old.and_then(|mut mounts| mounts.position(is_our_mount));
            let item = Op::put(list, position, mounts.len(), NewValue::Mount(MOUNT));
            draft.ops.push(item);
        }
    }
    if let Some(record) = record.as_mut().filter(|_| !wanted) {
        record.new.unset(Part::VolumeMounts);
        record.new.unset(Part::Volumes);
    }
}
