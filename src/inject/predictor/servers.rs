//! Prepackaged servers: nodes of the graph that Seldon gives a container of its own making
//! (<https://docs.seldon.ai/seldon-core-1/configuration/servers>).

use std::borrow::Cow;
use std::collections::HashSet;

use indexmap::IndexSet;

use crate::config::setting::Setting;
use crate::inject::layers::Origin;
use crate::inject::ownership::keys::Ordinals;
use crate::inject::ownership::record::{self, Part, name_in_key};
use crate::inject::ownership::unchanged::containers;
use crate::inject::predictor::{PredictorWalk, Wanted};
use crate::inject::reason::Reason;
use crate::seldon::lenient::{Lenient, Text};
use crate::seldon::object::name_of;
use crate::seldon::place::Place;
use crate::seldon::{GraphError, Node, graph_nodes};

/// Which stubs come and which go, in graph order.
#[derive(Debug, Default)]
pub(crate) struct StubOrder<'v> {
    add: Vec<Cow<'v, str>>,
    drop: HashSet<&'v str>,
}

impl<'v> StubOrder<'v> {
    /// Seldon's defaulting would append the missing containers in graph order, and the name of the Deployment is made of the names in that
    /// order. So new stubs may only come behind the old ones; else all are written anew.
    fn new(existing: &IndexSet<&'v str>, wanted: IndexSet<Cow<'v, str>>, may_move: bool) -> Self {
        let kept = existing.iter().filter(|name| wanted.contains(**name));
        let in_front = kept.zip(&wanted).all(|(kept, wanted)| kept == wanted);
        let drop = existing.iter().copied();
        if in_front || !may_move {
            return Self {
                drop: drop.filter(|name| !wanted.contains(*name)).collect(),
                add: wanted
                    .into_iter()
                    .filter(|name| !existing.contains(&**name))
                    .collect(),
            };
        }
        Self {
            drop: drop.collect(),
            add: wanted.into_iter().collect(),
        }
    }

    /// The stubs to append.
    pub(crate) fn to_add(&self) -> &[Cow<'v, str>] {
        &self.add
    }

    /// Whether the stub of that name goes.
    pub(crate) fn drops(&self, name: &str) -> bool {
        self.drop.contains(name)
    }
}

