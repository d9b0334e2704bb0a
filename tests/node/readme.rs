//! The way of the documentation through the life of an installation, by its own commands: trace, upgrade, lose, uninstall;
//! `rolling.rs` rotates.
//!
//! At the end there is no webhook any more.

use std::fs;

use serde_json::json;

use crate::models::{
    RECORD, container, essence, is_traced, model, names, untraced, value, written,
};
use crate::node::Parts;
use crate::pods::{self, serving};
use crate::rig::installation::{NAME, NAMESPACE, SECRET, bundles, get, part, service_name};
use crate::rig::shell::blocks;
use crate::rig::{Cluster, Space, until};
use crate::support::load::raw;

tests![the_documentation_leads_from_a_traced_model_to_an_uninstalled_webhook];

const INSTALL: &str = "docs/install.md";
const OPERATE: &str = "docs/operate.md";
const FLEET: &str = "docs/fleet.md";
const ANNOTATIONS: &str = "docs/annotations.md";
const TRACE: &str = "docs/trace-a-model.md";
const WORKED: &str = "docs/worked-example.md";
const EXTERNAL: &str = "manifests/external/README.md";

/// The model of the pages.
const MODEL: &str = "churn";

fn the_documentation_leads_from_a_traced_model_to_an_uninstalled_webhook(cluster: &Cluster) {
    let space = Space::existing(cluster, "models");
    check_it(cluster, &space);
    trace_a_model(cluster, &space);
    look_at_the_fleet(cluster);
    find_no_traces(cluster, &space);
    work_through_the_example(cluster);
    upgrade(cluster, &space);
    opt_out_everywhere(cluster, &space);
    delete_in_an_emergency(cluster, &space);
    uninstall(cluster, &space);
}

fn run(cluster: &Cluster, page: &str, heading: &str) -> Vec<String> {
    cluster.installation().shell.follow(page, heading)
}

fn check_it(cluster: &Cluster, space: &Space<'_>) {
    let said = run(cluster, INSTALL, "## A receiver");
    assert!(said[0].contains("daemonset.apps/"), "{}", said[0]);
    let said = run(cluster, INSTALL, "## Check it");
    assert!(said[0].contains("models/churn: traced"), "{}", said[0]);
    assert!(is_traced(&space.get(MODEL)));
}

fn trace_a_model(cluster: &Cluster, space: &Space<'_>) {
    run(cluster, TRACE, "## Turn it off");
    assert!(!is_traced(&space.get(MODEL)));
    let said = run(cluster, TRACE, "## Turn it on");
    assert!(said[1].contains("models/churn: traced"), "{}", said[1]);
    let model = space.get(MODEL);
    assert!(is_traced(&model));
    // Created, taken out, put in.
    assert_eq!(written(&model).generation, 3);
    run(cluster, TRACE, "## Trace a part of the requests");
    run(cluster, TRACE, "## Add tags and names");
    let orchestrator = &space.get(MODEL)["spec"]["predictors"][0]["svcOrchSpec"];
    for (name, expected) in [
        ("JAEGER_SAMPLER_TYPE", "probabilistic"),
        ("JAEGER_SAMPLER_PARAM", "0.1"),
        ("JAEGER_TAGS", "team=growth,model=churn"),
        ("JAEGER_SERVICE_NAME", "churn"),
    ] {
        assert_eq!(value(orchestrator, name), Some(expected), "{name}");
    }
    let before = space.get(MODEL);
    run(cluster, ANNOTATIONS, "## The request for a new decision");
    // Nothing was outdated, so nothing is written.
    assert_eq!(essence(&space.get(MODEL)), essence(&before));
    run(cluster, ANNOTATIONS, "## The sampler of the Python wrapper");
    let path = value(container(&space.get(MODEL)), "JAEGER_CONFIG_PATH").map(str::to_owned);
    assert!(path.is_some_and(|path| path.ends_with("/tracing.yml")));
}

fn look_at_the_fleet(cluster: &Cluster) {
    let said = run(cluster, FLEET, "## Status");
    let row = |line: &str| {
        line.split_whitespace()
            .eq(["models", MODEL, "annotation", "traced", "2/2"])
    };
    assert!(said[0].lines().any(row), "{}", said[0]);
    run(cluster, FLEET, "## Resync");
}

