//! The Helm chart: what it renders, what it refuses, and what it does on a real API server.
//!
//! `tests/chart/run` builds Helm 3 and 4 and the API server and runs all of them. `cargo test` alone counts as ignored what needs one that is
//! not there. The tests in pods are in `tests/node`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod files;
mod helm;
mod readme;
mod render;
mod schema;
mod values;

use std::env;
use std::process::ExitCode;

use helm::Helm;
use libtest_mimic::Arguments;
use support::registry::{self, lazy, plain, trials};

/// A test with a version of Helm.
type Test = registry::Test<fn(&Helm)>;

const TESTS: &[&[Test]] = &[render::TESTS, schema::TESTS, values::TESTS];

fn main() -> ExitCode {
    let mut all = plain(&[files::TESTS, readme::TESTS]);
    for (tool, kind, absent) in [
        ("helm", "helm 3", "helm is not on the PATH"),
        ("helm4", "helm 4", "helm4 is not on the PATH"),
    ] {
        if tool == "helm4" && env::var_os("SELDON_TRACING_HELM").is_some_and(|only| only == "3") {
            continue;
        }
        let helm = helm::find(tool).map(|found| lazy(|| Helm::new(found)));
        all.extend(trials(TESTS, kind, helm.as_ref(), absent));
    }
    libtest_mimic::run(&Arguments::from_args(), all).exit_code()
}
