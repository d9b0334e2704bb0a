//! What the test binaries share.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "no binary uses all of it"
)]

#[macro_use]
pub(crate) mod registry;

pub(crate) mod binary;
pub(crate) mod checked;
pub(crate) mod common;
pub(crate) mod fixtures;
pub(crate) mod forms;
pub(crate) mod generate;
pub(crate) mod guarded;
pub(crate) mod load;
pub(crate) mod mutate;
#[path = "../../benches/support/mod.rs"]
pub(crate) mod objects;
pub(crate) mod variables;
pub(crate) mod wait;
pub(crate) mod webhook;
