//! Certificates and CAs change while users write. Nobody notices.

use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Controller, QUICK, patch_secret, until_settled};
use crate::rig::controller::{CA, delete, secret};
use crate::rig::installation::SECRET;
use crate::rig::{Cluster, metrics, until};
use crate::traffic::{Writes, failed_open, not_noticed};

tests![
    certificates_and_cas_that_live_for_seconds_change_under_writes_unnoticed,
    secrets_that_are_deleted_garbled_or_swapped_are_mended_under_writes_unnoticed,
    killed_at_any_time_of_a_change_of_the_ca_it_goes_on_and_nothing_is_lost,
    two_controllers_do_no_harm,
    a_ca_whose_key_others_may_know_is_replaced_as_the_documentation_says,
];

fn certificates_and_cas_that_live_for_seconds_change_under_writes_unnoticed(cluster: &Cluster) {
    let space = cluster.space("seconds");
    let before = failed_open(cluster);
    // A third of a lifetime is for others to notice a change.
    let seconds = [
        "--certificate-lifetime=10s",
        "--ca-lifetime=1m",
        "--ca-renew-before=30s",
        "--trust-delay=800ms",
        "--load-delay=2500ms",
        "--repair=false",
    ];
    let writes = Writes::start(&space);
    let controller = Controller::start(cluster, &seconds);
    // What is there lives for years. What comes next does not.
    delete(cluster, &[CA]);
    for (reason, count) in [
        ("CertificateReplaced", 1.0),
        ("OldCaDropped", 1.0),
        ("CertificateRenewed", 3.0),
        ("CaRenewed", 1.0),
        ("CertificateReplaced", 2.0),
        ("OldCaDropped", 2.0),
        ("CertificateRenewed", 5.0),
    ] {
        until(reason, || controller.steps(reason) >= count);
        // More than the connections that are open: the API server dials anew, and looks at the certificate. It does so by itself when caBundle
        // has changed.
        if reason == "CertificateRenewed" {
            writes.crowd();
        }
    }
    writes.more(50);
    let outcome = writes.end();
    let certificates = ["CertificateReplaced", "CertificateRenewed"].map(|it| controller.steps(it));
    drop(controller);
    // Back to years, before what is there ends.
    let controller = Controller::start(cluster, &QUICK);
    until_settled(cluster, "");
    drop(controller);
    let [replaced, renewed] = certificates;
    outcome.say(&format!("two CAs and {} certificates", replaced + renewed));
    not_noticed(cluster, &space, &outcome, before);
}

fn secrets_that_are_deleted_garbled_or_swapped_are_mended_under_writes_unnoticed(
    cluster: &Cluster,
) {
    let space = cluster.space("damage");
    let before = failed_open(cluster);
    let writes = Writes::start(&space);
    let controller = Controller::start(cluster, &QUICK);
    let mut ca = until_settled(cluster, "");
    let encoded = |secret: &Value, key: &str| secret["data"][key].clone();

    delete(cluster, &[SECRET]);
    assert_eq!(until_settled(cluster, ""), ca, "the CA stays");
    patch_secret(
        cluster,
        SECRET,
        &json!({"data": {"tls.key": "Z2FyYmFnZQ=="}}),
    );
    assert_eq!(until_settled(cluster, ""), ca, "the CA stays");
    patch_secret(
        cluster,
        SECRET,
        &json!({"data": {"tls.crt": "", "tls.key": ""}}),
    );
    assert_eq!(until_settled(cluster, ""), ca, "the CA stays");
    writes.crowd();

    delete(cluster, &[CA, SECRET]);
    ca = until_settled(cluster, &ca);
    writes.crowd();
    patch_secret(cluster, CA, &json!({"data": {"ca.key": "Z2FyYmFnZQ=="}}));
    ca = until_settled(cluster, &ca);
    writes.crowd();

    let [of_ca, leaf] = [CA, SECRET].map(|name| secret(cluster, name).unwrap());
    let swapped =
        json!({"data": {"ca.crt": encoded(&leaf, "tls.crt"), "ca.key": encoded(&leaf, "tls.key")}});
    patch_secret(cluster, CA, &swapped);
    let swapped = json!({"data": {"tls.crt": encoded(&of_ca, "ca.crt"), "tls.key": encoded(&of_ca, "ca.key")}});
    patch_secret(cluster, SECRET, &swapped);
    until_settled(cluster, &ca);
    writes.crowd();
    drop(controller);
    let outcome = writes.end();
    outcome.say("deleted, garbled and swapped Secrets");
    not_noticed(cluster, &space, &outcome, before);
}

