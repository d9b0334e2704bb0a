//! What Flux and Argo CD make of our manifests and of models when they sync them again and again, by their own code.
//!
//! `tests/gitops/build` builds the program with that code. Without it, kubectl alone is tried.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::controller::{Controller, QUICK, until_settled};
use crate::models::{RECORD, essence};
use crate::rig::controller::ACCOUNT;
use crate::rig::kubectl::finish;
use crate::rig::{Cluster, Space};
use crate::steps::writes_the_time;
use crate::support::fixtures::{self, documents};

tests![server_side_apply_of_our_manifests_is_no_change_while_the_controller_owns_ca_bundle];

tests![WITH_ENGINES: crate::Test;
    flux_and_argo_cd_with_server_side_diff_see_no_difference_after_a_sync,
    argo_cd_without_server_side_diff_sees_what_is_injected_and_its_syncs_write_nothing,
];

/// The program.
const VARIABLE: &str = "SELDON_TRACING_GITOPS";

/// The engines that ask the API server, by a dry run, what a manifest would become.
const ASKING: [&[&str]; 4] = [
    &["flux"],
    &["argo", "ServerSideDiff"],
    &["argo", "ServerSideDiff", "ServerSideApply"],
    &["argo", "ServerSideDiff", "IncludeMutationWebhook"],
];

/// The engines that compare by themselves, and the examples that differ for them: those where a list of Git has become longer, or all.
const GUESSING: [(&[&str], &[&str]); 2] = [
    (&["argo"], &["churn", "fraud", "recommend"]),
    (&["argo", "ServerSideApply"], ALL),
];

/// The models of the examples.
const ALL: &[&str] = &[
    "churn",
    "fraud",
    "income",
    "iris",
    "iris-v2",
    "pricing",
    "quotes",
    "recommend",
    "reviews",
    "search",
];

/// The program, or what to say about its absence.
pub(crate) fn find() -> Result<PathBuf, String> {
    let program = env::var_os(VARIABLE).map(PathBuf::from);
    let program = program.ok_or_else(|| {
        format!("{VARIABLE} is not set, so the tests with the code of Flux and Argo CD are left out. `tests/gitops/run` builds it")
    })?;
    // Who sets it wants these tests to run.
    Ok(program.canonicalize().unwrap())
}

/// `manifests/default`, as it was installed.
fn ours(cluster: &Cluster) -> Vec<Value> {
    let shell = &cluster.installation().shell;
    documents(&shell.run("kubectl kustomize manifests/default").ok())
}

/// All examples, in one namespace.
fn examples(space: &Space<'_>) -> Vec<Value> {
    let texts = fixtures::examples()
        .into_iter()
        .map(|file| fs::read_to_string(file).unwrap());
    let mut all: Vec<_> = texts.flat_map(|text| documents(&text)).collect();
    for object in &mut all {
        object["metadata"]["namespace"] = json!(space.name);
    }
    all
}

/// The same without what asks for tracing.
fn untriggered(objects: &[Value]) -> Vec<Value> {
    let mut objects = objects.to_vec();
    for object in &mut objects {
        if let Some(annotations) = object.pointer_mut("/metadata/annotations") {
            annotations.as_object_mut().unwrap().remove("tracing");
        }
    }
    objects
}

/// As YAML, which the first line tells: for kubectl 1.30, JSON is one document.
fn text(objects: &[Value]) -> String {
    let texts = objects.iter().map(|object| format!("---\n{object}\n"));
    texts.collect()
}

/// What is in the cluster of what is in Git.
fn stored(cluster: &Cluster, git: &str) -> Vec<Value> {
    let get = ["get", "-o", "json", "--show-managed-fields", "-f", "-"];
    let mut list = cluster.kubectl_with(git, &get).json();
    serde_json::from_value(list["items"].take()).unwrap()
}

/// What tells of a write that restarts pods, and of any other but that of a time.
fn versions(cluster: &Cluster, objects: &[Value]) -> Vec<Value> {
    let with_time = writes_the_time(cluster);
    let metadata = objects.iter().map(|it| &it["metadata"]);
    let of_one = |it: &Value| {
        let version = (!with_time).then_some(&it["resourceVersion"]);
        json!([it["name"], it["generation"], version])
    };
    metadata.map(of_one).collect()
}

fn is_model(object: &Value) -> bool {
    object["kind"] == "SeldonDeployment"
}

/// The names of the models with something of ours in them.
fn injected(objects: &[Value]) -> Vec<&str> {
    let models = objects.iter().filter(|it| is_model(it));
    let injected = models.filter(|it| it["metadata"]["annotations"][RECORD].is_string());
    injected.map(name).collect()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

fn run(cluster: &Cluster, verb: &str, engine: &[&str], git: &str) -> String {
    let mut program = Command::new(find().unwrap());
    program.arg(cluster.plane().kubeconfig());
    program.arg(verb).args(engine);
    finish(program, git).ok()
}

/// Syncs, and gives what is there then.
fn sync(cluster: &Cluster, engine: &[&str], git: &str) -> Vec<Value> {
    run(cluster, "sync", engine, git);
    stored(cluster, git)
}

/// For each object that differs from Git: what is there, and what the engine would have there.
fn differences(cluster: &Cluster, engine: &[&str], git: &str) -> Vec<(Value, Value)> {
    let lines = run(cluster, "diff", engine, git);
    let differences = lines.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        (line["live"].take(), line["wanted"].take())
    });
    differences.collect()
}