/// With a pod, as Seldon would make it of the model, that also has one of the ports of the receiver.
fn find_no_traces(cluster: &Cluster, space: &Space<'_>) {
    let mut spec = space.get(MODEL)["spec"]["predictors"][0]["componentSpecs"][0]["spec"].clone();
    spec["containers"][0]["ports"] =
        json!([{"containerPort": 5775, "hostPort": 5775, "protocol": "UDP"}]);
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "churn-0", "labels": {"seldon-deployment-id": MODEL}},
        "spec": spec,
    });
    space.create(&pod);
    let said = run(cluster, TRACE, "## I see no traces").concat();
    for found in [
        "inject.tracing.seldon.io LS0t",
        "name: TRACING",
        "models/churn-0 5775",
    ] {
        assert!(said.contains(found), "{found}: {said}");
    }
    space.kubectl(&["delete", "pod", "churn-0", "--now"]).ok();
}

fn work_through_the_example(cluster: &Cluster) {
    let space = Space::existing(cluster, "seldon");
    let said = run(cluster, WORKED, "## Install Jaeger");
    for object in [
        "daemonset.apps/seldon-tracing-collector",
        "deployment.apps/jaeger",
    ] {
        assert!(said[0].contains(object), "{}", said[0]);
    }
    for (heading, model) in [
        ("## A model in its own container", "mock-classifier"),
        ("## A prepackaged server", "iris"),
    ] {
        let said = run(cluster, WORKED, heading).concat();
        assert!(said.contains(&format!("seldon/{model}: traced")), "{said}");
        assert!(is_traced(&space.get(model)));
    }
    let said = run(cluster, WORKED, "## Remove it").concat();
    assert!(said.contains("\"jaeger\" deleted"), "{said}");
    cluster.kubectl(&["delete", "namespace", &space.name]).ok();
}

/// Waits until all pods show the new certificate, which they do after a restart.
pub(crate) fn rotate(cluster: &Cluster) {
    let plane = cluster.plane();
    let before = part(&get(plane, "secret", SECRET), "tls.crt");
    run(cluster, EXTERNAL, "## Rotate");
    let secret = get(plane, "secret", SECRET);
    let (after, shell) = (part(&secret, "tls.crt"), &cluster.installation().shell);
    assert_ne!(after, before);
    let ca = fs::read_to_string(shell.file("certs/next/ca.crt")).unwrap();
    assert_eq!(bundles(plane), [Some(ca.clone()), Some(ca.clone())]);
    for pod in serving(cluster) {
        let shown = raw::shown_as(&service_name(), pod.address(), &ca);
        assert_eq!(shown.unwrap(), raw::leaf(&after));
    }
    assert_new_models_are_traced(cluster, "rotated");
}

