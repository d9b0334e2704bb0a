//! What Seldon is: the `SeldonDeployment` as far as it is read, the places in it, and what Seldon runs for it.
//!
//! It does not depend on tracing, the configuration or the decision.

pub(crate) mod graph;
pub(crate) mod lenient;
pub(crate) mod object;
pub(crate) mod place;
pub(crate) mod server;

pub use graph::MAX_NODES;
pub(crate) use graph::{GraphError, Node, graph_nodes};
pub(crate) use lenient::{Budget, Key, Lenient};
pub use object::SeldonDeployment;
pub use place::{ContainerList, Holder, Place, pointer_for_people};
