//! `manifests/default` in pods: one command, and the controller does the rest with the rights of its account.

use std::time::Instant;

use crate::models::{is_traced, model, written};
use crate::pods::install;
use crate::readme::{assert_new_models_are_traced, assert_nothing_is_left};
use crate::rig::installation::Source;
use crate::rig::{Cluster, Space, until};

tests![one_command_leads_to_traced_models_and_an_outage_is_repaired];

fn one_command_leads_to_traced_models_and_an_outage_is_repaired(cluster: &Cluster) {
    let installation = install(cluster, &Source::Controller);
    assert_new_models_are_traced(cluster, "controlled");
    let run = |command: &str| installation.shell.run(command).ok();

    // It forwards a port to each pod, for the certificate.
    let said = run("seldon-tracing check --namespace default");
    assert!(
        said.contains("\u{2713}") && !said.contains("\u{2717}"),
        "{said}"
    );

    run("kubectl scale deployment/seldon-tracing --namespace seldon-tracing --replicas=0");
    run(
        "kubectl wait --for=delete pod --selector app.kubernetes.io/component=webhook --namespace seldon-tracing --timeout=120s",
    );
    let space = cluster.space("outage");
    assert!(!is_traced(&space.create(&model("untraced"))));
    let start = Instant::now();
    run("kubectl scale deployment/seldon-tracing --namespace seldon-tracing --replicas=2");
    until("the model is repaired", || {
        is_traced(&space.get("untraced"))
    });
    let took = start.elapsed();
    eprintln!("node: a model of an outage was traced {took:.1?} after its end began");
    assert_eq!(written(&space.get("untraced")).generation, 2);

    // What it repeats changes nothing, and the rest follows.
    let heading = "## Quick start on a cluster";
    let said = installation.shell.follow("README.md", heading).concat();
    assert!(said.contains("deployment.apps/jaeger"), "{said}");
    assert!(said.contains("successfully rolled out"), "{said}");
    let space = Space::existing(cluster, "seldon");
    assert!(is_traced(&space.get("mock-classifier")));
    installation.remove();
    assert_nothing_is_left(cluster);
}
