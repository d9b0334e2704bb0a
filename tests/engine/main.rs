//! The engine: objects in, decisions out, without text, network or command line.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod allocations;
mod config_costs;
mod docs;
mod layering;
mod properties;
mod sequences;
#[path = "../support/mod.rs"]
mod support;
mod tables;
