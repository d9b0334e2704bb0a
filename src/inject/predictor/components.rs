//! The componentSpecs of a predictor: containers, init containers, the `ConfigMap`'s volume, and stubs for prepackaged servers.

use std::collections::HashSet;

use crate::config::setting::Setting;
use crate::inject::layers::Origin;
use crate::inject::ownership::keys::Ordinals;
use crate::inject::ownership::older::OldContainers;
use crate::inject::ownership::record::{Part, TargetRecord};
use crate::inject::ownership::unchanged::containers;
use crate::inject::patch::Op;
use crate::inject::patch::{ConfigVolume, NewValue};
use crate::inject::predictor::mount::{mount_fits, volume_fits};
use crate::inject::predictor::servers::StubOrder;
use crate::inject::predictor::volumes::{OurVolumes, our_volumes};
use crate::inject::predictor::{PredictorWalk, Wanted};
use crate::inject::reason::Reason;
use crate::inject::target::{Candidate, ORCHESTRATOR, TargetKind};
use crate::jaeger::variable::Variable;
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::{ComponentSpec, Container, PodSpec, name_of};
use crate::seldon::place::{ContainerList, Holder, Place};

/// What a pass over the componentSpecs carries along.
pub(crate) struct Pass<'s, 'v> {
    pub(crate) config_volume: Option<&'s ConfigVolume<'v>>,
    pub(crate) names: Ordinals<'v>,
    /// The keys of the containers that stay.
    pub(crate) new_names: Ordinals<'v>,
    pub(crate) init_names: Ordinals<'v>,
    pub(crate) old: OldContainers<'v>,
    pub(crate) old_init: OldContainers<'v>,
    pub(crate) stubs: StubOrder<'v>,
    /// By componentSpec, what is ours of its volumes.
    pub(crate) volumes: Vec<OurVolumes>,
    /// Removals of whole componentSpecs, which would move the others.
    pub(crate) late: Vec<Op<'v>>,
}

/// Where in the record the targets of a pod begin.
#[derive(Clone, Copy, Default)]
pub(crate) struct FirstOfPod {
    pub(crate) container: usize,
    pub(crate) init_container: usize,
}

/// What one pod needs of the volume.
#[derive(Default)]
pub(crate) struct PodVolume {
    pub(crate) ours: OurVolumes,
    pub(crate) wanted: bool,
    pub(crate) first: FirstOfPod,
}

