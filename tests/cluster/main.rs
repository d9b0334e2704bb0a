//! Our promises, held on a real API server.
//!
//! `tests/cluster/run` builds kube-apiserver, etcd and kubectl and runs these tests. `cargo test` alone counts them as ignored. One control
//! plane serves all tests for one definition of the SeldonDeployment; each test has a namespace of its own.

#![allow(
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod api_server;
mod cert_manager;
mod check;
mod controller;
mod corpus;
mod credentials;
mod engines;
mod feedback;
mod fleet;
mod gitops;
mod guard;
mod kubectl;
mod manifests;
mod mlserver;
mod models;
mod monitoring;
mod not_ours;
mod opt_in;
mod other_webhooks;
mod outage;
mod resync;
mod rig;
mod steps;
mod sticky;
#[allow(dead_code, reason = "tests/node uses all of it")]
mod traffic;
mod trouble;
mod users;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Conclusion, Trial};
use rig::Cluster;
use rig::crd::Crd;
use rig::installation::Source;
use support::fixtures::Corpus;
use support::registry::{self, Lazy, lazy};

/// A test on a cluster.
type Test = registry::Test<fn(&Cluster)>;

/// What is tested with each definition of the resource.
const WITH_EVERY_CRD: &[&[Test]] = &[
    opt_in::TESTS,
    kubectl::TESTS,
    gitops::TESTS,
    users::TESTS,
    corpus::TESTS,
];

/// The same where the corpus is.
const OVER_THE_CORPUS: &[&[Test]] = &[corpus::OVER_THE_CORPUS];

/// What is tested with the first of them, where the corpus is.
const ONE_CRD_AND_CORPUS: &[&[Test]] = &[guard::OVER_THE_CORPUS];

/// What is tested with the first of them.
const WITH_ONE_CRD: &[&[Test]] = &[
    guard::TESTS,
    manifests::TESTS,
    sticky::TESTS,
    not_ours::TESTS,
    other_webhooks::TESTS,
    outage::TESTS,
    trouble::TESTS,
    feedback::TESTS,
    mlserver::TESTS,
    credentials::TESTS,
    fleet::TESTS,
    fleet::resync::TESTS,
    resync::TESTS,
];

/// What is tested in a cluster of its own, where it breaks one thing after the other.
const BROKEN: &[&[Test]] = &[check::TESTS];

/// What is tested while nothing else runs.
const ALONE: &[&[Test]] = &[api_server::TESTS];

/// What is tested, one after the other, in a cluster of its own where our controller keeps the certificate.
const WITH_CONTROLLER: &[&[Test]] = &[
    controller::TESTS,
    controller::size::TESTS,
    controller::changes::TESTS,
    controller::repair::TESTS,
    controller::refused::TESTS,
    controller::rights::TESTS,
    engines::TESTS,
];

/// The same with the code of Flux and Argo CD.
const WITH_ENGINES: &[&[Test]] = &[engines::WITH_ENGINES];

/// The same with `--ignored` only, because it takes a minute.
const LARGE: &[&[Test]] = &[controller::size::LARGE];

/// The same with a Prometheus.
const WITH_PROMETHEUS: &[&[Test]] = &[monitoring::TESTS];

/// What takes Seldon's resource away from that cluster.
const WITHOUT_SELDON: &[&[Test]] = &[fleet::AT_THE_END];

/// What is tested, one after the other, in a cluster of its own where cert-manager keeps the certificate.
const WITH_CERT_MANAGER: &[&[Test]] = &[cert_manager::TESTS, manifests::with_cert_manager::TESTS];

