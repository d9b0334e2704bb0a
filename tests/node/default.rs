//! `manifests/default` in pods: one command, and the controller does the rest with the rights of its account.

use std::time::Instant;

use crate::readme::assert_new_models_are_traced;
use crate::rig::Cluster;
use crate::rig::installation::Source;

tests![one_command_leads_to_traced_models];

fn one_command_leads_to_traced_models(cluster: &Cluster) {
    let start = Instant::now();
    let installation = cluster.install(&Source::Controller);
    let took = start.elapsed();
    eprintln!("node: installed with the controller in {took:.1?}");
    assert_new_models_are_traced(cluster, "controlled");
    installation.remove();
}
