//! The chart in pods, by the commands of the documentation: `helm install`, `helm test`, `helm uninstall`.

use std::env;
use std::path::PathBuf;

use crate::node::Parts;
use crate::pods::{install, serving};
use crate::policies::{Places, peer};
use crate::readme::{assert_new_models_are_traced, assert_nothing_is_left};
use crate::rig::installation::{NAME, NAMESPACE, Source};
use crate::rig::shell::blocks;
use crate::rig::{Cluster, until};

tests![helm_installs_it_tests_it_and_takes_it_away];

fn program() -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    let mut places = env::split_paths(&path).map(|folder| folder.join("helm"));
    places.find(|place| place.is_file()).unwrap()
}

fn commands(of: &str) -> String {
    let blocks = blocks(
        "docs/install.md",
        "### Test, upgrade and remove the release",
    );
    blocks.into_iter().find(|block| block.contains(of)).unwrap()
}

fn helm_installs_it_tests_it_and_takes_it_away(cluster: &Cluster) {
    let installation = install(cluster, &Source::Helm(program()));
    assert_new_models_are_traced(cluster, "released");
    let run = |command: &str| installation.shell.run(command).ok();

    // It forwards a port to each pod, with the rights of its own account. Helm writes the log of the pod to standard error.
    let test = format!("{{ {}; }} 2>&1", commands("helm test").trim());
    let said = run(&test);
    for expected in [
        "Phase:          Succeeded",
        "\u{2713} the API server trusts the certificate of 2 of 2 ready pods",
        "\u{2713} a model that asks for tracing",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains('\u{2717}'), "{said}");
    let rights = "kubectl get pod,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding --all-namespaces -o name";
    until("nothing of the test is left", || {
        !run(rights).contains("seldon-tracing-test")
    });

    run(&commands("helm upgrade"));
    assert_new_models_are_traced(cluster, "upgraded");

    if Parts::find().unwrap().enforces_policies() {
        let api_server = "networkPolicy.apiServer[0].ipBlock.cidr=10.200.0.2/32";
        run(&format!(
            "helm upgrade {NAME} manifests/chart --namespace {NAMESPACE} --reuse-values --set {api_server}"
        ));
        let places = Places::new([
            ("webhook", serving(cluster).remove(0)),
            ("stranger", peer(&cluster.space("stranger"))),
        ]);
        places.assert(&[
            ("outside", "webhook", 10250, true),
            ("stranger", "webhook", 10250, false),
        ]);
        assert_new_models_are_traced(cluster, "narrowed");
    }

    // A test that cannot fail would say nothing.
    run(&format!(
        "helm upgrade {NAME} manifests/chart --namespace {NAMESPACE} --reuse-values --set test.wait=1s\nkubectl delete mutatingwebhookconfiguration {NAME}"
    ));
    let failed = installation.shell.run(&test);
    assert_ne!(failed.code, Some(0), "{failed:?}");
    let log = run(&format!("kubectl logs {NAME}-test -n {NAMESPACE}"));
    for text in [failed.stdout, log] {
        let wrong = format!("\u{2717} there is no MutatingWebhookConfiguration {NAME}");
        assert!(text.contains(&wrong), "{text}");
    }
    run(&commands("helm uninstall"));
    assert_nothing_is_left(cluster);
}