fn killed_at_any_time_of_a_change_of_the_ca_it_goes_on_and_nothing_is_lost(cluster: &Cluster) {
    let mut ca = until_settled(cluster, "");
    for half in ["first-half", "second-half"] {
        let space = cluster.space(half);
        let before = failed_open(cluster);
        let writes = Writes::start(&space);
        let mut kills = Vec::new();
        for _ in 0..5 {
            let controller = Controller::start(cluster, &QUICK);
            delete(cluster, &[CA]);
            // Half of the times while it writes, and half while it waits.
            let most = if kills.len() % 2 == 0 { 400 } else { 10_000 };
            let time = Duration::from_millis(RandomState::new().hash_one(()) % most);
            sleep(time);
            controller.process.signal("KILL");
            kills.push(time);
            drop(controller);
            let controller = Controller::start(cluster, &QUICK);
            ca = until_settled(cluster, &ca);
            drop(controller);
        }
        writes.crowd();
        let outcome = writes.end();
        outcome.say(&format!("kills {kills:?} after the CA was lost"));
        not_noticed(cluster, &space, &outcome, before);
    }
}

fn two_controllers_do_no_harm(cluster: &Cluster) {
    let space = cluster.space("two");
    let before = failed_open(cluster);
    let ca = until_settled(cluster, "");
    let writes = Writes::start(&space);
    let two = [(); 2].map(|()| Controller::start(cluster, &QUICK));
    delete(cluster, &[CA, SECRET]);
    let ca = until_settled(cluster, &ca);
    let of_both = |reason: &str| two.iter().map(|one| one.steps(reason)).sum::<f64>();
    assert!((of_both("CaCreated") - 1.0).abs() < 0.5, "one CA was made");
    assert!((of_both("OldCaDropped") - 1.0).abs() < 0.5);
    for one in &two {
        assert!(one.has_problem("[+]certificates ok"));
    }
    let outcome = writes.end();
    outcome.say("two controllers and a new CA");
    not_noticed(cluster, &space, &outcome, before);
    // Now each finds what the other has made, and nobody writes any more. A touch of the Secret has both look, and when they look for the
    // second time, they have done what they would have done after the first.
    let all = || two.iter().map(Controller::all_steps).sum::<f64>();
    let written = all();
    let reads = || {
        let labels = [
            r#"resource="mutatingwebhookconfigurations""#,
            r#"verb="GET""#,
        ];
        metrics::sum(cluster, "apiserver_request_total", &labels)
    };
    for touch in ["once", "twice"] {
        let before = reads();
        let touch = json!({"metadata": {"annotations": {"example.com/touched": touch}}});
        patch_secret(cluster, SECRET, &touch);
        until("both have looked", || reads() > before + 1.5);
    }
    assert_eq!(until_settled(cluster, ""), ca);
    assert!((all() - written).abs() < 0.5);
}

fn a_ca_whose_key_others_may_know_is_replaced_as_the_documentation_says(cluster: &Cluster) {
    let controller = Controller::start(cluster, &QUICK);
    let ca = until_settled(cluster, "");
    let shell = &cluster.installation().shell;
    shell.follow("docs/operate.md", "## Certificates");
    until_settled(cluster, &ca);
    assert!((controller.steps("OldCaDropped") - 1.0).abs() < 0.5);
}
