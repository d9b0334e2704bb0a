//! From one annotation to traces: Seldon's own Python wrapper, in the environment that our webhook gave its container, reports to a
//! real collector with the configuration of `manifests/collector`, and the spans are read back from a real Jaeger.
//!
//! `tests/spans/run` builds and installs what this needs and runs these tests; `tests/spans/show` draws one trace for a person.
//! `cargo test` alone counts them as ignored. One collector and one Jaeger serve all tests; what tells their spans apart is the name
//! of the service, which the wrapper takes from the class of the model.

#![allow(
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod config_file;
mod crashes;
mod examples;
mod graphs;
mod models;
mod predictions;
mod receivers;
mod refused;
mod rig;
mod samplers;
mod shown;
mod starts;
mod worked;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::Arguments;
use rig::Rig;
use rig::parts::Parts;
use support::registry::{self, lazy};

/// A test with the rig.
type Test = registry::Test<fn(&Rig)>;

const TESTS: &[&[Test]] = &[
    predictions::TESTS,
    graphs::TESTS,
    samplers::TESTS,
    config_file::TESTS,
    receivers::TESTS,
    examples::TESTS,
    crashes::TESTS,
    refused::TESTS,
    starts::TESTS,
    shown::TESTS,
    worked::TESTS,
];

fn main() -> ExitCode {
    let parts = Parts::find();
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spans-{}", std::process::id()));
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--show") {
        return shown::show(parts, &folder, arguments);
    }
    let arguments = Arguments::from_args();
    if let Err(why) = &parts {
        eprintln!("spans: all tests with real spans are LEFT OUT, for {why}");
    }
    let rig = parts.ok().map(|parts| {
        let folder = folder.clone();
        lazy(move || Rig::start(parts, &folder))
    });
    let absent = "nothing is built: run tests/spans/run";
    let trials = registry::trials(TESTS, "", rig.as_ref(), absent);
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(rig);
    if conclusion.has_failed() {
        // Logs stay where something failed.
        eprintln!(
            "spans: the logs of the processes are in {}",
            folder.display()
        );
        return ExitCode::FAILURE;
    }
    // It is not there if nothing was started.
    let _ = std::fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}
