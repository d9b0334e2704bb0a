//! The volume of the `ConfigMap` in the pods of a predictor, and its mount in the containers.

use crate::inject::ownership::keys::Ordinals;
use crate::inject::ownership::record::{Named, Part, PredictorRecord, Record, TargetRecord};
use crate::inject::ownership::unchanged::containers;
use crate::inject::patch::Op;
use crate::inject::patch::{ConfigVolume, NewValue};
use crate::inject::predictor::components::{FirstOfPod, Pass, PodVolume};
use crate::inject::predictor::mount::{is_our_mount, projected_key};
use crate::inject::predictor::{PredictorWalk, Wanted};
use crate::jaeger::variable::Variable;
use crate::seldon::lenient::{Items, Lenient};
use crate::seldon::object::{ComponentSpec, Container, PodSpec};
use crate::seldon::place::{Holder, Place};

impl<'v> PredictorWalk<'_, 'v> {
    /// Puts the volume of the `ConfigMap` in, or takes it out.
    pub(crate) fn volume(
        &mut self,
        at: usize,
        pod: &'v PodSpec<'v>,
        needed: &PodVolume,
        pass: &Pass<'_, 'v>,
    ) {
        let list = Place::Volumes(self.index, at);
        let volumes = pod.volumes.items();
        let is_ours = |volume| needed.ours.mounted && self.owns_volume(volume);
        let here = volumes.iter().position(is_ours);
        let wanted = pass.config_volume.filter(|_| needed.wanted);
        let fits = |index: usize, wanted: &ConfigVolume<'_>| {
            let same_name = self.ours.config_map.as_deref() == Some(&*wanted.name);
            let key = volumes[index].get().and_then(projected_key);
            same_name && key.as_deref() == Some(&*wanted.key)
        };
        match (here, wanted) {
            (None, None) => {}
            (Some(index), Some(wanted)) if fits(index, wanted) => {
                if needed.ours.created {
                    self.mark_volumes_created(needed.first);
                }
            }
            (Some(index), None) => {
                let is_last = needed.ours.created && volumes.len() == 1;
                self.planner.ops.push(if is_last {
                    Op::Remove(list)
                } else {
                    Op::RemoveItem(list, index)
                });
            }
            // What is held is not mended, and what is no list takes no item.
            (_, Some(_)) if matches!(self.wanted, Wanted::Hold) || pod.volumes.odd().is_some() => {}
            (here, Some(wanted)) => {
                if let Some(index) = here {
                    self.planner.ops.push(Op::RemoveItem(list, index));
                }
                let value = wanted.clone();
                if pod.volumes.is_absent() {
                    self.planner
                        .ops
                        .push(Op::Add(list, NewValue::Volumes(value)));
                    self.mark_volumes_created(needed.first);
                } else {
                    let old = self
                        .old
                        .and_then(|old| old.component_specs.items().get(at)?.get()?.spec.get());
                    let position = old.and_then(|old| {
                        old.volumes
                            .items()
                            .iter()
                            .position(|volume| self.owns_volume(volume))
                    });
                    self.planner.ops.push(match position {
                        Some(position) if here.is_none() && position < volumes.len() => {
                            Op::Insert(list, position, NewValue::Volume(value))
                        }
                        _ => Op::Append(list, NewValue::Volume(value)),
                    });
                    if needed.ours.created {
                        self.mark_volumes_created(needed.first);
                    }
                }
            }
        }
    }

    /// Notes with each target of a pod that mounts the `ConfigMap` that the list of volumes is ours.
    pub(crate) fn mark_volumes_created(&mut self, first: FirstOfPod) {
        let record = &self.planner.record;
        let containers = self.out.containers.values_mut().skip(first.container);
        let init_containers = self
            .out
            .init_containers
            .values_mut()
            .skip(first.init_container);
        for target in containers.chain(init_containers) {
            if record.set_of(target).get(Variable::ConfigPath).is_some() {
                target.new.set(Part::Volumes);
            }
        }
    }

    /// Puts the mount of the `ConfigMap` in, or takes it out. Says whether the list is new because of it.
    pub(crate) fn edit_mounts(
        &mut self,
        holder: Holder,
        container: &Container<'v>,
        wanted: bool,
        record: (Option<TargetRecord>, &mut Option<TargetRecord>),
        old: Option<&Container<'v>>,
    ) {
        let list = Place::VolumeMounts(holder);
        let (before, after) = record;
        let was_ours = before.is_some_and(|before| {
            self.ours_record
                .set_of(&before)
                .get(Variable::ConfigPath)
                .is_some()
        });
        let mounts = container.volume_mounts.items();
        let here = if was_ours {
            mounts.iter().position(is_our_mount)
        } else {
            None
        };
        match (here, wanted) {
            (Some(_), true) | (None, false) => {}
            // What is held is not mended, and what is no list takes no item.
            (None, true)
                if matches!(self.wanted, Wanted::Hold)
                    || container.volume_mounts.odd().is_some() => {}
            (Some(at), false) => {
                // All that is in a stub was created with it.
                let created = before.is_some_and(|before| {
                    before.new.has(Part::VolumeMounts) || before.new.has(Part::Container)
                });
                let is_last = created && mounts.len() == 1;
                self.planner.ops.push(if is_last {
                    Op::Remove(list)
                } else {
                    Op::RemoveItem(list, at)
                });
            }
            (None, true) if container.volume_mounts.is_absent() => {
                self.planner.ops.push(Op::Add(list, NewValue::Mounts));
                if let Some(after) = after {
                    after.new.set(Part::VolumeMounts);
                }
            }
            (None, true) => {
                let position =
                    old.and_then(|old| old.volume_mounts.items().iter().position(is_our_mount));
                self.planner.ops.push(match position {
                    Some(at) if at < mounts.len() => Op::Insert(list, at, NewValue::Mount),
                    _ => Op::Append(list, NewValue::Mount),
                });
            }
        }
        if let Some(after) = after.as_mut().filter(|_| !wanted) {
            after.new.unset(Part::VolumeMounts);
            after.new.unset(Part::Volumes);
        }
    }
}

