//! What tools for `GitOps` do day and night changes nothing, restarts nothing and shows no drift.

use std::path::PathBuf;

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::models::{RECORD, essence, is_traced, model, untraced, written};
use crate::opt_in::graph;
use crate::rig::kubectl::finish;
use crate::rig::{Cluster, Space, until};
use crate::steps::{apply_as, assert_unwritten, create, logged, merge, without_us};
use crate::support::load::process;

tests![
    the_same_manifest_applied_by_kubectl_again_and_again_writes_nothing,
    the_same_manifest_applied_on_the_server_again_and_again_writes_nothing,
    an_apply_after_a_write_of_another_manager_restarts_nothing,
    two_managers_of_one_manifest_conflict_until_one_of_them_insists,
    a_manifest_without_its_trigger_leaves_nothing_of_ours,
    flux_sees_no_drift,
    argo_cd_sees_no_difference,
    what_is_saved_from_the_cluster_and_applied_can_still_be_taken_out,
    what_inject_prints_is_what_the_webhook_would_have_made,
    who_takes_out_trigger_and_record_at_once_keeps_the_variables,
];

/// The manifest in a version of the API.
fn of_version(version: &str, mut manifest: Value) -> Value {
    manifest["apiVersion"] = json!(format!("machinelearning.seldon.io/{version}"));
    manifest
}

/// The versions in which manifests are applied here.
fn versions(cluster: &Cluster) -> &'static [&'static str] {
    if cluster.crd().has_old_versions() {
        &["v1", "v1alpha2"]
    } else {
        &["v1"]
    }
}

fn apply(space: &Space<'_>, manifest: &Value) -> String {
    let apply = ["apply", "-f", "-"];
    space.kubectl_with(&manifest.to_string(), &apply).ok()
}

fn the_same_manifest_applied_by_kubectl_again_and_again_writes_nothing(cluster: &Cluster) {
    let space = cluster.space("client-side");
    for version in versions(cluster) {
        let manifest = of_version(version, model(version));
        apply(&space, &manifest);
        let first = space.get(version);
        assert!(is_traced(&first), "{first}");
        for _ in 0..3 {
            // It does not know better, for it compares lists by itself.
            assert!(apply(&space, &manifest).contains("configured"));
            assert_unwritten(&space, &space.get(version), &first);
        }
    }
}

fn the_same_manifest_applied_on_the_server_again_and_again_writes_nothing(cluster: &Cluster) {
    let space = cluster.space("server-side");
    for version in versions(cluster) {
        let manifest = of_version(version, model(version)).to_string();
        let apply = ["apply", "--server-side", "--field-manager=ci", "-f", "-"];
        let apply = || {
            space.kubectl_with(&manifest, &apply).ok();
            space.get(version)
        };
        let first = apply();
        assert!(is_traced(&first), "{first}");
        for _ in 0..3 {
            assert_unwritten(&space, &apply(), &first);
        }
    }
}

/// The API server orders the entries of `managedFields` by their times. Where the order changes, it writes that, and nothing else.
fn an_apply_after_a_write_of_another_manager_restarts_nothing(cluster: &Cluster) {
    let space = cluster.space("others");
    let client = model("client");
    let server = model("server");
    let sync = || {
        apply(&space, &client);
        apply_as(&space, "ci", &server, |_| {}).unwrap();
        ["client", "server"].map(|name| space.get(name))
    };
    let first = sync();
    for name in ["client", "server"] {
        // As Seldon's operator does it all day.
        let status = json!({"status": {"state": "Available"}});
        let parameters = PatchParams::default();
        let models = space.models();
        let status = Patch::Merge(&status);
        let written = models.patch_status(name, &parameters, &status);
        cluster.block_on(written).unwrap();
    }
    for (again, first) in sync().iter().zip(&first) {
        assert_eq!(essence(again), essence(first), "sticky");
        assert_eq!(written(again).generation, 1, "sticky");
        assert_eq!(again["status"]["state"], "Available");
    }
}

fn two_managers_of_one_manifest_conflict_until_one_of_them_insists(cluster: &Cluster) {
    let space = cluster.space("managers");
    let manifest = model("model").to_string();
    let apply = |manager: &str, force: &[&str]| {
        let manager = format!("--field-manager={manager}");
        let apply = ["apply", "--server-side", &manager, "-f", "-"];
        space.kubectl_with(&manifest, &[&apply[..], force].concat())
    };
    apply("one", &[]).ok();
    let first = space.get("model");
    let said = apply("other", &[]).refused();
    assert!(said.contains("conflict"), "{said}");
    assert!(said.contains(".spec.predictors"), "{said}");
    assert_eq!(written(&space.get("model")), written(&first));

    apply("other", &["--force-conflicts"]).ok();
    let forced = space.get("model");
    assert_eq!(essence(&forced), essence(&first), "sticky");
    assert_eq!(written(&forced).generation, 1, "no restart");
    apply("other", &[]).ok();
    assert_unwritten(&space, &space.get("model"), &forced);
}

