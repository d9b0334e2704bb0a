//! `manifests/cert-manager` in pods, which wait for their certificate and take the next one as it comes.

use std::time::Instant;

use crate::pods::serving;
use crate::readme::assert_new_models_are_traced;
use crate::rig::installation::{NAMESPACE, SECRET, Source, get, part, service_name};
use crate::rig::{Cluster, cert_manager, until};
use crate::support::load::raw;

tests![the_pods_wait_for_the_certificate_and_take_the_renewed_one_without_a_restart];

fn the_pods_wait_for_the_certificate_and_take_the_renewed_one_without_a_restart(cluster: &Cluster) {
    let start = Instant::now();
    let binaries = cert_manager::find().unwrap();
    let installation = cluster.install(&Source::CertManager(binaries));
    let took = start.elapsed();
    eprintln!("node: installed with cert-manager in {took:.1?}");
    assert_new_models_are_traced(cluster, "issued");

    let pods = serving(cluster);
    let start = Instant::now();
    cert_manager::renew(cluster.plane(), NAMESPACE, SECRET);
    let renewed = part(&get(cluster.plane(), "secret", SECRET), "tls.crt");
    for pod in &pods {
        until("the pod shows the renewed certificate", || {
            let shown = raw::shown_as(&service_name(), pod.address(), &installation.ca);
            shown.is_ok_and(|shown| shown == raw::leaf(&renewed))
        });
    }
    let took = start.elapsed();
    eprintln!("node: a renewed certificate was shown by both pods after {took:.1?}");
    assert_eq!(serving(cluster), pods, "no restart");
    assert_new_models_are_traced(cluster, "renewed");
    installation.remove();
}
