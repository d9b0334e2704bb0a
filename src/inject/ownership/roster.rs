//! Which container of a predictor belongs to which entry of the record. It is looked up once, for every question about it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::keys::{self, Keys};
use super::mount::is_our_mount;
use super::present::Present;
use super::record::{Before, Named, Part, PredictorRecord, Record, TargetRecord};
use crate::seldon::lenient::Items;
use crate::seldon::object::{Container, PodSpec, Predictor};
use crate::seldon::{ContainerList, Lenient};

/// A container or init container of a predictor.
pub(crate) struct Member<'v, 'a> {
    /// Its key in the record.
    pub(crate) key: Cow<'v, str>,
    pub(crate) list: ContainerList,
    /// Its index in that list.
    pub(crate) index: usize,
    pub(crate) container: &'v Container<'a>,
    /// What the record says of it. An exact copy of a stub cannot be told from it, and stays and goes with it.
    pub(crate) recorded: Option<TargetRecord>,
    /// Whether it is a stub: a container that we added for a prepackaged server, and that holds nothing but its name and what is ours.
    pub(crate) is_stub: bool,
}

/// What the record says of the volumes of one pod.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OurVolumes {
    /// Whether a target in the pod mounts the `ConfigMap` by the record. A volume that nothing of ours mounts is the user's, even if it is
    /// the same.
    pub(crate) mounted: bool,
    /// What stood where the list was created for our volume, if it was.
    pub(crate) created: Option<Before>,
}

/// The containers of a predictor.
pub(crate) struct Roster<'v, 'a> {
    members: Vec<Member<'v, 'a>>,
    /// By componentSpec, where its containers and its init containers are among the members.
    pods: Vec<[Range<usize>; 2]>,
    /// By componentSpec; empty where no `ConfigMap` is recorded.
    volumes: Vec<OurVolumes>,
}

impl<'v, 'a> Roster<'v, 'a> {
    pub(crate) fn of(
        predictor: &'v Predictor<'a>,
        record: &Record<'_>,
        ours: &PredictorRecord<'_>,
    ) -> Self {
        let components = predictor.component_specs.items();
        let mut keys = LISTS.map(|_| Keys::default());
        let mut members = Vec::new();
        let mut pods = Vec::with_capacity(components.len());
        for component in components {
            let pod = component.get().and_then(|component| component.spec.get());
            pods.push([0, 1].map(|which: usize| {
                let start = members.len();
                let list = LISTS[which];
                let items = pod.map_or(&[][..], |pod| list_of(pod, list).items());
                for (index, item) in items.iter().enumerate() {
                    let Lenient::Is(container) = item else {
                        continue;
                    };
                    let key = keys[which].key(&container.name);
                    let entries = recorded_in(ours, list);
                    let is_stub = |target: &&TargetRecord| {
                        list == ContainerList::Containers && is_stub(container, record, target)
                    };
                    let name = container.name.text().unwrap_or_default();
                    let copied = || entries.get(&*keys::key(name, 0)).filter(is_stub);
                    let recorded = entries.get(&*key).or_else(copied);
                    members.push(Member {
                        is_stub: recorded.as_ref().is_some_and(is_stub),
                        recorded: recorded.copied(),
                        key,
                        list,
                        index,
                        container,
                    });
                }
                start..members.len()
            }));
        }
        let mut roster = Self {
            members,
            pods,
            volumes: Vec::new(),
        };
        if ours.config_map.is_some() {
            roster.volumes = roster.our_volumes(record, ours);
        }
        roster
    }

    /// All containers and init containers.
    pub(crate) fn members(&self) -> &[Member<'v, 'a>] {
        &self.members
    }

    /// Those of one list.
    pub(crate) fn in_list(&self, component: usize, list: ContainerList) -> &[Member<'v, 'a>] {
        let range = self.pods.get(component).map(|pod| &pod[list as usize]);
        range.map_or(&[], |range| &self.members[range.clone()])
    }

    /// The one of that index.
    pub(crate) fn at(
        &self,
        component: usize,
        list: ContainerList,
        index: usize,
    ) -> Option<&Member<'v, 'a>> {
        let members = self.in_list(component, list);
        let found = members.binary_search_by_key(&index, |member| member.index);
        found.ok().map(|at| &members[at])
    }

    /// What the record says of the volumes of a pod.
    pub(crate) fn volumes(&self, component: usize) -> OurVolumes {
        self.volumes.get(component).copied().unwrap_or_default()
    }

    /// A stub that has gone was in the first pod. The pod of another target that has gone is not known, so it may be any.
    fn our_volumes(&self, record: &Record<'_>, ours: &PredictorRecord<'_>) -> Vec<OurVolumes> {
        let mut volumes = vec![OurVolumes::default(); self.pods.len()];
        let mut found: [HashSet<&str>; 2] = Default::default();
        for (pod, ranges) in volumes.iter_mut().zip(&self.pods) {
            for member in ranges.iter().flat_map(|range| &self.members[range.clone()]) {
                if let Some(target) = &member.recorded {
                    found[member.list as usize].insert(&member.key);
                    pod.add(record, target);
                }
            }
        }
        for list in LISTS {
            let gone = recorded_in(ours, list).iter();
            for (_, target) in gone.filter(|(key, _)| !found[list as usize].contains(&***key)) {
                let is_stub = target.new.has(Part::Container);
                let candidates = if is_stub { 1 } else { volumes.len() };
                for pod in volumes.iter_mut().take(candidates) {
                    pod.add(record, target);
                }
            }
        }
        volumes
    }

    /// The containers by list and key, with their indices.
    pub(crate) fn by_key(&self) -> HashMap<(ContainerList, &str), &Member<'v, 'a>> {
        let members = self.members.iter();
        members
            .map(|member| ((member.list, &*member.key), member))
            .collect()
    }
}

impl OurVolumes {
    fn add(&mut self, record: &Record<'_>, target: &TargetRecord) {
        self.mounted |= record.mounts_config(target);
        if target.new.has(Part::Volumes) {
            self.created = Some(target.new.before(Part::Volumes));
        }
    }
}

/// The two lists, by their numbers.
const LISTS: [ContainerList; 2] = [ContainerList::Containers, ContainerList::InitContainers];

fn list_of<'v, 'a>(pod: &'v PodSpec<'a>, list: ContainerList) -> &'v Lenient<Items<Container<'a>>> {
    match list {
        ContainerList::Containers => &pod.containers,
        ContainerList::InitContainers => &pod.init_containers,
    }
}

/// What the record says of the containers of a list.
const fn recorded_in<'r, 'a>(
    ours: &'r PredictorRecord<'a>,
    list: ContainerList,
) -> &'r Named<'a, TargetRecord> {
    match list {
        ContainerList::Containers => &ours.containers,
        ContainerList::InitContainers => &ours.init_containers,
    }
}

/// A stub that a user emptied is a stub still: Seldon's defaulting would add the same.
fn is_stub(container: &Container<'_>, record: &Record<'_>, recorded: &TargetRecord) -> bool {
    recorded.new.has(Part::Container)
        && container.rest.is_empty()
        && container.env.odd().is_none()
        && container.volume_mounts.odd().is_none()
        && container.volume_mounts.items().iter().all(is_our_mount)
        && Present::find(&container.env, record.set_of(recorded)).entries()
            == container.env.items().len()
}