fn a_manifest_without_its_trigger_leaves_nothing_of_ours(cluster: &Cluster) {
    let space = cluster.space("trigger");
    for version in versions(cluster) {
        let manifest = |traced: Value| of_version(version, traced);
        // Another manager's annotation is there to stay.
        let note = json!({"metadata": {"annotations": {"note": "of another"}}});

        apply(&space, &manifest(untraced("client")));
        let before = merge(&space, "client", &note);
        apply(&space, &manifest(model("client")));
        assert!(is_traced(&space.get("client")));
        apply(&space, &manifest(untraced("client")));
        assert_eq!(essence(&space.get("client")), essence(&before), "opted out");
        space.kubectl(&["delete", "sdep/client"]).ok();

        let server = |manifest: &Value| {
            let apply = ["apply", "--server-side", "-f", "-"];
            space.kubectl_with(&manifest.to_string(), &apply).ok();
            space.get("server")
        };
        server(&manifest(untraced("server")));
        let before = merge(&space, "server", &note);
        assert!(is_traced(&server(&manifest(model("server")))));
        let after = server(&manifest(untraced("server")));
        assert_eq!(essence(&after), essence(&before), "opted out");
        space.kubectl(&["delete", "sdep/server"]).ok();
    }
}

/// What Flux compares: labels and annotations, and all that is neither metadata nor status.
fn seen_by_flux(object: &Value) -> Value {
    let mut rest = object.clone();
    let fields = rest.as_object_mut().unwrap();
    fields.remove("metadata");
    fields.remove("status");
    let metadata = &object["metadata"];
    json!({"labels": metadata["labels"], "annotations": metadata["annotations"], "rest": rest})
}

fn flux_sees_no_drift(cluster: &Cluster) {
    let space = cluster.space("flux");
    let manifest = model("model");
    let flux = |dry_run: bool| {
        let set = |parameters: &mut PatchParams| {
            parameters.force = true;
            parameters.dry_run = dry_run;
        };
        apply_as(&space, "kustomize-controller", &manifest, set).unwrap()
    };
    let first = flux(true);
    assert!(is_traced(&first), "{first}");
    flux(false);
    let live = space.get("model");
    assert_eq!(seen_by_flux(&flux(true)), seen_by_flux(&live), "sticky");

    // A person has turned it off: that is drift, and is put right as Flux puts everything right.
    let off = json!({"metadata": {"annotations": {"tracing": "false"}}});
    let off = merge(&space, "model", &off);
    assert_ne!(seen_by_flux(&flux(true)), seen_by_flux(&off));
    let healed = flux(false);
    assert_eq!(essence(&healed), essence(&live));
    assert_eq!(seen_by_flux(&flux(true)), seen_by_flux(&healed));

    // A model of a person's that Flux takes over, with tracing from the beginning.
    let manifest = model("adopted");
    create(&space, &manifest);
    let live = space.get("adopted");
    let adopted = apply_as(&space, "kustomize-controller", &manifest, |all| {
        all.force = true;
    });
    assert_eq!(essence(&adopted.unwrap()), essence(&live));
    assert_eq!(written(&space.get("adopted")).generation, 1, "no restart");
}

fn argo_cd_sees_no_difference(cluster: &Cluster) {
    let space = cluster.space("argo");
    let manifest = model("model");
    // What its ServerSideDiff does: a dry run as the manager that applies, and then live as it is.
    let dry = || {
        let set = |parameters: &mut PatchParams| {
            parameters.force = true;
            parameters.dry_run = true;
        };
        apply_as(&space, "argocd-controller", &manifest, set).unwrap()
    };
    let argo = "--field-manager=argocd-controller";
    let sync = [
        "apply",
        "--server-side",
        argo,
        "--force-conflicts",
        "-f",
        "-",
    ];
    let sync = || space.kubectl_with(&manifest.to_string(), &sync).ok();
    sync();
    let live = space.get("model");
    assert!(is_traced(&live), "{live}");
    assert_unwritten(&space, &dry(), &live);
    sync();
    assert_unwritten(&space, &space.get("model"), &live);

    // Without server-side apply, as Argo CD syncs by default: kubectl's three-way patch.
    let synced = model("synced");
    apply(&space, &synced);
    let live = space.get("synced");
    let set = |parameters: &mut PatchParams| {
        parameters.force = true;
        parameters.dry_run = true;
    };
    let predicted = apply_as(&space, "argocd-controller", &synced, set).unwrap();
    assert_eq!(essence(&predicted), essence(&live), "sticky");
    assert_eq!(written(&predicted).generation, written(&live).generation);
}

/// Without the annotation that `kubectl apply` keeps for itself.
#[track_caller]
fn without_kubectls(object: &Value) -> Value {
    let mut object = essence(object);
    let metadata = object["metadata"].as_object_mut().unwrap();
    let annotations = metadata["annotations"].as_object_mut().unwrap();
    let last = "kubectl.kubernetes.io/last-applied-configuration";
    assert!(annotations.remove(last).is_some());
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    object
}

