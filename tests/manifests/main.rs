//! The manifests and the Dockerfile, without a cluster: what two files say is the same in both, and nothing is there that must not be.
//! The tests on a real API server apply them.

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
mod monitoring;
mod network;
mod restricted;
#[path = "../support/mod.rs"]
mod support;
mod webhook;
mod worked;