fn main() -> ExitCode {
    let assets = rig::assets::find();
    let (crds, substitution) = Crd::found();
    let corpus = Corpus::find();
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{}", std::process::id()));
    sweep();
    fs::create_dir_all(&folder).unwrap();
    // Certificates and keys of the tests go with the rest, also where the tests are killed.
    tempfile::env::override_temp_dir(&folder).unwrap();
    let mut arguments = Arguments::from_args();
    match &assets {
        Ok(_) => say_what_is_left_out(substitution, corpus.as_ref()),
        Err(why) => {
            eprintln!("cluster: all tests on a real API server are LEFT OUT, for {why}");
        }
    }
    let mut together = Vec::new();
    let mut alone = Vec::new();
    for (at, crd) in crds.into_iter().enumerate() {
        let start =
            |name, source| self::start(assets.as_ref().ok(), &folder.join(name), crd, source);
        let cluster = start(crd.name(), Source::External);
        together.extend(trials(cluster.as_ref(), crd.name(), WITH_EVERY_CRD));
        let with_corpus = cluster.as_ref().filter(|_| corpus.is_some());
        together.extend(trials(with_corpus, crd.name(), OVER_THE_CORPUS));
        if at == 0 {
            together.extend(trials(cluster.as_ref(), crd.name(), WITH_ONE_CRD));
            together.extend(trials(with_corpus, crd.name(), ONE_CRD_AND_CORPUS));
            alone = trials(cluster.as_ref(), crd.name(), ALONE);
            let broken = start("broken", Source::External);
            together.extend(trials(broken.as_ref(), "broken", BROKEN));
            let managed = rig::cert_manager::find().ok();
            let managed = managed.and_then(|it| start("cert-manager", Source::CertManager(it)));
            alone.extend(trials(managed.as_ref(), "cert-manager", WITH_CERT_MANAGER));
            let controlled = start("controller", Source::Controller);
            alone.extend(trials(controlled.as_ref(), "controller", WITH_CONTROLLER));
            let synced = controlled.as_ref().filter(|_| engines::find().is_ok());
            alone.extend(trials(synced, "controller", WITH_ENGINES));
            let watched = controlled.as_ref();
            let watched = watched.filter(|_| rig::prometheus::find().is_ok());
            alone.extend(trials(watched, "controller", WITH_PROMETHEUS));
            alone.extend(ignored(trials(controlled.as_ref(), "controller", LARGE)));
            alone.extend(trials(controlled.as_ref(), "controller", WITHOUT_SELDON));
        }
    }
    let first = libtest_mimic::run(&arguments, together);
    arguments.test_threads = Some(1);
    let second = libtest_mimic::run(&arguments, alone);
    let finished = finish(&folder, &[&first, &second]);
    if let Some(filter) = &arguments.filter
        && !arguments.list
        && [&first, &second].iter().all(|it| ran(it) == 0)
    {
        eprintln!("cluster: no test has {filter:?} in its name; --list names them");
        return ExitCode::FAILURE;
    }
    finished
}

fn say_what_is_left_out(substitution: Option<String>, corpus: Option<&Corpus>) {
    let said = substitution
        .into_iter()
        .chain(rig::cert_manager::find().err())
        .chain(rig::prometheus::find().err())
        .chain(engines::find().err())
        .chain(corpus.is_none().then(|| Corpus::ABSENT.to_owned()));
    said.for_each(|said| eprintln!("cluster: {said}"));
}

fn ran(conclusion: &Conclusion) -> u64 {
    conclusion.num_passed + conclusion.num_failed + conclusion.num_ignored
}

/// What runs of processes that are no more have left, because they failed or were killed.
fn sweep() {
    let folders = fs::read_dir(env!("CARGO_TARGET_TMPDIR"));
    for folder in folders.into_iter().flatten().flatten() {
        let name = folder.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix("cluster-"));
        let runs =
            |id: &str| id != std::process::id().to_string() && Path::new("/proc").join(id).exists();
        if process.is_some_and(|id| !runs(id)) {
            // Another run may be sweeping too.
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

fn start(
    assets: Option<&PathBuf>,
    folder: &Path,
    crd: Crd,
    source: Source,
) -> Option<Lazy<Cluster>> {
    let (assets, folder) = (assets?.clone(), folder.to_owned());
    Some(lazy(move || Cluster::start(&assets, &folder, crd, &source)))
}

fn trials(cluster: Option<&Lazy<Cluster>>, kind: &str, tests: &[&'static [Test]]) -> Vec<Trial> {
    let absent = "there is no cluster: run tests/cluster/run";
    registry::trials(tests, kind, cluster, absent)
}

/// They run with `--ignored`.
fn ignored(trials: Vec<Trial>) -> impl Iterator<Item = Trial> {
    trials.into_iter().map(|it| it.with_ignored_flag(true))
}

/// Logs stay where something failed.
fn finish(folder: &Path, conclusions: &[&Conclusion]) -> ExitCode {
    let failed = conclusions.iter().any(|it| it.has_failed());
    if failed {
        eprintln!(
            "cluster: the logs of the servers are in {}",
            folder.display()
        );
        return ExitCode::FAILURE;
    }
    // It is not there if nothing was started.
    let _ = fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}
