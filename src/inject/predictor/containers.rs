//! The containers of a list, `containers` or `initContainers`.

use super::pass::{Pass, Pod};
use super::volumes::{Mount, decide_mount};
use crate::config::Targets;
use crate::inject::draft::{Draft, Inputs};
use crate::inject::ownership::mount::mount_fits;
use crate::inject::ownership::record::{Part, TargetRecord};
use crate::inject::ownership::roster::Member;
use crate::inject::plan::TargetKind;
use crate::inject::reason::Reason;
use crate::inject::target::{self, Candidate};
use crate::seldon::object::name_of;
use crate::seldon::{ContainerList, Holder, Place};

/// Decides the containers of a list. Returns the indices of the stubs that are removed.
pub(crate) fn decide_list<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    pod: &mut Pod<'_, 'v>,
    list: ContainerList,
    pass: &mut Pass<'v>,
) -> Vec<usize> {
    let (items, is_looked_at) = match list {
        ContainerList::Containers => (&pod.spec.containers, true),
        ContainerList::InitContainers => {
            let switched_on = inputs.object.config.targets.init_containers;
            (&pod.spec.init_containers, switched_on)
        }
    };
    if is_looked_at {
        let place = Place::Containers(inputs.index, pod.at, list);
        inputs.note_odd(draft, place, "a list", items);
    }
    let mut removed = Vec::new();
    for (index, item) in items.items().iter().enumerate() {
        let holder = Holder::Container {
            predictor: inputs.index,
            component: pod.at,
            list,
            index,
        };
        if let Some(member) = inputs.roster.at(pod.at, list, index) {
            if !decide_container(inputs, draft, pod, holder, member, pass) {
                removed.push(index);
            }
        } else if is_looked_at {
            inputs.note_odd(draft, Place::Holder(holder), "an object", item);
        }
    }
    removed
}

/// Decides a container. Returns whether it stays.
fn decide_container<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    pod: &mut Pod<'_, 'v>,
    holder: Holder,
    member: &Member<'v, 'v>,
    pass: &mut Pass<'v>,
) -> bool {
    let container = member.container;
    let is_init = member.list == ContainerList::InitContainers;
    // A name can be of another type, such as the `n` that YAML reads as a boolean.
    let place = Place::Holder(holder);
    inputs.note_odd(draft, place, "a string as its name", &container.name);
    let name = name_of(&container.name).unwrap_or_default();
    let recorded = if member.is_stub || is_init {
        member.recorded
    } else {
        member.recorded.map(made_by_user)
    };
    let (kind, switched_on) = kind_of(member, inputs.object.config.targets);
    let goes = member.is_stub && pass.stubs.drops(name);
    let left = goes.then_some(Reason::Removed);
    let left = left.or_else(|| inputs.why_left(switched_on, name));
    let mounted = recorded.is_some_and(|recorded| inputs.object.record.mounts_config(&recorded));
    let fits = |_: &&_| mount_fits(container, mounted);
    let old = inputs.old_members.get(&(member.list, &*member.key));
    let old = old.map(|old| old.container);
    let decided = target::decide(
        inputs,
        Candidate {
            kind,
            holder,
            name: name.into(),
            env: Some(&container.env),
            recorded,
            left: left.or_else(|| draft.is_too_much()),
            config_volume: pod.config_volume.filter(fits),
            old_env: old.map(|old| &old.env),
        },
    );
    let mut written = decided.write(draft);
    if member.is_stub && written.record.is_none() {
        // It takes its environment with it.
        return false;
    }
    written.edit.write(holder, &mut draft.ops);
    let has_env_from = inputs.is_on() && container.rest.get("envFrom").is_some();
    if has_env_from && written.record.is_some() {
        draft.notes.add(Reason::EnvFrom, place, "");
    }
    let mount = Mount {
        container,
        recorded: recorded.filter(|_| mounted),
        wanted: written.mounts_config,
        old,
    };
    decide_mount(inputs, draft, holder, &mount, &mut written.record);
    pod.needs_volume |= written.mounts_config;
    let (key, out) = if is_init {
        (member.key.clone(), &mut draft.out.init_containers)
    } else {
        (pass.keys.key(&container.name), &mut draft.out.containers)
    };
    if let Some(record) = written.record {
        out.insert(key, record);
    }
    true
}

/// The kind of a container, and whether the config switches that kind on.
const fn kind_of(member: &Member<'_, '_>, switches: Targets) -> (TargetKind, bool) {
    match (member.list, member.is_stub) {
        (ContainerList::InitContainers, _) => (TargetKind::InitContainer, switches.init_containers),
        (ContainerList::Containers, true) => {
            (TargetKind::PrepackagedServer, switches.prepackaged_servers)
        }
        (ContainerList::Containers, false) => (TargetKind::Container, switches.containers),
    }
}

/// What is recorded of a stub that the user made a container of their own: only what is in it is ours.
fn made_by_user(mut recorded: TargetRecord) -> TargetRecord {
    if recorded.new.has(Part::Container) {
        recorded.new.unset(Part::Container);
        recorded.new.set(Part::Env, None);
        recorded.new.set(Part::VolumeMounts, None);
    }
    recorded
}
