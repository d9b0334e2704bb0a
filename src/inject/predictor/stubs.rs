//! Stub containers for prepackaged servers. They stand where Seldon's own defaulting would put the containers of those servers.

use super::parts;
use super::pass::{Pass, Pod};
use crate::inject::draft::{Draft, Inputs};
use crate::inject::ownership::keys::key;
use crate::inject::ownership::record::{Part, Parts};
use crate::inject::patch::{ConfigVolume, MOUNT, NewPod, NewValue, Op, Stub};
use crate::inject::plan::TargetKind;
use crate::inject::target::{self, Candidate};
use crate::seldon::{ContainerList, Holder, Place};

/// A pod with the stubs to add, for a list of containers that is not there yet.
pub(crate) fn new_pod<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    pass: &Pass<'v>,
) -> NewPod<'v> {
    let config_volume = inputs.config_volume.as_ref();
    let mut new = Parts::default();
    new.set(Part::Volumes, None);
    let stubs = new_stubs(inputs, draft, 0, config_volume, new, pass);
    let mounted = stubs.iter().any(|stub| stub.volume_mounts.is_some());
    let volume = config_volume.filter(|_| mounted).cloned();
    NewPod {
        containers: stubs,
        volumes: volume.map(|volume| [volume]),
    }
}

/// The stubs to add to the first componentSpec, behind `first` containers. `with_config` is created with a stub that mounts the `ConfigMap`.
fn new_stubs<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    first: usize,
    config_volume: Option<&ConfigVolume<'v>>,
    with_config: Parts,
    pass: &Pass<'v>,
) -> Vec<Stub<'v>> {
    let list = ContainerList::Containers;
    let mut stubs = Vec::new();
    for name in pass.stubs.to_add() {
        let key = key(name, 0);
        let old = inputs.old_members.get(&(list, &*key));
        let decided = target::decide(
            inputs,
            Candidate {
                kind: TargetKind::PrepackagedServer,
                holder: Holder::Container {
                    predictor: inputs.index,
                    component: 0,
                    list,
                    index: first + stubs.len(),
                },
                name: name.clone(),
                env: None,
                recorded: inputs.ours.containers.get(&*key).copied(),
                left: draft.is_too_much(),
                config_volume,
                old_env: old.map(|old| &old.container.env),
            },
        );
        let written = decided.write(draft);
        let mounts_config = written.mounts_config;
        if let Some(mut record) = written.record {
            record.new = if mounts_config {
                with_config
            } else {
                Parts::default()
            };
            record.new.set(Part::Container, None);
            draft.out.containers.insert(key.into_owned().into(), record);
            stubs.push(Stub {
                name: name.clone(),
                env: written.into_entries(),
                volume_mounts: mounts_config.then_some([MOUNT]),
            });
        }
    }
    stubs
}

/// Adds the stubs to the first pod, of whose containers `left` stay.
pub(crate) fn add<'v>(
    inputs: &Inputs<'_, 'v>,
    draft: &mut Draft<'v>,
    pod: &mut Pod<'_, 'v>,
    left: usize,
    pass: &Pass<'v>,
) {
    let list = Place::Containers(inputs.index, pod.at, ContainerList::Containers);
    let stubs = new_stubs(
        inputs,
        draft,
        left,
        pod.config_volume,
        Parts::default(),
        pass,
    );
    pod.needs_volume |= stubs.iter().any(|stub| stub.volume_mounts.is_some());
    if pod.spec.containers.is_absent() {
        let part = Part::Containers;
        parts::creates(inputs, draft, part, list, &pod.spec.containers);
        draft.ops.push(Op::Add(list, NewValue::Stubs(stubs)));
        return;
    }
    for (stub, count) in stubs.into_iter().zip(left..) {
        let key = key(&stub.name, 0).into_owned();
        let old = inputs.old_members.get(&(ContainerList::Containers, &*key));
        let position = old.map(|old| old.index);
        draft
            .ops
            .push(Op::put(list, position, count, NewValue::Stub(stub)));
    }
}
