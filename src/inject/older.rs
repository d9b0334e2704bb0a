//! The containers of the older object, for the places that variables and stubs had there.

use std::borrow::Cow;
use std::collections::HashMap;

use super::less_ours::containers;
use super::ordinals::Ordinals;
use super::shape::{Items, Shape};
use super::view::{ComponentSpec, Container, PodSpec};

/// The containers of the older object by key, with their indices in their lists.
#[derive(Default)]
pub(super) struct OldContainers<'v>(HashMap<Cow<'v, str>, (usize, &'v Container<'v>)>);

impl<'v> OldContainers<'v> {
    pub(super) fn of(
        components: &'v [Shape<ComponentSpec<'v>>],
        list: fn(&'v PodSpec<'v>) -> &'v Shape<Items<Container<'v>>>,
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

    pub(super) fn find(&self, key: &str) -> Option<(usize, &'v Container<'v>)> {
        self.0.get(key).copied()
    }
}
