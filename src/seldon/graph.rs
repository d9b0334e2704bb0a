//! The nodes of an inference graph, in the order in which Seldon visits them.

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use crate::seldon::lenient::{Budget, FromJson, Key, Lenient, Text};

/// The most nodes of a graph that are read.
pub const MAX_NODES: usize = 2_000;

/// Why a graph is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GraphError {
    /// It has more than [`MAX_NODES`] nodes.
    TooManyNodes,
    /// It is nested deeper than `serde_json` reads (128 levels).
    TooDeep,
}

/// A node of the inference graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node<'a> {
    pub(crate) name: Lenient<Text<'a>>,
    pub(crate) implementation: Lenient<Text<'a>>,
}

/// Reads the nodes of a graph, parents before their children, which is the order in which Seldon's defaulting visits them.
///
/// # Errors
/// See [`GraphError`].
pub(crate) fn graph_nodes(graph: &RawValue) -> Result<Vec<Node<'_>>, GraphError> {
    // It counts the nodes.
    let budget = Budget::of(MAX_NODES);
    let mut json = serde_json::Deserializer::from_str(graph.get());
    match budget.part().deserialize(&mut json) {
        Ok(Lenient::Is(Family { node, mut below })) => {
            below.insert(0, node);
            Ok(below)
        }
        Ok(_) => Ok(Vec::new()),
        Err(_) if budget.is_spent() => Err(GraphError::TooManyNodes),
        Err(_) => Err(GraphError::TooDeep),
    }
}

/// A node, and all nodes below it.
#[derive(Default)]
struct Family<'a> {
    node: Node<'a>,
    below: Vec<Node<'a>>,
}

impl<'de> FromJson<'de> for Family<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A, budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        budget.pay(1)?;
        let mut family = Self::default();
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "name" => family.node.name = map.next_value()?,
                "implementation" => family.node.implementation = map.next_value()?,
                "children" => {
                    if let Lenient::Is(Children(nodes)) = map.next_value_seed(budget.part())? {
                        family.below = nodes;
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Lenient::Is(family))
    }
}

/// The nodes of a list, each before those below it.
struct Children<'a>(Vec<Node<'a>>);

impl<'de> FromJson<'de> for Children<'de> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A, budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        let mut nodes = Vec::new();
        while let Some(child) = seq.next_element_seed(budget.part())? {
            if let Lenient::Is(Family { node, below }) = child {
                nodes.push(node);
                nodes.extend(below);
            }
        }
        Ok(Lenient::Is(Self(nodes)))
    }
}
