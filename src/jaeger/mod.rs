//! What the Jaeger clients read: the variables, the values that they accept, and those that end their process.

pub(crate) mod accepts;
pub(crate) mod crashes;
pub(crate) mod variable;

pub use variable::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};
