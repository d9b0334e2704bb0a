//! Manifests as text: edits, random documents, and the real manifests by every way that they go.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod edits;
mod https;
mod offline;
mod random;
#[path = "../support/mod.rs"]
mod support;
