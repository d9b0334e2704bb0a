//! Which nodes of the graph run a prepackaged server that can be traced, and which of them need a stub.

use std::borrow::Cow;
use std::collections::HashSet;

use indexmap::IndexSet;

use crate::config::setting::{Setting, excluded};
use crate::inject::draft::{Draft, Inputs, ORCHESTRATOR, Wanted};
use crate::inject::layers::Origin;
use crate::inject::notes::Notes;
use crate::inject::reason::Reason;
use crate::seldon::lenient::Text;
use crate::seldon::object::{Predictor, name_of};
use crate::seldon::server::{Runtime, is_built_in, speaks_v2};
use crate::seldon::{GraphError, Lenient, Node, Place, graph_nodes};

/// The nodes of a graph.
#[derive(Default)]
pub(crate) struct Servers<'v> {
    pub(crate) nodes: Vec<Node<'v>>,
    /// The names of those that run in `MLServer`.
    pub(crate) mlservers: HashSet<Cow<'v, str>>,
    /// The names of those with an image of the user's that probably runs `MLServer` too.
    pub(crate) own_images: HashSet<Cow<'v, str>>,
}

impl<'v> Servers<'v> {
    /// Reads the graph if the settings decide. A graph that cannot be read has no nodes.
    pub(crate) fn read(
        predictor: &'v Predictor<'v>,
        index: usize,
        protocol: Option<&str>,
        wanted: &Wanted<'v>,
        draft: &mut Draft<'v>,
    ) -> Self {
        let (Wanted::On(_), Some(graph)) = (wanted, predictor.graph) else {
            return Self::default();
        };
        let nodes = graph_nodes(graph).unwrap_or_else(|error| {
            let reason = match error {
                GraphError::TooManyNodes => Reason::TooManyTargets,
                GraphError::TooDeep => Reason::GraphTooDeep,
            };
            draft.notes.add(reason, Place::Graph(index), "");
            Vec::new()
        });
        let (mut mlservers, mut own_images) = (HashSet::new(), HashSet::new());
        // A container with the user's own image does not say what it runs. It is taken for MLServer where the user gives the endpoint; the
        // endpoint of a config is for the prepackaged servers of the cluster.
        let endpoint = otlp_endpoint(wanted);
        let with_own = endpoint.is_some_and(|origin| origin >= Origin::SpecAnnotation);
        for node in nodes.iter().filter(|_| speaks_v2(protocol)) {
            let Lenient::Is(Text(name)) = &node.name else {
                continue;
            };
            if name.is_empty() {
                continue;
            }
            let is_own = match name_of(&node.implementation) {
                None => true,
                Some(built_in) if is_built_in(built_in) => continue,
                Some(server) if Runtime::of(server, protocol) == Runtime::MlServer => false,
                Some(_) => continue,
            };
            let of_kind = if is_own && !with_own {
                &mut own_images
            } else {
                &mut mlservers
            };
            of_kind.insert(name.clone());
        }
        Self {
            nodes,
            mlservers,
            own_images,
        }
    }
}

/// The layer that gives the endpoint for `MLServer`, if one does.
fn otlp_endpoint(wanted: &Wanted<'_>) -> Option<Origin> {
    let Wanted::On(settings) = wanted else {
        return None;
    };
    let (_, origin) = settings.get(Setting::OtlpEndpoint)?;
    Some(origin)
}

/// The names of the nodes that need a stub, in the order of the graph. `others` are the names of the containers that are not stubs.
pub(crate) fn wanted_stubs<'v>(
    inputs: &Inputs<'_, 'v>,
    others: &HashSet<&'v str>,
    notes: &mut Notes<'v>,
) -> IndexSet<Cow<'v, str>> {
    let place = Place::Graph(inputs.index);
    let mut wanted = IndexSet::new();
    for node in &inputs.nodes {
        let Some(implementation) = name_of(&node.implementation) else {
            continue;
        };
        let name = name_of(&node.name).unwrap_or_default();
        if let Some(reason) = why_no_stub(inputs, implementation, name, others) {
            notes.add(reason, place, format!("{name} ({implementation})"));
            continue;
        }
        match &node.name {
            Lenient::Is(Text(name)) if !name.is_empty() => {
                wanted.insert(name.clone());
            }
            _ => notes.odd(place, "a node with a name", "a node without a name"),
        }
    }
    wanted
}

fn why_no_stub(
    inputs: &Inputs<'_, '_>,
    implementation: &str,
    name: &str,
    others: &HashSet<&str>,
) -> Option<Reason> {
    if is_built_in(implementation) {
        return Some(Reason::BuiltInNode);
    }
    if others.contains(name) {
        return Some(Reason::OwnContainer);
    }
    match Runtime::of(implementation, inputs.object.protocol) {
        Runtime::CannotTrace => return Some(Reason::ServerCannotTrace),
        Runtime::CannotTraceByProtocol => return Some(Reason::ProtocolCannotTrace),
        Runtime::MlServer if otlp_endpoint(inputs.wanted).is_none() => {
            return Some(Reason::NeedsOtlpEndpoint);
        }
        Runtime::MlServer | Runtime::Wrapper => {}
    }
    // An exclusion by the user is a more specific reason than a switch in the config.
    if inputs.excluded.contains(name) {
        return Some(Reason::Excluded);
    }
    let switched_on = inputs.object.config.targets.prepackaged_servers;
    (!switched_on).then_some(Reason::TargetSwitchedOff)
}

/// Keeps the excluded names that are not names of servers, until all predictors have been seen.
pub(crate) fn keep_exclusions(inputs: &Inputs<'_, '_>, draft: &mut Draft<'_>) {
    let Wanted::On(settings) = inputs.wanted else {
        return;
    };
    let Some((text, origin)) = settings.get(Setting::ExcludeContainers) else {
        return;
    };
    let names = inputs.nodes.iter().filter_map(|node| name_of(&node.name));
    let servers: HashSet<&str> = names.collect();
    let here = (origin == Origin::PredictorAnnotation).then_some(inputs.index);
    for name in excluded(text) {
        if name != ORCHESTRATOR && !servers.contains(name) {
            draft.exclusions.insert((name.to_owned(), here));
        }
    }
}
