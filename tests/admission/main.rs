//! AdmissionReview: what the webhook answers to good and bad bodies, what it costs, and the API server's rules.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod answer;
mod bad_input;
#[path = "../support/mod.rs"]
mod support;
mod verify;
mod weight;
