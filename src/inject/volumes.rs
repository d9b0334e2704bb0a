//! The volume of the `ConfigMap` in the pods of a predictor, and its mount in the containers.

use super::components::{FirstOfPod, Pass, PodVolume, mounts};
use super::less_ours::containers;
use super::mount::{is_our_mount, projected_key};
use super::new_value::{ConfigVolume, NewValue};
use super::ordinals::Ordinals;
use super::patch::{Holder, Op, Place};
use super::predictor::{PredictorWalk, Wanted};
use super::record::{Part, TargetRecord};
use super::shape::{Items, Shape};
use super::variable::Variable;
use super::view::{Container, PodSpec};

impl<'v> PredictorWalk<'_, 'v> {
    /// Puts the volume of the `ConfigMap` in, or takes it out.
    pub(super) fn volume(
        &mut self,
        at: usize,
        pod: &'v PodSpec<'v>,
        needed: &PodVolume,
        pass: &Pass<'_, 'v>,
    ) {
        let list = Place::Volumes(self.index, at);
        let volumes = pod.volumes.items();
        let is_ours = |volume| needed.mounted && self.owns_volume(volume);
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
                if needed.created {
                    self.mark_volumes_created(needed.first);
                }
            }
            (Some(index), None) => {
                let is_last = needed.created && volumes.len() == 1;
                self.planner.ops.push(if is_last {
                    Op::Remove(list)
                } else {
                    Op::RemoveItem(list, index)
                });
            }
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
                    if needed.created {
                        self.mark_volumes_created(needed.first);
                    }
                }
            }
        }
    }

    /// Notes with each target of a pod that mounts the `ConfigMap` that the list of volumes is ours.
    pub(super) fn mark_volumes_created(&mut self, first: FirstOfPod) {
        let record = &self.planner.record;
        let containers = self.out.containers.0.iter_mut().skip(first.container);
        let init_containers = self
            .out
            .init_containers
            .0
            .iter_mut()
            .skip(first.init_container);
        for (_, target) in containers.chain(init_containers) {
            if record.set_of(target).get(Variable::ConfigPath).is_some() {
                target.new.set(Part::Volumes);
            }
        }
    }

    /// By componentSpec, whether a target of the record is there that mounts the `ConfigMap`.
    pub(super) fn pods_with_mounts(&self) -> Vec<bool> {
        if self.ours.config_map.is_none() {
            return Vec::new();
        }
        let items = self.view.component_specs.items();
        let mut names = Ordinals::of(containers(items, |pod| &pod.containers));
        let mut init_names = Ordinals::of(containers(items, |pod| &pod.init_containers));
        let (mut cursor, mut init_cursor) = (0, 0);
        let mut any = |list: &'v Shape<Items<Container<'v>>>, is_init: bool| {
            let (names, recorded, cursor) = if is_init {
                (
                    &mut init_names,
                    &self.ours.init_containers,
                    &mut init_cursor,
                )
            } else {
                (&mut names, &self.ours.containers, &mut cursor)
            };
            let keys = list.items().iter().filter_map(Shape::get);
            keys.map(|container| names.key(&container.name))
                .filter(|key| mounts(self, recorded.find(key, cursor).copied()))
                .count()
                > 0
        };
        let pods = items
            .iter()
            .map(|component| component.get().and_then(|component| component.spec.get()));
        pods.map(|pod| {
            pod.is_some_and(|pod| any(&pod.containers, false) | any(&pod.init_containers, true))
        })
        .collect()
    }

    /// Puts the mount of the `ConfigMap` in, or takes it out. Says whether the list is new because of it.
    pub(super) fn edit_mounts(
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
            // What is held is not mended.
            (None, true) if matches!(self.wanted, Wanted::Hold) => {}
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
