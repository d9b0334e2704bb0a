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
mod installed;
#[allow(dead_code, reason = "tests/cluster uses all of it")]
#[path = "../cluster/models.rs"]
mod models;
mod readme;
mod render;
#[path = "../cluster/rig/mod.rs"]
mod rig;
mod schema;
mod values;

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use helm::Helm;
use libtest_mimic::Arguments;
use rig::Cluster;
use rig::crd::Crd;
use rig::installation::Source;
use support::registry::{self, lazy, plain, trials};

/// A test with a version of Helm.
type Test = registry::Test<fn(&Helm)>;

/// A test on a cluster in which it has installed the chart.
type OnCluster = registry::Test<fn(&Cluster)>;

const TESTS: &[&[Test]] = &[render::TESTS, schema::TESTS, values::TESTS];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chart-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    tempfile::env::override_temp_dir(&folder).unwrap();
    let assets = rig::assets::find();
    let mut all = plain(&[files::TESTS, readme::TESTS]);
    let mut installed = Vec::new();
    for (tool, kind, absent) in [
        ("helm", "helm 3", "helm is not on the PATH"),
        ("helm4", "helm 4", "helm4 is not on the PATH"),
    ] {
        if tool == "helm4" && env::var_os("SELDON_TRACING_HELM").is_some_and(|only| only == "3") {
            continue;
        }
        let found = helm::find(tool);
        let cluster = found
            .clone()
            .zip(assets.clone().ok())
            .map(|(found, assets)| {
                let folder = folder.join(tool);
                lazy(move || {
                    let source = Source::Helm(found);
                    Cluster::start(&assets, &folder, Crd::found().0[0], &source)
                })
            });
        let helm = found.map(|found| lazy(|| Helm::new(found)));
        all.extend(trials(TESTS, kind, helm.as_ref(), absent));
        let absent = "there is no cluster: run tests/chart/run";
        installed.extend(trials(&[installed::TESTS], kind, cluster.as_ref(), absent));
    }
    let first = libtest_mimic::run(&arguments, all);
    // A cluster has one installation.
    arguments.test_threads = Some(1);
    let second = libtest_mimic::run(&arguments, installed);
    if first.has_failed() || second.has_failed() {
        eprintln!("chart: the logs of the servers are in {}", folder.display());
        return ExitCode::FAILURE;
    }
    let _ = fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}