fn server_side_apply_of_our_manifests_is_no_change_while_the_controller_owns_ca_bundle(
    cluster: &Cluster,
) {
    let controller = Controller::start(cluster, &QUICK);
    until_settled(cluster, "");
    let git = text(&ours(cluster));
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    cluster.kubectl_with(&git, &apply).ok();
    let first = stored(cluster, &git);
    let webhook = first
        .iter()
        .find(|it| it["kind"] == "MutatingWebhookConfiguration");
    let managers = &webhook.unwrap()["metadata"]["managedFields"];
    let managers = managers.as_array().unwrap().iter();
    let owners = managers.filter(|it| it.to_string().contains("f:caBundle"));
    let owners: Vec<_> = owners.map(|it| &it["manager"]).collect();
    assert_eq!(owners, [ACCOUNT]);
    // Without force, for there is no conflict either.
    let apply = ["apply", "--server-side", "-f", "-"];
    cluster.kubectl_with(&git, &apply).ok();
    assert_eq!(
        versions(cluster, &stored(cluster, &git)),
        versions(cluster, &first)
    );
    until_settled(cluster, "");
    assert!(controller.all_steps() < 0.5, "nothing was put back");
}

fn flux_and_argo_cd_with_server_side_diff_see_no_difference_after_a_sync(cluster: &Cluster) {
    let controller = Controller::start(cluster, &QUICK);
    until_settled(cluster, "");
    for engine in ASKING {
        let space = cluster.space("asking");
        let models = examples(&space);
        let git = text(&[ours(cluster), models.clone()].concat());
        let first = sync(cluster, engine, &git);
        assert_eq!(
            injected(&first).len(),
            models.iter().filter(|it| is_model(it)).count()
        );
        assert_eq!(differences(cluster, engine, &git), [], "{engine:?}");
        let second = sync(cluster, engine, &git);
        assert_eq!(
            versions(cluster, &second),
            versions(cluster, &first),
            "{engine:?}"
        );

        // What a person did is seen, and nothing beside it.
        let off = ["annotate", "sdep/churn", "tracing=false", "--overwrite"];
        space.kubectl(&off).ok();
        let seen = differences(cluster, engine, &git);
        let seen: Vec<_> = seen.iter().map(|(live, _)| name(live)).collect();
        assert_eq!(seen, ["churn"], "{engine:?}");
        let healed = sync(cluster, engine, &git);
        let essences = |of: &[Value]| of.iter().map(essence).collect::<Vec<_>>();
        assert_eq!(essences(&healed), essences(&first), "{engine:?}");
        assert_eq!(differences(cluster, engine, &git), [], "{engine:?}");

        goes_with_its_trigger(&space, engine, &models);
    }
    until_settled(cluster, "");
    assert!(controller.all_steps() < 0.5, "nothing was put back");
}

/// What was injected goes when Git no longer asks for it.
fn goes_with_its_trigger(space: &Space<'_>, engine: &[&str], models: &[Value]) {
    let git = text(&untriggered(models));
    let after = sync(space.cluster, engine, &git);
    assert_eq!(injected(&after), [""; 0], "{engine:?}");
    assert_eq!(differences(space.cluster, engine, &git), [], "{engine:?}");
    // As if it had never been there.
    space.kubectl_with(&git, &["delete", "-f", "-"]).ok();
    let never = sync(space.cluster, engine, &git);
    for (after, never) in after.iter().zip(&never) {
        assert_eq!(essence(after), essence(never), "{engine:?}");
    }
}

fn argo_cd_without_server_side_diff_sees_what_is_injected_and_its_syncs_write_nothing(
    cluster: &Cluster,
) {
    for (engine, differ) in GUESSING {
        let space = cluster.space("guessing");
        let models = examples(&space);
        let git = text(&[ours(cluster), models.clone()].concat());
        let first = sync(cluster, engine, &git);
        let differences = differences(cluster, engine, &git);
        // None of our own objects is among them, whoever has written `caBundle`.
        let mut seen: Vec<_> = differences.iter().map(|(live, _)| name(live)).collect();
        let mut traced = injected(&first);
        seen.sort_unstable();
        traced.sort_unstable();
        assert_eq!(
            (seen.as_slice(), traced.as_slice()),
            (differ, ALL),
            "{engine:?}"
        );
        // It takes the whole list from Git, and has nothing to say about the rest.
        for (mut live, wanted) in differences {
            let of_git = models.iter().filter(|it| is_model(it));
            let of_git = of_git.clone().find(|it| name(it) == name(&live)).unwrap();
            live["spec"]["predictors"] = of_git["spec"]["predictors"].clone();
            assert_eq!(live, wanted, "{engine:?}");
        }
        // What self-heal does about it.
        for _ in 0..3 {
            let again = sync(cluster, engine, &git);
            assert_eq!(
                versions(cluster, &again),
                versions(cluster, &first),
                "{engine:?}"
            );
        }
        goes_with_its_trigger(&space, engine, &models);
    }
}
