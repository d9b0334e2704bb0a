//! What the test binaries share.

#![allow(dead_code, unused_imports, reason = "no binary uses all of it")]

pub(crate) mod checked;
pub(crate) mod common;
pub(crate) mod forms;
pub(crate) mod generate;
pub(crate) mod guarded;
pub(crate) mod load;
pub(crate) mod mutate;
#[path = "../../benches/support/mod.rs"]
pub(crate) mod objects;
pub(crate) mod real_manifests;
pub(crate) mod webhook;
