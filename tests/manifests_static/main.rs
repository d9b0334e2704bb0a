//! The manifests and the Dockerfile, without a cluster: what stands in two places is the same in
//! both, and what must not be there is not. The tests on a real API server say that it takes them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests too"
)]

mod certificates;
mod conditions;
mod deployment;
mod files;
mod image;
mod kustomize;
mod network;
mod restricted;
mod webhook;