/// A version that differs in nothing but its tag: every pod is a new one, and the models do not see it.
fn upgrade(cluster: &Cluster, space: &Space<'_>) {
    let shell = &cluster.installation().shell;
    let file = shell.file("manifests/base/kustomization.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("newTag: 0.1.0", "newTag: 0.1.1")).unwrap();
    let (model, old) = (space.get(MODEL), serving(cluster));
    let image = "docker.io/library/seldon-tracing:";
    let tag = [
        "images",
        "tag",
        &format!("{image}0.1.0"),
        &format!("{image}0.1.1"),
    ];
    Parts::find().unwrap().ctr(&tag);
    run(cluster, OPERATE, "## Upgrade and roll back");
    let deployment = get(cluster.plane(), "deployment", NAME);
    let image = deployment.pointer("/spec/template/spec/containers/0/image");
    assert_eq!(image.unwrap(), "seldon-tracing:0.1.1");
    pods::until_replaced(cluster, &old);
    space
        .kubectl(&["apply", "-f", "examples/own-container.yaml"])
        .ok();
    let applied = space.get(MODEL);
    // Not its resourceVersion: somebody has annotated it since, and the API server puts the entries of managedFields into another order.
    assert_eq!(essence(&applied), essence(&model));
    assert_eq!(written(&applied).generation, written(&model).generation);
    assert_new_models_are_traced(cluster, "upgraded");
    fs::write(&file, text).unwrap();
    run(cluster, OPERATE, "## Upgrade and roll back");
    assert_new_models_are_traced(cluster, "rolled-back");
}

/// Of models that ask themselves and of those whose namespace asks for them; this leaves the model of the pages traced for the rest.
fn opt_out_everywhere(cluster: &Cluster, space: &Space<'_>) {
    let labelled = cluster.default_on_space("by-default");
    let model = labelled.create(&untraced("model"));
    assert!(is_traced(&model) && is_traced(&space.get(MODEL)));
    let block = &blocks(INSTALL, "## Uninstall")[0];
    cluster.installation().shell.run(block).ok();
    for left in [labelled.get("model"), space.get(MODEL)] {
        assert!(
            left["metadata"]["annotations"].get(RECORD).is_none(),
            "{left}"
        );
        assert!(!left["spec"].to_string().contains("JAEGER_"), "{left}");
    }
    let again = ["annotate", "sdep", MODEL, "tracing=true", "--overwrite"];
    space.kubectl(&again).ok();
    assert!(is_traced(&space.get(MODEL)));
}

fn delete_in_an_emergency(cluster: &Cluster, space: &Space<'_>) {
    let before = written(&space.get(MODEL));
    let said = run(cluster, OPERATE, "## Outage");
    assert!(said[0].contains(MODEL), "{said:?}");
    let touched = space.get(MODEL);
    assert_eq!(
        written(&touched).generation,
        before.generation,
        "a touch restarts nothing"
    );
    let later = cluster.space("no-webhook");
    until("the API server calls nobody any more", || {
        !is_traced(&later.try_create(&model("model")))
    });
}

fn uninstall(cluster: &Cluster, space: &Space<'_>) {
    let before = space.get(MODEL);
    let blocks = blocks(INSTALL, "## Uninstall");
    let [_, remove, uninject] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    let shell = &cluster.installation().shell;
    shell.run(remove).ok();
    assert_nothing_is_left(cluster);
    assert_eq!(
        written(&space.get(MODEL)),
        written(&before),
        "traced, and not restarted"
    );

    shell.run(uninject).ok();
    let after = space.get(MODEL);
    assert!(after["metadata"]["annotations"].get(RECORD).is_none());
    assert_eq!(names(container(&after)), ["LOG_LEVEL"]);
    let untouched = cluster.space("untouched");
    let manifest = fs::read_to_string(shell.file("examples/own-container.yaml")).unwrap();
    let manifest = manifest.replace(
        "namespace: models",
        &format!("namespace: {}", untouched.name),
    );
    untouched
        .kubectl_with(&manifest, &["create", "-f", "-"])
        .ok();
    let as_written = essence(&untouched.get(MODEL))["spec"].clone();
    assert_eq!(essence(&after)["spec"], as_written, "opted out");
}

pub(crate) fn assert_nothing_is_left(cluster: &Cluster) {
    let gone = ["get", "namespace", NAMESPACE];
    assert!(cluster.kubectl(&gone).refused().contains("NotFound"));
    let kinds = ["api-resources", "--verbs=list", "-o", "name"];
    for kind in cluster.kubectl(&kinds).ok().lines() {
        let ours = [
            "--selector=app.kubernetes.io/name=seldon-tracing,app.kubernetes.io/component!=collector",
            "--all-namespaces",
        ];
        let get = [&["get", kind, "-o", "name"], &ours[..]].concat();
        assert_eq!(cluster.kubectl(&get).ok(), "", "{kind}");
    }
}

/// By way of the Service. That no write is lost meanwhile is what `rolling.rs` proves, with many of them.
pub(crate) fn assert_new_models_are_traced(cluster: &Cluster, name: &str) {
    let space = cluster.space(name);
    let model = model("model");
    until("a new model is traced", || {
        is_traced(&space.try_create(&model))
    });
    assert!(is_traced(&space.create(&model)));
}
