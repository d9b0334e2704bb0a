//! Every way in which people write objects with kubectl traces them, and each takes tracing away again.

use std::process::Command;

use serde_json::{Value, json};

use crate::models::{
    RECORD, container, essence, is_traced, model, names, untraced, value, written,
};
use crate::rig::kubectl::{Ran, command, finish};
use crate::rig::{Cluster, Space};
use crate::steps::{assert_unwritten, calls, create, without_us};
use crate::support::variables::FIVE;

tests![
    apply_traces_a_model_and_takes_tracing_away,
    edit_traces_a_model_and_takes_tracing_away,
    replace_traces_a_model_and_takes_tracing_away,
    patches_trace_a_model_and_take_tracing_away,
    a_label_of_a_traced_model_changes_nothing_else,
    every_served_version_is_traced_alike,
    a_model_with_a_generated_name_is_traced,
    a_list_is_traced_item_by_item,
    a_dry_run_shows_what_is_injected_and_stores_nothing,
    diff_shows_what_will_be_injected_and_then_nothing,
];

/// The two ways in which apply works.
const APPLY: [(&str, &[&str]); 2] = [
    ("client-side", &["apply", "-f", "-"]),
    ("server-side", &["apply", "--server-side", "-f", "-"]),
];

fn apply_traces_a_model_and_takes_tracing_away(cluster: &Cluster) {
    let space = cluster.space("apply");
    for (name, apply) in APPLY {
        let apply = |manifest: &Value| {
            space.kubectl_with(&manifest.to_string(), apply).ok();
            space.get(name)
        };
        let before = apply(&untraced(name));
        assert!(!is_traced(&before), "{name}");
        let traced = apply(&model(name));
        assert!(is_traced(&traced), "{name}: {traced}");
        assert_eq!(names(container(&traced)), FIVE, "{name}");
        assert_eq!(written(&traced).generation, 2, "{name}");
        assert_unwritten(&space, &apply(&model(name)), &traced);
        let after = apply(&untraced(name));
        assert_eq!(essence(&after), essence(&before), "{name}: opted out");
        assert_eq!(written(&after).generation, 3, "{name}");
    }
}

/// `kubectl edit` by a person who changes lines as this script for sed does.
#[track_caller]
fn edit(space: &Space<'_>, script: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    let lines = format!("sed '{script}' \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n");
    std::fs::write(&editor, lines).unwrap();
    let mut command: Command = command(space.cluster.plane());
    command
        .args(["--namespace", &space.name, "edit", "sdep/model"])
        .env("KUBE_EDITOR", format!("sh {}", editor.display()));
    let said = finish(command, "").ok();
    assert!(said.contains("edited"), "{said}");
    space.get("model")
}

fn edit_traces_a_model_and_takes_tracing_away(cluster: &Cluster) {
    let space = cluster.space("edit");
    let before = create(&space, &untraced("model"));
    let on = "s/^metadata:$/metadata:\\\n  annotations: {tracing: \"true\"}/";
    let traced = edit(&space, on);
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(names(container(&traced)), FIVE);
    assert_eq!(written(&traced).generation, 2);

    // What is edited then has our variables and the record in it, which stay.
    let changed = edit(&space, "s|example.com/model:1|example.com/model:2|");
    assert_eq!(container(&changed)["image"], "example.com/model:2");
    assert_eq!(container(&changed)["env"], container(&traced)["env"]);
    assert_eq!(
        changed["metadata"]["annotations"][RECORD],
        traced["metadata"]["annotations"][RECORD]
    );
    edit(&space, "s|example.com/model:2|example.com/model:1|");
    let after = edit(&space, "/^    tracing: \"true\"$/d");
    assert_eq!(essence(&after), essence(&before), "opted out");
}

fn replace_traces_a_model_and_takes_tracing_away(cluster: &Cluster) {
    let space = cluster.space("replace");
    let before = create(&space, &untraced("model"));
    let replace = |manifest: &Value| {
        space
            .kubectl_with(&manifest.to_string(), &["replace", "-f", "-"])
            .ok();
        space.get("model")
    };
    let traced = replace(&model("model"));
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(written(&traced).generation, 2);
    // Neither the record nor the variables are in that manifest. The API server notes that the predictors are now kubectl's, no more.
    let again = replace(&model("model"));
    assert_eq!(essence(&again), essence(&traced), "sticky");
    assert_eq!(written(&again).generation, 2, "sticky");
    assert_eq!(
        essence(&replace(&untraced("model"))),
        essence(&before),
        "opted out"
    );
}