impl<'v> PredictorWalk<'_, 'v> {
    /// Finds the stubs that are there and those that should be.
    pub(crate) fn stub_order(&mut self) -> StubOrder<'v> {
        let (stubs, others) = self.named_containers();
        match &self.wanted {
            // Whatever is there is dealt with where it stands.
            Wanted::Off(_) | Wanted::Hold => StubOrder::default(),
            Wanted::Restore => {
                let names = self
                    .ours
                    .containers
                    .iter()
                    .filter(|(_, target)| target.new.has(Part::Container));
                let wanted = names
                    .map(|(key, _)| Cow::Owned(name_in_key(key).into_owned()))
                    .filter(|name| !others.contains(&**name));
                StubOrder::new(&stubs, wanted.collect(), false)
            }
            Wanted::On(_) => {
                let wanted = self.wanted_stubs(&others);
                StubOrder::new(&stubs, wanted, true)
            }
        }
    }

    /// The names of our stubs, and of all other containers.
    fn named_containers(&self) -> (IndexSet<&'v str>, HashSet<&'v str>) {
        let items = self.view.component_specs.items();
        let mut recorded = self.ours.containers.values();
        if recorded.all(|target| !target.new.has(Part::Container)) {
            let names = containers(items, |pod| &pod.containers)
                .flatten()
                .filter_map(name_of);
            return (IndexSet::new(), names.collect());
        }
        let (mut stubs, mut others) = (IndexSet::new(), HashSet::new());
        let mut names = Ordinals::of(containers(items, |pod| &pod.containers));
        let pods = items
            .iter()
            .filter_map(|component| component.get()?.spec.get());
        for container in pods
            .flat_map(|pod| pod.containers.items())
            .filter_map(Lenient::get)
        {
            // A copy of a stub is not a stub: only the first of a name is in the record under that name.
            let key = names.key(&container.name);
            let Some(name) = name_of(&container.name) else {
                continue;
            };
            let recorded = self.ours.containers.get(&*key).copied();
            let first = self.ours.containers.get(&*record::key(name, 0)).copied();
            if self.is_stub(container, recorded) {
                stubs.insert(name);
            } else if !self.is_stub(container, first) {
                // An exact copy of a stub does not make the stub go: it could not be told which of them went.
                others.insert(name);
            }
        }
        (stubs, others)
    }

    /// The nodes of the graph; none where it cannot be read.
    pub(crate) fn read_graph(&mut self) -> Vec<Node<'v>> {
        let Some(graph) = self.view.graph else {
            return Vec::new();
        };
        graph_nodes(graph).unwrap_or_else(|error| {
            let reason = match error {
                GraphError::TooManyNodes => Reason::TooManyTargets,
                GraphError::TooDeep => Reason::GraphTooDeep,
            };
            self.planner.notes.add(reason, Place::Graph(self.index), "");
            Vec::new()
        })
    }

    fn wanted_stubs(&mut self, others: &HashSet<&'v str>) -> IndexSet<Cow<'v, str>> {
        let place = Place::Graph(self.index);
        let mut wanted: IndexSet<Cow<'v, str>> = IndexSet::new();
        for node in self.nodes.clone() {
            let Some(implementation) = name_of(&node.implementation) else {
                continue;
            };
            let name = name_of(&node.name).unwrap_or_default();
            let reason = if is_built_in(implementation) {
                Some(Reason::BuiltInNode)
            } else if others.contains(name) {
                Some(Reason::OwnContainer)
            } else {
                Runtime::of(implementation, self.protocol)
                    .why_not(self.has_otlp_endpoint())
                    .or_else(|| self.excludes(name).then_some(Reason::Excluded))
                    .or_else(|| Self::switched_off(self.planner.config.targets.prepackaged_servers))
            };
            if let Some(reason) = reason {
                self.planner
                    .notes
                    .add(reason, place, format!("{name} ({implementation})"));
                continue;
            }
            match node.name {
                Lenient::Is(Text(name)) if !name.is_empty() => {
                    wanted.insert(name);
                }
                _ => self
                    .planner
                    .notes
                    .odd(place, "a node with a name", "one without"),
            }
        }
        wanted
    }

    fn has_otlp_endpoint(&self) -> bool {
        self.otlp_endpoint_origin().is_some()
    }

    fn otlp_endpoint_origin(&self) -> Option<Origin> {
        let Wanted::On(settings) = &self.wanted else {
            return None;
        };
        settings
            .get(Setting::OtlpEndpoint)
            .map(|(_, origin)| origin)
    }

    /// The names of the nodes that run in `MLServer`.
    ///
    /// What an image of the user's own is cannot be seen. It is taken for `MLServer` where the user gives the endpoint; a config speaks for
    /// the prepackaged servers of the cluster.
    pub(crate) fn find_mlservers(&self) -> HashSet<Cow<'v, str>> {
        if !speaks_v2(self.protocol) {
            return HashSet::new();
        }
        let with_own = self
            .otlp_endpoint_origin()
            .is_some_and(|origin| origin >= Origin::SpecAnnotation);
        self.nodes
            .iter()
            .filter_map(|node| {
                let is_mlserver =
                    name_of(&node.implementation).map_or(with_own, |implementation| {
                        !is_built_in(implementation)
                            && Runtime::of(implementation, self.protocol) == Runtime::MlServer
                    });
                match &node.name {
                    Lenient::Is(Text(name)) if is_mlserver && !name.is_empty() => {
                        Some(name.clone())
                    }
                    _ => None,
                }
            })
            .collect()
    }

    /// Whether a container of that name runs `MLServer`.
    pub(crate) fn is_mlserver(&self, name: &str) -> bool {
        self.mlservers.contains(name)
    }
}

/// What runs for a node with a prepackaged server, as far as tracing is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runtime {
    /// Seldon's Python wrapper, which reads the variables of Jaeger.
    Wrapper,
    /// `MLServer`, which sends OTLP.
    MlServer,
    /// A server that does not trace, or not by any variable.
    Other(Reason),
}

impl Runtime {
    /// By the table of Seldon's servers. A name of the cluster's own stands most often for what Seldon's own servers are.
    fn of(implementation: &str, protocol: Option<&str>) -> Self {
        let is_wrapper = matches!(protocol, None | Some("" | "seldon"));
        match implementation {
            "TRITON_SERVER" => Self::Other(Reason::ServerCannotTrace),
            "TENSORFLOW_SERVER" if !is_wrapper => Self::Other(Reason::ProtocolCannotTrace),
            _ if speaks_v2(protocol) => Self::MlServer,
            "HUGGINGFACE_SERVER" | "TEMPO_SERVER" => Self::Other(Reason::ServerCannotTrace),
            _ if is_wrapper => Self::Wrapper,
            _ => Self::Other(Reason::ProtocolCannotTrace),
        }
    }

    /// Why nothing is added for it.
    const fn why_not(self, has_otlp_endpoint: bool) -> Option<Reason> {
        match self {
            Self::MlServer if !has_otlp_endpoint => Some(Reason::NeedsOtlpEndpoint),
            Self::Wrapper | Self::MlServer => None,
            Self::Other(reason) => Some(reason),
        }
    }
}

/// Whether the protocol is that of `MLServer`; kfserving is its older name.
pub(crate) fn speaks_v2(protocol: Option<&str>) -> bool {
    matches!(protocol, Some("v2" | "kfserving"))
}

/// The units that the orchestrator runs in its own process.
fn is_built_in(implementation: &str) -> bool {
    matches!(
        implementation,
        "SIMPLE_MODEL"
            | "SIMPLE_ROUTER"
            | "RANDOM_ABTEST"
            | "AVERAGE_COMBINER"
            | "UNKNOWN_IMPLEMENTATION"
    )
}
