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

/// Lists the tests of a file, for `main`.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TESTS: &[crate::Test] = &[$((stringify!($name), $name)),*];
    };
}

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
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};
use rig::Rig;
use rig::parts::Parts;

/// A test and its name.
type Test = (&'static str, fn(&Rig));

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
];

/// The rig starts when the first test needs it.
type Lazily = LazyLock<Rig, Box<dyn FnOnce() -> Rig + Send>>;

fn main() -> ExitCode {
    let parts = Parts::find();
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spans-{}", std::process::id()));
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--show") {
        return shown::show(parts, &folder, arguments.next().as_deref());
    }
    let arguments = Arguments::from_args();
    if let Err(why) = &parts {
        eprintln!("spans: all tests with real spans are LEFT OUT, for {why}");
    }
    let rig = parts.ok().map(|parts| {
        let folder = folder.clone();
        let start: Box<dyn FnOnce() -> Rig + Send> = Box::new(move || Rig::start(parts, &folder));
        let lazily: Lazily = LazyLock::new(start);
        Arc::new(lazily)
    });
    let trials = TESTS.iter().copied().flatten().map(|&(name, test)| {
        let rig_of_test = rig.clone();
        let trial = Trial::test(name, move || {
            // Without its parts it is only run by who asks for ignored tests.
            let rig = rig_of_test.ok_or("nothing is built: run tests/spans/run")?;
            test(&rig);
            Ok(())
        });
        trial.with_ignored_flag(rig.is_none())
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
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
