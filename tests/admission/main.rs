//! AdmissionReview: answers to good and bad bodies, their memory, and the rules of the API server.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod answer;
mod bad_input;
mod resync;
#[path = "../support/mod.rs"]
mod support;
mod verify;
mod weight;
