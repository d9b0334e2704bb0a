//! One target: which of its variables are ours to set and why, and what changes in its environment.

mod choose;
mod decide;
mod edit;

pub(crate) use decide::{Candidate, decide};
pub(crate) use edit::EnvEdit;