impl<'v> PredictorWalk<'_, 'v> {
    pub(crate) fn components(&mut self, config_volume: Option<&ConfigVolume<'v>>) {
        let specs = &self.view.component_specs;
        if let (Some(found), true) = (specs.odd(), self.is_on()) {
            self.planner
                .notes
                .odd(Place::ComponentSpecs(self.index), "a list", found);
        }
        let items = specs.items();
        let old_items = self.old.map_or(&[][..], |old| old.component_specs.items());
        let mut pass = Pass {
            config_volume,
            names: Ordinals::of(containers(items, |pod| &pod.containers)),
            new_names: Ordinals::of(containers(items, |pod| &pod.containers)),
            init_names: Ordinals::of(containers(items, |pod| &pod.init_containers)),
            old: OldContainers::of(old_items, |pod| &pod.containers),
            old_init: OldContainers::of(old_items, |pod| &pod.init_containers),
            stubs: self.stub_order(),
            volumes: our_volumes(items, self.ours_record, self.ours),
            late: Vec::new(),
        };
        for (at, component) in items.iter().enumerate() {
            let place = Place::ComponentSpec(self.index, at);
            match component {
                Lenient::Is(component) => self.component(at, component, &mut pass),
                odd => self.note_odd(place, odd.odd()),
            }
        }
        if items.is_empty() && specs.odd().is_none() && !pass.stubs.to_add().is_empty() {
            let pod = self.new_pod(&mut pass);
            let place = Place::ComponentSpecs(self.index);
            if specs.is_absent() {
                self.out.new.set(Part::ComponentSpecs);
                self.planner
                    .ops
                    .push(Op::Add(place, NewValue::ComponentSpecs(pod)));
            } else {
                self.creates(Part::ComponentSpec);
                self.planner
                    .ops
                    .push(Op::Append(place, NewValue::ComponentSpec(pod)));
            }
        }
        self.planner.ops.extend(pass.late.into_iter().rev());
        if matches!(self.wanted, Wanted::Restore) && !pass.stubs.to_add().is_empty() {
            // A stub that goes back between containers goes back between their records.
            let places = &self.ours.containers;
            self.out
                .containers
                .sort_by_cached_key(|key, _| places.get_index_of(key).unwrap_or(usize::MAX));
        }
        self.carry_parts();
        self.keep_exclusions();
    }

    fn note_odd(&mut self, place: Place<'v>, found: Option<&'static str>) {
        if let (Some(found), true) = (found, self.is_on()) {
            self.planner.notes.odd(place, "an object", found);
        }
    }

    /// Notes a name that is no text, such as the `n` that YAML reads as a boolean.
    fn note_name(&mut self, place: Place<'v>, name: &Lenient<Text<'v>>) {
        if let (Some(found), true) = (name.odd(), self.is_on()) {
            self.planner.notes.odd(place, "a string as its name", found);
        }
    }

    fn component(&mut self, at: usize, component: &'v ComponentSpec<'v>, pass: &mut Pass<'_, 'v>) {
        let place = Place::PodSpec(self.index, at);
        match &component.spec {
            Lenient::Is(pod) => self.pod(at, component, pod, pass),
            Lenient::Absent if at == 0 && !pass.stubs.to_add().is_empty() => {
                let pod = self.new_pod(pass);
                self.creates(Part::PodSpec);
                self.planner
                    .ops
                    .push(Op::Add(place, NewValue::PodSpec(pod)));
            }
            Lenient::Absent => {}
            odd => self.note_odd(place, odd.odd()),
        }
    }

    fn pod(
        &mut self,
        at: usize,
        component: &'v ComponentSpec<'v>,
        pod: &'v PodSpec<'v>,
        pass: &mut Pass<'_, 'v>,
    ) {
        let ours = pass.volumes[at];
        let config_fits = volume_fits(pod, |volume| ours.mounted && self.owns_volume(volume));
        let first = FirstOfPod {
            container: self.out.containers.len(),
            init_container: self.out.init_containers.len(),
        };
        let mut volume = PodVolume {
            ours,
            first,
            ..PodVolume::default()
        };
        let removed = self.containers(at, pod, config_fits, &mut volume, pass);
        let list = Place::Containers(self.index, at, ContainerList::Containers);
        let count = pod.containers.items().len();
        let adds = at == 0 && !pass.stubs.to_add().is_empty() && pod.containers.odd().is_none();
        if !adds && !removed.is_empty() && removed.len() == count && self.made_around_stubs() {
            let op = self.removal(at, component, pod, &volume);
            if matches!(op, Op::RemoveItem(..)) {
                pass.late.push(op);
                return;
            }
            let keeps_pod = matches!(op, Op::Remove(Place::Containers(..)));
            self.planner.ops.push(op);
            if !keeps_pod {
                return;
            }
        } else {
            self.planner.ops.extend(
                removed
                    .iter()
                    .rev()
                    .map(|index| Op::RemoveItem(list, *index)),
            );
        }
        if adds {
            self.add_stubs(
                at,
                pod,
                count - removed.len(),
                config_fits,
                &mut volume,
                pass,
            );
        }
        self.init_containers(at, pod, config_fits, &mut volume, pass);
        self.volume(at, pod, &volume, pass);
    }

    /// Decides the containers of a pod. Gives the indices of the stubs that go.
    fn containers(
        &mut self,
        at: usize,
        pod: &'v PodSpec<'v>,
        config_fits: bool,
        volume: &mut PodVolume,
        pass: &mut Pass<'_, 'v>,
    ) -> Vec<usize> {
        let list = ContainerList::Containers;
        if let (Some(found), true) = (pod.containers.odd(), self.is_on()) {
            self.planner
                .notes
                .odd(Place::Containers(self.index, at, list), "a list", found);
        }
        let mut removed = Vec::new();
        for (index, container) in pod.containers.items().iter().enumerate() {
            let holder = Holder::Container {
                predictor: self.index,
                component: at,
                list,
                index,
            };
            let Lenient::Is(container) = container else {
                self.note_odd(Place::Holder(holder), container.odd());
                continue;
            };
            self.note_name(Place::Holder(holder), &container.name);
            let key = pass.names.key(&container.name);
            let name = name_of(&container.name).unwrap_or_default();
            let mut recorded = self.ours.containers.get(&*key).copied();
            let is_stub = self.is_stub(container, recorded);
            if !is_stub {
                // The user made it a container: only what is in it is ours.
                recorded = recorded.map(user_made_it);
            }
            let goes = is_stub && pass.stubs.drops(name);
            let kind = if is_stub {
                TargetKind::PrepackagedServer
            } else {
                TargetKind::Container
            };
            let switch = Self::switched_off(if is_stub {
                self.planner.config.targets.prepackaged_servers
            } else {
                self.planner.config.targets.containers
            });
            let left = if goes { Some(Reason::Removed) } else { switch };
            let left = left.or_else(|| self.excludes(name).then_some(Reason::Excluded));
            let old = pass.old.find(&key).map(|(_, old)| old);
            let edits = self.planner.ops.len();
            let mut decided = self.target(Candidate {
                kind,
                holder,
                name: name.into(),
                env: &container.env,
                recorded,
                left,
                config_volume: pass
                    .config_volume
                    .filter(|_| config_fits && mount_fits(container, mounts(self, recorded))),
                old_env: old.map(|old| &old.env),
                as_stub: false,
            });
            if is_stub && decided.set.is_empty() {
                removed.push(index);
                // A stub that goes takes its env with it.
                self.planner.ops.truncate(edits);
                continue;
            }
            self.finish_container(holder, container, &mut decided, recorded, old, volume);
            let key = pass.new_names.key(&container.name);
            if let Some(record) = decided.record {
                self.out.containers.insert(key, record);
            }
        }
        removed
    }

    fn init_containers(
        &mut self,
        at: usize,
        pod: &'v PodSpec<'v>,
        config_fits: bool,
        volume: &mut PodVolume,
        pass: &mut Pass<'_, 'v>,
    ) {
        let list = ContainerList::InitContainers;
        let on = self.planner.config.targets.init_containers;
        if let (Some(found), true) = (pod.init_containers.odd(), self.is_on() && on) {
            self.planner
                .notes
                .odd(Place::Containers(self.index, at, list), "a list", found);
        }
        for (index, container) in pod.init_containers.items().iter().enumerate() {
            let holder = Holder::Container {
                predictor: self.index,
                component: at,
                list,
                index,
            };
            let Lenient::Is(container) = container else {
                if on {
                    self.note_odd(Place::Holder(holder), container.odd());
                }
                continue;
            };
            self.note_name(Place::Holder(holder), &container.name);
            let key = pass.init_names.key(&container.name);
            let name = name_of(&container.name).unwrap_or_default();
            let recorded = self.ours.init_containers.get(&*key).copied();
            let left =
                Self::switched_off(on).or_else(|| self.excludes(name).then_some(Reason::Excluded));
            let old = pass.old_init.find(&key).map(|(_, old)| old);
            let mut decided = self.target(Candidate {
                kind: TargetKind::InitContainer,
                holder,
                name: name.into(),
                env: &container.env,
                recorded,
                left,
                config_volume: pass
                    .config_volume
                    .filter(|_| config_fits && mount_fits(container, mounts(self, recorded))),
                old_env: old.map(|old| &old.env),
                as_stub: false,
            });
            self.finish_container(holder, container, &mut decided, recorded, old, volume);
            if let Some(record) = decided.record {
                self.out.init_containers.insert(key, record);
            }
        }
    }

    /// What is left to do once the variables of a container are decided: a whole env, and the mount.
    fn finish_container(
        &mut self,
        holder: Holder,
        container: &'v Container<'v>,
        decided: &mut crate::inject::target::Decided<'v>,
        recorded: Option<TargetRecord>,
        old: Option<&'v Container<'v>>,
        volume: &mut PodVolume,
    ) {
        if decided.env_goes {
            self.planner.ops.push(Op::Remove(Place::Env(holder)));
        } else if container.env.is_absent() && !decided.set.is_empty() {
            let entries = std::mem::take(&mut decided.entries);
            self.planner
                .ops
                .push(Op::Add(Place::Env(holder), NewValue::Env(entries)));
        }
        let env_from = self.is_on() && container.rest.get("envFrom").is_some();
        if env_from && !decided.set.is_empty() {
            let notes = &mut self.planner.notes;
            notes.add(Reason::EnvFrom, Place::Holder(holder), "");
        }
        let mounts_config = decided.set.get(Variable::ConfigPath).is_some();
        self.edit_mounts(
            holder,
            container,
            mounts_config,
            (recorded, &mut decided.record),
            old,
        );
        volume.wanted |= mounts_config;
    }

    /// Keeps the names that are excluded and are no server's, until all predictors have been seen.
    fn keep_exclusions(&mut self) {
        let Wanted::On(settings) = &self.wanted else {
            return;
        };
        let Some((text, origin)) = settings.get(Setting::ExcludeContainers) else {
            return;
        };
        let servers: HashSet<&str> = self
            .nodes
            .iter()
            .filter_map(|node| name_of(&node.name))
            .collect();
        let here = (origin == Origin::PredictorAnnotation).then_some(self.index);
        for name in crate::config::setting::excluded(text) {
            if name != ORCHESTRATOR && !servers.contains(name) {
                self.planner.excluded.insert((name.to_owned(), here));
            }
        }
    }
}

pub(crate) fn user_made_it(mut recorded: TargetRecord) -> TargetRecord {
    if recorded.new.has(Part::Container) {
        recorded.new.unset(Part::Container);
        recorded.new.set(Part::Env);
        recorded.new.set(Part::VolumeMounts);
    }
    recorded
}

pub(crate) fn mounts(walk: &PredictorWalk<'_, '_>, recorded: Option<TargetRecord>) -> bool {
    recorded.is_some_and(|recorded| {
        walk.ours_record
            .set_of(&recorded)
            .get(Variable::ConfigPath)
            .is_some()
    })
}