fn patches_trace_a_model_and_take_tracing_away(cluster: &Cluster) {
    let space = cluster.space("patch");
    let before = create(&space, &untraced("model"));
    let patch = |kind: &str, patch: Value| {
        let (kind, patch) = (format!("--type={kind}"), format!("--patch={patch}"));
        space.kubectl(&["patch", "sdep/model", &kind, &patch]).ok();
        space.get("model")
    };
    let trigger = "/metadata/annotations/tracing";
    let merged = patch(
        "merge",
        json!({"metadata": {"annotations": {"tracing": "true"}}}),
    );
    assert!(is_traced(&merged), "{merged}");
    assert_eq!(written(&merged).generation, 2);
    let image = "/spec/predictors/0/componentSpecs/0/spec/containers/0/image";
    let changed = patch(
        "json",
        json!([{"op": "replace", "path": image, "value": "example.com/model:2"}]),
    );
    assert_eq!(container(&changed)["env"], container(&merged)["env"]);
    // A list of a merge patch is the whole list, as the user has it: without what is ours.
    let predictors = &before["spec"]["predictors"];
    let written_anew = patch("merge", json!({"spec": {"predictors": predictors}}));
    assert_eq!(written_anew["spec"], merged["spec"], "sticky");
    let off = patch("json", json!([{"op": "remove", "path": trigger}]));
    assert_eq!(essence(&off), essence(&before), "opted out");

    let add = json!([{"op": "add", "path": "/metadata/annotations", "value": {"tracing": "true"}}]);
    assert_eq!(patch("json", add)["spec"], merged["spec"]);
    let off = patch(
        "merge",
        json!({"metadata": {"annotations": {"tracing": null}}}),
    );
    assert_eq!(essence(&off), essence(&before), "opted out");
}

fn a_label_of_a_traced_model_changes_nothing_else(cluster: &Cluster) {
    let space = cluster.space("labels");
    let mut expected = essence(&create(&space, &model("model")));
    let labels = ["label", "sdep", "--all", "team=shop"];
    space.kubectl(&labels).ok();
    let labelled = space.get("model");
    expected["metadata"]["labels"] = json!({"team": "shop"});
    assert_eq!(essence(&labelled), expected);
    assert_eq!(written(&labelled).generation, 1, "no pod restarts");
    assert_eq!(calls(&space, "model"), [true, true]);
}

fn every_served_version_is_traced_alike(cluster: &Cluster) {
    let space = cluster.space("versions");
    let without_us = without_us(&space, &untraced("model"));
    for version in ["v1alpha2", "v1alpha3"] {
        let mut manifest = model("model");
        manifest["apiVersion"] = json!(format!("machinelearning.seldon.io/{version}"));
        let manifest = manifest.to_string();
        let created = space.kubectl_with(&manifest, &["create", "-f", "-"]);
        if !cluster.crd().has_old_versions() {
            let said = created.refused();
            assert!(said.contains(version), "{said}");
            continue;
        }
        created.ok();
        // As v1, in which the webhook sees it.
        let traced = space.get("model");
        assert!(is_traced(&traced), "{version}: {traced}");
        assert_eq!(names(container(&traced)), FIVE);
        assert_eq!(written(&traced).generation, 1);

        let resource = format!("seldondeployments.{version}.machinelearning.seldon.io/model");
        let annotate = |annotation: &str| {
            let annotate = ["annotate", "--overwrite", &resource, annotation];
            space.kubectl(&annotate).ok();
            space.get("model")
        };
        assert_eq!(
            written(&annotate("tracing=true")),
            written(&traced),
            "idempotent"
        );
        assert_eq!(essence(&annotate("tracing-")), without_us, "opted out");
        assert_eq!(
            essence(&annotate("tracing=true")),
            essence(&traced),
            "{version}"
        );
        let applied = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        space.kubectl_with(&manifest, &applied).ok();
        assert_eq!(essence(&space.get("model")), essence(&traced), "sticky");
        space.kubectl(&["delete", &resource]).ok();
    }
}

fn a_model_with_a_generated_name_is_traced(cluster: &Cluster) {
    let space = cluster.space("generate");
    let mut manifest = model("unused");
    manifest["metadata"] = json!({
        "generateName": "model-",
        "annotations": {"tracing": "true", "tracing.seldon.io/service-name": "{name}"},
    });
    let created = space.kubectl_with(&manifest.to_string(), &["create", "-o", "json", "-f", "-"]);
    assert_eq!(created.warnings(), Vec::<String>::new());
    let created = created.json();
    assert!(is_traced(&created), "{created}");
    let name = created["metadata"]["name"].as_str().unwrap();
    // The name is made up after us: all that can be known is what it begins with.
    let orchestrator = &created["spec"]["predictors"][0]["svcOrchSpec"];
    assert_eq!(value(orchestrator, "JAEGER_SERVICE_NAME"), Some("model"));
    space
        .kubectl(&["label", &format!("sdep/{name}"), "a=b"])
        .ok();
    assert_eq!(space.get(name)["spec"], created["spec"], "sticky");
}

