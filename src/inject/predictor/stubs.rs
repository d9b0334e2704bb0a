//! Stub containers for prepackaged servers: put in where Seldon's own defaulting would put them, and taken out with all that was
//! created around them.

use crate::inject::ownership::present::Owned;
use crate::inject::ownership::record::{Part, TargetRecord};
use crate::inject::patch::Op;
use crate::inject::patch::{NewPod, NewValue, Stub};
use crate::inject::predictor::PredictorWalk;
use crate::inject::predictor::components::{Pass, PodVolume};
use crate::inject::predictor::mount::is_our_mount;
use crate::inject::target::{Candidate, NO_ENV, TargetKind};
use crate::jaeger::variable::Variable;
use crate::seldon::object::{ComponentSpec, Container, PodSpec};
use crate::seldon::place::{ContainerList, Holder, Place};

/// The parts that may have been created around stubs, outermost first.
const AROUND_STUBS: [Part; 4] = [
    Part::ComponentSpecs,
    Part::ComponentSpec,
    Part::PodSpec,
    Part::Containers,
];

impl<'v> PredictorWalk<'_, 'v> {
    /// Stubs for a list of containers that is not there yet.
    pub(crate) fn new_pod(&mut self, pass: &mut Pass<'_, 'v>) -> NewPod<'v> {
        let stubs = self.new_stubs(0, true, true, pass);
        let volume = pass
            .config_volume
            .filter(|_| stubs.iter().any(|stub| stub.mounts_config))
            .cloned();
        NewPod { stubs, volume }
    }

    /// Stubs for the first componentSpec, behind `first` containers.
    pub(crate) fn new_stubs(
        &mut self,
        first: usize,
        new_pod: bool,
        config_fits: bool,
        pass: &mut Pass<'_, 'v>,
    ) -> Vec<Stub<'v>> {
        let mut stubs = Vec::new();
        for name in pass.stubs.to_add().to_vec() {
            let key = crate::inject::ownership::record::key(&name, 0).into_owned();
            let recorded = self.ours.containers.get(&*key).copied();
            let old = pass.old.find(&key);
            let holder = Holder::Container {
                predictor: self.index,
                component: 0,
                list: ContainerList::Containers,
                index: first + stubs.len(),
            };
            let decided = self.target(Candidate {
                kind: TargetKind::PrepackagedServer,
                holder,
                name: name.clone(),
                env: NO_ENV,
                recorded,
                left: None,
                config_volume: pass.config_volume.filter(|_| config_fits),
                old_env: old.map(|(_, container)| &container.env),
                as_stub: true,
            });
            if let Some(mut record) = decided.record {
                record.new = crate::inject::ownership::record::Parts::default();
                record.new.set(Part::Container);
                if new_pod && decided.set.get(Variable::ConfigPath).is_some() {
                    record.new.set(Part::Volumes);
                }
                let mounts_config = decided.set.get(Variable::ConfigPath).is_some();
                self.out.containers.insert(key.into(), record);
                stubs.push(Stub {
                    name,
                    env: decided.entries,
                    mounts_config,
                });
            }
        }
        stubs
    }

    pub(crate) fn add_stubs(
        &mut self,
        at: usize,
        pod: &'v PodSpec<'v>,
        left: usize,
        config_fits: bool,
        volume: &mut PodVolume,
        pass: &mut Pass<'_, 'v>,
    ) {
        let list = Place::Containers(self.index, at, ContainerList::Containers);
        let positions: Vec<_> = pass
            .stubs
            .to_add()
            .iter()
            .map(|name| {
                pass.old
                    .find(&crate::inject::ownership::record::key(name, 0))
                    .map(|(position, _)| position)
            })
            .collect();
        let stubs = self.new_stubs(left, false, config_fits, pass);
        volume.wanted |= stubs.iter().any(|stub| stub.mounts_config);
        if pod.containers.is_absent() {
            self.creates(Part::Containers);
            self.planner.ops.push(Op::Add(list, NewValue::Stubs(stubs)));
            return;
        }
        for ((stub, position), count) in stubs.into_iter().zip(positions).zip(left..) {
            self.planner.ops.push(match position {
                Some(position) if position < count => {
                    Op::Insert(list, position, NewValue::Stub(stub))
                }
                _ => Op::Append(list, NewValue::Stub(stub)),
            });
        }
    }

    /// Whether a container was a stub and holds nothing but its name and what is ours. One that a user emptied is a stub still: Seldon's
    /// defaulting would add the same.
    pub(crate) fn is_stub(
        &self,
        container: &Container<'v>,
        recorded: Option<TargetRecord>,
    ) -> bool {
        let Some(recorded) = recorded.filter(|recorded| recorded.new.has(Part::Container)) else {
            return false;
        };
        let owned = Owned::find(&container.env, self.ours_record.set_of(&recorded));
        container.rest.is_empty()
            && container.env.odd().is_none()
            && owned.entries() == container.env.items().len()
            && container.volume_mounts.odd().is_none()
            && container.volume_mounts.items().iter().all(is_our_mount)
    }

    /// Records that a part is created around stubs, unless it stands in one that was created earlier and goes with it.
    pub(crate) fn creates(&mut self, part: Part) {
        let outer = AROUND_STUBS.into_iter().take_while(|outer| *outer != part);
        if !outer.into_iter().any(|outer| self.ours.new.has(outer)) {
            self.out.new.set(part);
        }
    }

    pub(crate) fn made_around_stubs(&self) -> bool {
        AROUND_STUBS.into_iter().any(|part| self.ours.new.has(part))
    }

    /// The operation that takes out what was created around the stubs of a pod, as far as nothing else is in it.
    pub(crate) fn removal(
        &self,
        at: usize,
        component: &ComponentSpec<'v>,
        pod: &PodSpec<'v>,
        needed: &PodVolume,
    ) -> Op<'v> {
        let made = |part| self.ours.new.has(part);
        let list = Place::Containers(self.index, at, ContainerList::Containers);
        let volumes_go = pod.volumes.odd().is_none()
            && pod
                .volumes
                .items()
                .iter()
                .all(|volume| needed.ours.mounted && self.owns_volume(volume));
        let pod_is_empty =
            pod.rest.is_empty() && pod.init_containers.is_absent() && volumes_go && !needed.wanted;
        if !pod_is_empty || made(Part::Containers) {
            return Op::Remove(list);
        }
        if !component.rest.is_empty() || made(Part::PodSpec) {
            return Op::Remove(Place::PodSpec(self.index, at));
        }
        let components = Place::ComponentSpecs(self.index);
        let only = self.view.component_specs.items().len() == 1;
        if only && made(Part::ComponentSpecs) {
            Op::Remove(components)
        } else {
            Op::RemoveItem(components, at)
        }
    }

    /// Structures that were created earlier stay recorded while a stub of ours is in them.
    pub(crate) fn carry_parts(&mut self) {
        if self
            .out
            .containers
            .values()
            .any(|target| target.new.has(Part::Container))
        {
            // What is in the outermost one goes with it.
            let is_made = |part: &Part| self.ours.new.has(*part) || self.out.new.has(*part);
            let outermost = AROUND_STUBS.into_iter().find(is_made);
            for part in AROUND_STUBS {
                self.out.new.unset(part);
            }
            if let Some(part) = outermost {
                self.out.new.set(part);
            }
        }
    }
}
