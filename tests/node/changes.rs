//! The controller changes certificates and CAs in pods, is killed meanwhile, and no user notices.

use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

use crate::pods::{install, ready, selected, serving};
use crate::rig::controller::{CA, delete, until_settled};
use crate::rig::installation::{NAME, NAMESPACE, SECRET, Source};
use crate::rig::webhook::until_shown;
use crate::rig::{Cluster, until};
use crate::rolling::not_noticed;

tests![certificates_of_a_minute_and_new_cas_are_not_noticed_though_the_controller_is_killed];

/// As short as the kubelet of the tests allows: it brings a changed Secret within five seconds, and the webhook reads it once a second.
const FLAGS: [&str; 4] = [
    "--certificate-lifetime=60s",
    "--ca-renew-before=1h",
    "--trust-delay=5s",
    "--load-delay=15s",
];

fn certificates_of_a_minute_and_new_cas_are_not_noticed_though_the_controller_is_killed(
    cluster: &Cluster,
) {
    let installation = install(cluster, &Source::Controller);
    let run = |command: &str| installation.shell.run(command).ok();
    let flags = FLAGS.map(|flag| {
        format!(r#"{{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "{flag}"}}"#)
    });
    let controller = format!("deployment/{NAME}-controller --namespace {NAMESPACE}");
    run(&format!(
        "kubectl patch {controller} --type=json --patch='[{}]'",
        flags.join(", ")
    ));
    run(&format!("kubectl rollout status {controller}"));
    // What is there lives for 90 days. What comes next does not.
    delete(cluster, &[SECRET]);
    let (mut ca, mut chain) = until_settled(cluster, "");
    let pods = serving(cluster);

    not_noticed(cluster, "a renewed certificate and two new CAs", || {
        let first = chain.clone();
        until("it is renewed", || {
            chain = until_settled(cluster, "").1;
            chain != first
        });
        for lost in [&[CA][..], &[CA, SECRET]] {
            delete(cluster, lost);
            kill_the_controller_within(cluster, 15);
            (ca, chain) = until_settled(cluster, &ca);
        }
        for pod in &pods {
            until_shown(pod.address(), &chain, &ca);
        }
    });
    assert_eq!(serving(cluster), pods, "no pod was restarted");
    installation.remove();
}

/// Within some seconds, at a time that differs from run to run.
fn kill_the_controller_within(cluster: &Cluster, seconds: u64) {
    let time = Duration::from_millis(RandomState::new().hash_one(()) % (seconds * 1000));
    sleep(time);
    let selector = "app.kubernetes.io/component=controller";
    let mut found = Vec::new();
    until("the controller runs", || {
        found = ready(&selected(cluster, NAMESPACE, selector));
        !found.is_empty()
    });
    found.remove(0).kill();
    eprintln!("node: the controller was killed {time:.1?} after the Secret was deleted");
}
