//! Our promises, held in pods on a real node: kubelet, containerd, kube-proxy, scheduler and controllers are those of a cluster.
//!
//! `tests/node/run` builds them and runs these tests, as root; `tests/node/up` gives a person the same cluster. `cargo test` alone counts
//! the tests as ignored. They run one after the other in one cluster, in the order of this file: `readme` uninstalls the webhook, and the
//! tests after it install it anew. `policies` deletes all policies, and comes last.

#![allow(
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

#[path = "../cluster/models.rs"]
mod models;
#[allow(dead_code, reason = "tests/spans uses all of it")]
#[path = "../spans/rig/query.rs"]
mod query;
#[path = "../cluster/rig/mod.rs"]
mod rig;
#[path = "../cluster/traffic.rs"]
mod traffic;

mod cert_manager;
mod changes;
mod default;
mod helm;
mod installed;
mod node;
mod play;
mod pods;
mod policies;
mod readme;
mod receivers;
mod rolling;
mod trace;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use node::Parts;
use rig::Cluster;
use support::registry::{self, lazy};

/// A test on the cluster.
type Test = registry::Test<fn(&Cluster)>;

const TESTS: &[&[Test]] = &[
    installed::TESTS,
    rolling::TESTS,
    trace::TESTS,
    readme::TESTS,
    cert_manager::TESTS,
    default::TESTS,
    changes::TESTS,
    helm::TESTS,
];

fn main() -> ExitCode {
    let parts = Parts::find();
    if std::env::args().nth(1).as_deref() == Some("--up") {
        return play::up(parts);
    }
    if let Err(why) = &parts {
        eprintln!("node: all tests in pods are LEFT OUT, for {why}");
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let enforced = parts.as_ref().is_ok_and(Parts::enforces_policies);
    let cluster = parts.ok().map(|parts| lazy(move || parts.cluster()));
    let absent = "there is no node: run tests/node/run";
    let mut trials = registry::trials(TESTS, "", cluster.as_ref(), absent);
    let guarded = cluster.as_ref().filter(|_| enforced);
    let absent = "nothing enforces NetworkPolicies: tests/node/kube-router says why";
    trials.extend(registry::trials(&[policies::TESTS], "", guarded, absent));
    libtest_mimic::run(&arguments, trials).exit_code()
}
