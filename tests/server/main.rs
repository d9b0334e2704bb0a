//! The webhook's server: its life, its limits, TLS, metrics and logs.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod lifecycle;
mod metrics;
mod overload;
mod reload;
mod secrets;
mod slow_clients;
#[path = "../support/mod.rs"]
mod support;
mod tls_clients;
