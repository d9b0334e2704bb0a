//! The manifests and the Dockerfile, without a cluster: what stands in two places is the same in
//! both, and what must not be there is not. The tests on a real API server say that it takes them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod certificates;
mod collector;
mod conditions;
mod deployment;
mod files;
mod image;
mod kustomize;
mod network;
mod restricted;
#[path = "../support/mod.rs"]
mod support;
mod webhook;
