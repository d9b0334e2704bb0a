//! `manifests/cert-manager` in pods, which wait for their certificate and take the next one as it comes.

use std::time::Instant;

use crate::pods::{install, serving};
use crate::readme::assert_new_models_are_traced;
use crate::rig::installation::{NAMESPACE, SECRET, Source, bundles, get, part};
use crate::rig::webhook::until_shown;
use crate::rig::{Cluster, cert_manager};
use crate::traffic::failed_open;

tests![the_pods_wait_for_the_certificate_and_take_the_renewed_one_without_a_restart];

fn the_pods_wait_for_the_certificate_and_take_the_renewed_one_without_a_restart(cluster: &Cluster) {
    let binaries = cert_manager::find().unwrap();
    let installation = install(cluster, &Source::CertManager(binaries));
    assert_new_models_are_traced(cluster, "issued");

    let (pods, plane, failed) = (serving(cluster), cluster.plane(), failed_open(cluster));
    let start = Instant::now();
    let before = part(&get(plane, "secret", SECRET), "tls.crt");
    cert_manager::renew(plane, NAMESPACE, SECRET);
    let secret = get(plane, "secret", SECRET);
    let renewed = part(&secret, "tls.crt");
    assert_ne!(renewed, before);
    let root = &installation.ca;
    assert_eq!(part(&secret, "ca.crt"), *root, "the root stays the same");
    assert_eq!(bundles(plane), [Some(root.clone()), Some(root.clone())]);
    for pod in &pods {
        until_shown(pod.address(), &renewed, root);
    }
    let took = start.elapsed();
    eprintln!("node: a renewed certificate was shown by both pods after {took:.1?}");
    assert_eq!(serving(cluster), pods, "no restart");
    assert_new_models_are_traced(cluster, "renewed");
    assert!(
        (failed_open(cluster) - failed).abs() < 0.5,
        "no call failed"
    );
    installation.remove();
}
