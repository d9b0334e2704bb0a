//! The containers of the older object, for the places that variables and stubs had there.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::inject::ownership::keys::Ordinals;
use crate::inject::ownership::unchanged::containers;
use crate::seldon::lenient::{Items, Lenient};
use crate::seldon::object::{ComponentSpec, Container, PodSpec};

/// The containers of the older object by key, with their indices in their lists.
#[derive(Default)]
pub(crate) struct OldContainers<'v>(HashMap<Cow<'v, str>, (usize, &'v Container<'v>)>);

impl<'v> OldContainers<'v> {
    pub(crate) fn of(
        components: &'v [Lenient<ComponentSpec<'v>>],
        list: fn(&'v PodSpec<'v>) -> &'v Lenient<Items<Container<'v>>>,
    ) -> Self {
        let mut ordinals = Ordinals::of(containers(components, list));
        let pods = components
            .iter()
            .filter_map(|component| component.get()?.spec.get());
        let containers = pods
            .flat_map(|pod| list(pod).items().iter().enumerate())
            .filter_map(|(at, container)| Some((at, container.get()?)))
            .map(|(at, container)| (ordinals.key(&container.name), (at, container)));
        Self(containers.collect())
    }

    pub(crate) fn find(&self, key: &str) -> Option<(usize, &'v Container<'v>)> {
        self.0.get(key).copied()
    }
}