/// What the record says of the volumes of one pod.
#[derive(Clone, Copy, Default)]
pub(crate) struct OurVolumes {
    /// Whether a target of the record is here that mounts the `ConfigMap`: a volume that nothing of ours mounts is the user's, even if it is
    /// the same.
    pub(crate) mounted: bool,
    /// Whether the list was created for our volume.
    pub(crate) created: bool,
}

/// What the record says of the volumes, by componentSpec. A stub that has gone was in the first pod; the pod of another target that has gone
/// is not known, so it may be any.
pub(crate) fn our_volumes<'v, 'a: 'v>(
    components: &'v [Lenient<ComponentSpec<'a>>],
    record: &Record<'_>,
    ours: &PredictorRecord<'_>,
) -> Vec<OurVolumes> {
    let mut pods = vec![OurVolumes::default(); components.len()];
    if ours.config_map.is_none() {
        return pods;
    }
    let mut left = ours.clone();
    let mut look = |list: fn(&'v PodSpec<'a>) -> &'v Lenient<Items<Container<'a>>>,
                    recorded: &mut Named<'_, TargetRecord>| {
        let mut names = Ordinals::of(containers(components, list));
        for (pod, component) in pods.iter_mut().zip(components) {
            let spec = component.get().and_then(|component| component.spec.get());
            let items = spec.map_or(&[][..], |spec| list(spec).items());
            for container in items.iter().filter_map(Lenient::get) {
                let key = names.key(&container.name);
                if let Some(target) = recorded.swap_remove(&*key) {
                    pod.add(record, &target);
                }
            }
        }
    };
    look(|pod| &pod.containers, &mut left.containers);
    look(|pod| &pod.init_containers, &mut left.init_containers);
    for target in left.in_pods() {
        let stub = target.new.has(Part::Container);
        let candidates = if stub { 1 } else { pods.len() };
        for pod in pods.iter_mut().take(candidates) {
            pod.add(record, target);
        }
    }
    pods
}

impl OurVolumes {
    fn add(&mut self, record: &Record<'_>, target: &TargetRecord) {
        let path = record.set_of(target).get(Variable::ConfigPath);
        self.mounted |= path.is_some();
        self.created |= target.new.has(Part::Volumes);
    }
}
