//! Which stubs are added and which are removed.

use std::borrow::Cow;
use std::collections::HashSet;

use indexmap::IndexSet;

use super::servers::wanted_stubs;
use crate::inject::draft::{Inputs, Wanted};
use crate::inject::notes::Notes;
use crate::inject::ownership::keys::name_in_key;
use crate::inject::ownership::record::Part;
use crate::seldon::ContainerList;
use crate::seldon::object::name_of;

/// Which stubs are added and which are removed, in the order of the graph.
#[derive(Debug, Default)]
pub(crate) struct StubOrder<'v> {
    add: Vec<Cow<'v, str>>,
    drop: HashSet<&'v str>,
}

impl<'v> StubOrder<'v> {
    /// The additions and removals if the wanted stubs of `existing` stay.
    fn keeping(existing: &IndexSet<&'v str>, wanted: IndexSet<Cow<'v, str>>) -> Self {
        let drop = existing.iter().copied();
        Self {
            drop: drop.filter(|name| !wanted.contains(*name)).collect(),
            add: wanted
                .into_iter()
                .filter(|name| !existing.contains(&**name))
                .collect(),
        }
    }

    /// Seldon's defaulting would append the missing containers in the order of the graph, and the name of the Deployment is made of the
    /// names in that order. So new stubs are added only behind the old ones; otherwise all are written again.
    fn in_graph_order(existing: &IndexSet<&'v str>, wanted: IndexSet<Cow<'v, str>>) -> Self {
        let mut kept = existing
            .iter()
            .filter(|name| wanted.contains(**name))
            .zip(&wanted);
        if kept.all(|(kept, wanted)| kept == wanted) {
            return Self::keeping(existing, wanted);
        }
        Self {
            drop: existing.iter().copied().collect(),
            add: wanted.into_iter().collect(),
        }
    }

    /// The stubs to add.
    pub(crate) fn to_add(&self) -> &[Cow<'v, str>] {
        &self.add
    }

    /// Whether the stub of that name is removed.
    pub(crate) fn drops(&self, name: &str) -> bool {
        self.drop.contains(name)
    }
}

/// Finds the existing stubs and the wanted ones.
pub(crate) fn order<'v>(inputs: &Inputs<'_, 'v>, notes: &mut Notes<'v>) -> StubOrder<'v> {
    if let Wanted::Off(_) | Wanted::Hold = inputs.wanted {
        // No stub is added, and existing ones are decided with the other containers.
        return StubOrder::default();
    }
    let (stubs, others) = named_containers(inputs);
    match inputs.wanted {
        Wanted::Off(_) | Wanted::Hold | Wanted::Restore => {
            let recorded = inputs.ours.containers.iter();
            let names = recorded
                .filter(|(_, target)| target.new.has(Part::Container))
                .map(|(key, _)| Cow::Owned(name_in_key(key).into_owned()))
                .filter(|name| !others.contains(&**name));
            StubOrder::keeping(&stubs, names.collect())
        }
        Wanted::On(_) => StubOrder::in_graph_order(&stubs, wanted_stubs(inputs, &others, notes)),
    }
}

/// The names of our stubs, and of all other containers.
fn named_containers<'v>(inputs: &Inputs<'_, 'v>) -> (IndexSet<&'v str>, HashSet<&'v str>) {
    let (mut stubs, mut others) = (IndexSet::new(), HashSet::new());
    let members = inputs.roster.members().iter();
    for member in members.filter(|member| member.list == ContainerList::Containers) {
        let Some(name) = name_of(&member.container.name) else {
            continue;
        };
        if member.is_stub {
            stubs.insert(name);
        } else {
            others.insert(name);
        }
    }
    (stubs, others)
}
