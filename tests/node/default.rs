//! `manifests/default` in pods: the README's quick start, and the controller does the rest with the rights of its account.

use std::time::Instant;

use crate::models::{is_traced, model, written};
use crate::node::Parts;
use crate::pods::install;
use crate::readme::{assert_new_models_are_traced, assert_nothing_is_left};
use crate::rig::installation::{Installation, Source};
use crate::rig::{Cluster, Space, until};

tests![the_quick_start_leads_to_traced_models_and_an_outage_is_repaired];

/// The namespace of the README's model.
const SPACE: &str = "seldon";

fn the_quick_start_leads_to_traced_models_and_an_outage_is_repaired(cluster: &Cluster) {
    Parts::find().unwrap().import("collector");
    let installation = install(cluster, &Source::QuickStart);
    let said = &installation.said;
    for line in [
        "mutatingwebhookconfiguration.admissionregistration.k8s.io/seldon-tracing created",
        "deployment \"seldon-tracing\" successfully rolled out",
        "daemonset.apps/seldon-tracing-collector created",
        "deployment.apps/jaeger created",
        "/mock-classifier created",
        "/mock-classifier annotated",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let space = Space::existing(cluster, SPACE);
    assert!(is_traced(&space.get("mock-classifier")));
    assert_new_models_are_traced(cluster, "controlled");
    assert_all_is_good(&installation, &space);
    assert_an_outage_is_repaired(cluster, &installation);

    let remove = format!(
        "kubectl delete -k examples/worked\nkubectl delete namespace {SPACE} --timeout=120s"
    );
    installation.shell.run(&remove).ok();
    installation.remove();
    assert_nothing_is_left(cluster);
}

/// `check` finds nothing that is not good, with a pod as Seldon would make it of a model. It forwards a port to each pod of the webhook, for
/// the certificate.
fn assert_all_is_good(installation: &Installation, space: &Space<'_>) {
    let model = "--labels=seldon-deployment-id=mock-classifier";
    let run = ["run", "mock-classifier-0", "--image=pause:1", model];
    space.kubectl(&run).ok();
    let wait = [
        "wait",
        "--for=condition=Ready",
        "pod/mock-classifier-0",
        "--timeout=60s",
    ];
    space.kubectl(&wait).ok();
    let collector = "daemonset/seldon-tracing-collector --namespace seldon-tracing-collector";
    let shell = &installation.shell;
    let rollout = format!("kubectl rollout status {collector} --timeout=120s");
    shell.run(&rollout).ok();
    let check = format!("seldon-tracing check --namespace {SPACE}");
    let checked = shell.run(&check);
    assert_eq!(checked.stderr, "\n19 checks: 19 good\n", "{checked:?}");
    checked.ok();
}

fn assert_an_outage_is_repaired(cluster: &Cluster, installation: &Installation) {
    let run = |command: &str| installation.shell.run(command).ok();
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
}