fn what_is_saved_from_the_cluster_and_applied_can_still_be_taken_out(cluster: &Cluster) {
    let space = cluster.space("saved");
    let without_us = without_us(&space, &untraced("model"));
    create(&space, &model("model"));
    let traced = space.get("model");
    let saved = space.kubectl(&["get", "sdep/model", "-o", "yaml"]).ok();
    assert!(saved.contains("name: JAEGER_AGENT_HOST"), "{saved}");

    let said = space.kubectl_with(&saved, &["apply", "-f", "-"]).ok();
    assert!(said.contains("configured"), "{said}");
    let applied = space.get("model");
    assert_eq!(applied["spec"], traced["spec"], "idempotent");
    assert_eq!(written(&applied).generation, 1, "no restart");

    // The variables are in the manifest now, but as the record says: they are ours.
    space.kubectl(&["annotate", "sdep/model", "tracing-"]).ok();
    let after = space.get("model");
    assert_eq!(without_kubectls(&after), without_us, "opted out");
    space.kubectl(&["delete", "sdep/model"]).ok();

    // The same for a file in Git, out of which somebody took what the API server writes: first with its trigger, then without.
    let mut saved = essence(&traced);
    apply(&space, &saved);
    let created = space.get("model");
    assert_eq!(created["spec"], traced["spec"]);
    apply(&space, &saved);
    assert_unwritten(&space, &space.get("model"), &created);
    let annotations = saved["metadata"]["annotations"].as_object_mut();
    annotations.unwrap().remove("tracing").unwrap();
    apply(&space, &saved);
    let after = space.get("model");
    assert_eq!(without_kubectls(&after), without_us, "opted out");
    // And once more, though all of it is still in that file.
    apply(&space, &saved);
    assert_unwritten(&space, &space.get("model"), &after);
}

/// `seldon-tracing inject` of a manifest.
fn injected(manifest: &Value, arguments: &[&str]) -> String {
    let mut command = process::binary(&PathBuf::from("/"));
    command.args(["inject", "-f", "-"]).args(arguments);
    finish(command, &manifest.to_string()).ok()
}

fn what_inject_prints_is_what_the_webhook_would_have_made(cluster: &Cluster) {
    let space = cluster.space("offline");
    let mut graph = graph("graph");
    // It is in values, so `inject` has to know it too.
    graph["metadata"]["namespace"] = json!(space.name);
    graph["metadata"]["annotations"]["tracing"] = json!("true");
    for manifest in [model("model"), graph] {
        is_the_same_offline(&space, &manifest, &[]);
    }
    let space = cluster.default_on_space("offline-default");
    is_the_same_offline(&space, &untraced("model"), &["--namespace-enabled"]);
}

#[track_caller]
fn is_the_same_offline(space: &Space<'_>, manifest: &Value, arguments: &[&str]) {
    let name = manifest["metadata"]["name"].as_str().unwrap();
    let without_us = without_us(space, manifest);
    let offline = injected(manifest, arguments);
    space.kubectl_with(&offline, &["create", "-f", "-"]).ok();
    let created = space.get(name);
    assert!(created["metadata"]["annotations"][RECORD].is_string());
    let decision = || {
        let mut decisions = logged(space, name).into_iter();
        decisions.find(|line| line["dry_run"] == false)
    };
    until("it is logged", || decision().is_some());
    let decision = decision().unwrap();
    assert_eq!(decision["outcome"], "unchanged", "{decision}");
    assert_eq!(decision["operations"], 0, "as offline: {decision}");

    // Online, from the manifest as it was.
    let resource = format!("sdep/{name}");
    space.kubectl(&["delete", &resource]).ok();
    let online = create(space, manifest);
    assert_eq!(essence(&online), essence(&created), "as offline");

    // A team may then go from the one to the other.
    let offline = serde_json::from_str(&offline).unwrap();
    apply_as(space, "ci", &offline, |all| all.force = true).unwrap();
    let applied = space.get(name);
    assert_eq!(essence(&applied), essence(&online), "idempotent");
    assert_eq!(written(&applied).generation, 1, "no restart");

    let off = json!({"metadata": {"annotations": {"tracing": "false"}}});
    let mut expected = without_us;
    expected["metadata"]["annotations"]["tracing"] = json!("false");
    assert_eq!(essence(&merge(space, name, &off)), expected, "opted out");
}

/// As of then they are in the manifest of somebody who wants them there.
fn who_takes_out_trigger_and_record_at_once_keeps_the_variables(cluster: &Cluster) {
    let space = cluster.space("kept");
    let traced = create(&space, &model("model"));
    let none = json!({"metadata": {"annotations": {"tracing": null, RECORD: null}}});
    let kept = merge(&space, "model", &none);
    assert_eq!(kept["spec"], traced["spec"]);
    assert_eq!(written(&kept).generation, 1, "no restart");
    let off = json!({"metadata": {"annotations": {"tracing": "false"}}});
    let off = merge(&space, "model", &off);
    assert_eq!(off["spec"], traced["spec"], "the variables are not ours");
}