fn a_list_is_traced_item_by_item(cluster: &Cluster) {
    let space = cluster.space("list");
    let list = json!({
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            model("first"),
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "annotations": {"tracing": "true"}}},
            untraced("second"),
            model("third"),
        ],
    });
    let list = list.to_string();
    space.kubectl_with(&list, &["create", "-f", "-"]).ok();
    assert!(is_traced(&space.get("first")));
    assert!(!is_traced(&space.get("second")));
    assert!(is_traced(&space.get("third")));
    let all = ["annotate", "--overwrite", "sdep", "--all", "tracing=true"];
    space.kubectl(&all).ok();
    assert!(is_traced(&space.get("second")));
    assert_eq!(written(&space.get("first")).generation, 1, "idempotent");
    let other = space
        .kubectl(&["get", "configmap/other", "-o", "json"])
        .json();
    assert_eq!(other["metadata"]["annotations"], json!({"tracing": "true"}));
}

fn a_dry_run_shows_what_is_injected_and_stores_nothing(cluster: &Cluster) {
    let space = cluster.space("dry");
    let dry = ["--dry-run=server", "-o", "json"];
    let run = |arguments: &[&str]| {
        let input = model("model").to_string();
        space
            .kubectl_with(&input, &[arguments, &dry].concat())
            .json()
    };
    // A webhook that had side effects would be refused.
    for arguments in [
        &["create", "-f", "-"][..],
        &["apply", "-f", "-"],
        &["apply", "--server-side", "-f", "-"],
    ] {
        let shown = run(arguments);
        assert!(is_traced(&shown), "{arguments:?}: {shown}");
        assert_eq!(names(container(&shown)), FIVE);
    }
    let none = space.kubectl(&["get", "sdep", "-o", "name"]).ok();
    assert_eq!(none, "");

    let before = create(&space, &untraced("model"));
    let patch = r#"{"metadata": {"annotations": {"tracing": "true"}}}"#;
    for arguments in [
        &["annotate", "sdep/model", "tracing=true"][..],
        &["patch", "sdep/model", "--type=merge", "--patch", patch],
        &["replace", "-f", "-"],
    ] {
        let shown = run(arguments);
        assert!(is_traced(&shown), "{arguments:?}: {shown}");
    }
    let after = space.get("model");
    assert_eq!(written(&after), written(&before));
    assert_eq!(essence(&after), essence(&before));

    // What kubectl works out by itself shows nothing of ours.
    let input = model("model").to_string();
    let client = ["create", "--dry-run=client", "-o", "json", "-f", "-"];
    let shown = space.kubectl_with(&input, &client).json();
    assert!(!is_traced(&shown), "{shown}");
}

fn diff_shows_what_will_be_injected_and_then_nothing(cluster: &Cluster) {
    let space = cluster.space("diff");
    for (name, apply) in APPLY {
        let with = |arguments: &[&str], manifest: &Value| -> Ran {
            space.kubectl_with(&manifest.to_string(), arguments)
        };
        let diff = [&["diff"], &apply[1..]].concat();
        let adds = |ran: Ran| {
            assert_eq!(ran.code, Some(1), "{ran:?}");
            let added = |line: &&str| line.starts_with('+') && line.ends_with("name: TRACING");
            // In the container and in the orchestrator.
            assert_eq!(ran.stdout.lines().filter(added).count(), 2, "{ran:?}");
        };
        adds(with(&diff, &model(name)));
        with(apply, &untraced(name)).ok();
        let steady = with(&diff, &untraced(name)).ok();
        assert_eq!(steady, "", "{name}");
        adds(with(&diff, &model(name)));

        with(apply, &model(name)).ok();
        let traced = space.get(name);
        assert!(is_traced(&traced));
        let steady = with(&diff, &model(name)).ok();
        assert_eq!(steady, "", "{name}");

        let ran = with(&diff, &untraced(name));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let removed = |line: &&str| line.starts_with('-') && line.ends_with("name: TRACING");
        assert_eq!(ran.stdout.lines().filter(removed).count(), 2, "{ran:?}");
        assert_eq!(written(&space.get(name)), written(&traced));
    }
}
