//! The command line, from arguments and files to output and written files.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

mod certs;
mod command;
mod credentials;
mod files;
mod golden;
mod in_place;
mod plugin;
mod review;
mod said;
#[path = "../support/mod.rs"]
mod support;
mod texts;
