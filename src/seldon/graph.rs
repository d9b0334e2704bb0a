//! The nodes of an inference graph, in the order in which Seldon visits them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::seldon::lenient::{Key, Lenient, Text};

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
    let mut nodes = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(graph.get());
    let root = Part {
        nodes: &mut nodes,
        is_list: false,
    };
    match root.deserialize(&mut deserializer) {
        Ok(()) => Ok(nodes),
        Err(_) if nodes.len() >= MAX_NODES => Err(GraphError::TooManyNodes),
        Err(_) => Err(GraphError::TooDeep),
    }
}

/// Reads a node, or a list of nodes, and skips whatever is not of that type.
struct Part<'v, 'a> {
    nodes: &'v mut Vec<Node<'a>>,
    is_list: bool,
}

impl<'de> DeserializeSeed<'de> for Part<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a part of a graph")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.is_list {
            return IgnoredAny.visit_map(map).map(drop);
        }
        // The place is taken before the children are read: their key may come first.
        let own = self.nodes.len();
        if own >= MAX_NODES {
            return Err(A::Error::custom("too many nodes"));
        }
        self.nodes.push(Node::default());
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "name" => self.nodes[own].name = map.next_value()?,
                "implementation" => self.nodes[own].implementation = map.next_value()?,
                "children" => map.next_value_seed(Part {
                    nodes: self.nodes,
                    is_list: true,
                })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if !self.is_list {
            return IgnoredAny.visit_seq(seq).map(drop);
        }
        while seq
            .next_element_seed(Part {
                nodes: self.nodes,
                is_list: false,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
