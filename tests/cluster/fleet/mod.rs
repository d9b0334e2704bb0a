//! `status`, `explain sdep/NAME` and `resync` on a fleet, as people with different rights run them.

pub(crate) mod resync;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use seldon_tracing::config::Config;
use seldon_tracing::inject::Context;
use serde_json::{Value, json};

use crate::models::{model, untraced, written};
use crate::rig::kubectl::{Ran, finish};
use crate::rig::space;
use crate::rig::{Cluster, Space, until};
use crate::support::common;

tests![
    each_standing_is_told,
    a_fleet_of_several_pages_in_many_namespaces_is_read_whole,
    what_a_person_may_not_read_is_one_line,
    a_model_of_the_cluster_is_explained_as_it_is_there,
    an_api_server_that_is_not_there_is_named_with_advice,
];

tests![AT_THE_END: crate::Test; without_seldon_each_command_says_what_to_install];

/// Our command, as the administrator runs it.
pub(crate) fn ours(cluster: &Cluster, arguments: &[&str]) -> Ran {
    ours_as(&cluster.plane().kubeconfig(), arguments)
}

pub(crate) fn ours_as(kubeconfig: &Path, arguments: &[&str]) -> Ran {
    finish(command(kubeconfig, arguments), "")
}

fn command(kubeconfig: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seldon-tracing"));
    command
        .args(arguments)
        .env_remove("SELDON_TRACING_CONFIG")
        .env("KUBECONFIG", kubeconfig);
    command
}

/// The model as a webhook with that port would have stored it.
fn injected(object: &Value, port: &str) -> Value {
    let config = Config::read(&format!("defaults: {{agentPort: {port}}}")).unwrap();
    common::run(object, None, &config, &Context::default(), |_| ()).0
}

/// A namespace with these models as they are. Its webhook is the installed one, from now on.
fn stored<'c>(cluster: &'c Cluster, name: &str, models: &[Value]) -> Space<'c> {
    let space = cluster.apart(name);
    for model in models {
        crate::steps::create(&space, model);
    }
    cluster.rejoin(&space);
    space
}

/// A model of each standing, under its name.
fn one_of_each() -> Vec<Value> {
    let mut leftover = injected(&model("leftover"), "5775");
    leftover["metadata"]["annotations"]["tracing"] = json!("false");
    let mut problem = model("problem");
    problem["metadata"]["annotations"]["tracing"] = json!("yes");
    let mut by_hand = injected(&model("traced-by-hand"), "1234");
    by_hand["metadata"]["annotations"] = json!({"tracing": "true"});
    let mut off = untraced("off");
    off["metadata"]["labels"] = json!({"team": "risk"});
    vec![
        model("missing"),
        leftover,
        injected(&model("outdated"), "6831"),
        problem,
        injected(&model("traced"), "5775"),
        by_hand,
        off,
    ]
}

fn standings(answer: &Value) -> Vec<(&str, &str)> {
    let models = answer["models"].as_array().unwrap().iter();
    models
        .map(|model| {
            (
                model["name"].as_str().unwrap(),
                model["standing"].as_str().unwrap(),
            )
        })
        .collect()
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn each_standing_is_told(cluster: &Cluster) {
    let space = stored(cluster, "standings", &one_of_each());
    let status = |more: &[&str]| ours(cluster, &[&["status", "-n", &space.name], more].concat());
    let answer = status(&["-o", "json"]).json();
    let found = standings(&answer);
    assert_eq!(found.len(), 7);
    assert!(
        found.iter().all(|(name, standing)| name == standing),
        "{answer:#}"
    );
    assert_eq!(answer["notes"], json!([]));
    let of = |name: &str| {
        let mut models = answer["models"].as_array().unwrap().iter();
        models.find(|model| model["name"] == name).unwrap()
    };
    assert_eq!(
        of("missing")["why"],
        "no variables in classifier, orchestrator"
    );
    assert_eq!(of("outdated")["why"], "JAEGER_AGENT_PORT would change");
    assert_eq!(of("traced")["askedBy"], json!(["annotation"]));
    assert_eq!(
        (&of("traced")["traced"], &of("missing")["targets"]),
        (&json!(2), &json!(2))
    );

    let table = status(&[]);
    assert_eq!(
        table.stderr,
        "7 SeldonDeployments: 1 missing, 1 leftover, 1 outdated, 1 problem, 1 traced, 1 traced-by-hand, 1 off\n"
    );
    let table = table.ok();
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap();
    let cells = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(cells(row("NAME")), "NAME ASKED BY STANDING TARGETS");
    assert_eq!(cells(row("missing")), "missing annotation missing 0/2");
    assert_eq!(cells(row("off")), "off - off -");
    assert!(
        !table.contains('\u{1b}'),
        "no colour where there is no terminal"
    );
    let wide = status(&["-o", "wide"]).ok();
    assert!(wide.contains("JAEGER_AGENT_PORT would change"), "{wide}");
    let all = ours(cluster, &["status", "-A"]).ok();
    assert!(
        all.lines()
            .any(|line| cells(line) == format!("{} off - off -", space.name)),
        "{all}"
    );

    let names = status(&["-o", "name", "-l", "team=risk"]).ok();
    assert_eq!(names, "seldondeployment.machinelearning.seldon.io/off\n");
    space.kubectl(&["get", names.trim()]).ok();
    for (listed, code) in [("missing,problem", 1), ("off", 1)] {
        assert_eq!(status(&["--fail-on", listed]).code, Some(code));
    }
    let good = ["--fail-on", "missing,problem", "-l", "team=risk"];
    assert_eq!(status(&good).code, Some(0));
    let nothing = status(&["-l", "team=none"]);
    assert!(
        nothing.stderr.starts_with("no SeldonDeployment found"),
        "{nothing:?}"
    );
    assert_eq!(nothing.ok(), "");

    // By the namespace, and where the webhook is not called.
    let labels = ["label", "namespace", &space.name];
    let label = |label: &str| cluster.kubectl(&[&labels[..], &[label]].concat()).ok();
    label("tracing=enabled");
    let answer = status(&["-o", "json"]).json();
    assert!(
        standings(&answer).contains(&("off", "missing")),
        "{answer:#}"
    );
    label("tracing-");
    label("tracing.seldon.io/disabled=true");
    let answer = status(&["-o", "json"]).json();
    assert!(
        standings(&answer).contains(&("missing", "problem")),
        "{answer:#}"
    );
}

fn a_fleet_of_several_pages_in_many_namespaces_is_read_whole(cluster: &Cluster) {
    const COUNT: usize = 1010;
    let spaces: Vec<_> = (0..50).map(|_| cluster.apart("pages")).collect();
    let created = stream::iter(0..COUNT)
        .map(|number| {
            let name = format!("m-{number}");
            let object = json!({
                "apiVersion": "machinelearning.seldon.io/v1",
                "kind": "SeldonDeployment",
                "metadata": {"name": name, "labels": {"fleet": "pages"}},
                "spec": {"predictors": [{"name": "p", "graph": {"name": "m", "type": "MODEL"}}]},
            });
            let space = &spaces[number % spaces.len()];
            space::create(cluster.client(), space.name.clone(), object)
        })
        .buffer_unordered(16)
        .map(Result::unwrap)
        .count();
    assert_eq!(cluster.block_on(created), COUNT);
    let start = Instant::now();
    let answer = ours(
        cluster,
        &["status", "-A", "-l", "fleet=pages", "-o", "json"],
    );
    let took = start.elapsed();
    eprintln!("cluster: the status of {COUNT} models in 50 namespaces was told in {took:.2?}");
    let answer = answer.json();
    let mut names: Vec<_> = standings(&answer)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), COUNT);
}

/// A kubeconfig of the administrator, who acts as somebody else.
fn kubeconfig_as(cluster: &Cluster, user: &str) -> PathBuf {
    let text = fs::read_to_string(cluster.plane().kubeconfig()).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"]["as"] = json!(user);
    let file = cluster.plane().file(&format!("kubeconfig-{user}"));
    fs::write(&file, kubeconfig.to_string()).unwrap();
    file
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn what_a_person_may_not_read_is_one_line(cluster: &Cluster) {
    let space = stored(cluster, "rights", &one_of_each());
    let user = format!("scientist-{}", space.name);
    // What the role `view` gives, which a controller fills that is not here.
    for (name, verbs, resource) in [
        (
            "models",
            "get,list",
            "seldondeployments.machinelearning.seldon.io",
        ),
        ("namespace", "get", "namespaces"),
    ] {
        let (verbs, resource) = (format!("--verb={verbs}"), format!("--resource={resource}"));
        space
            .kubectl(&["create", "role", name, &verbs, &resource])
            .ok();
        let (role, user) = (format!("--role={name}"), format!("--user={user}"));
        space
            .kubectl(&["create", "rolebinding", name, &role, &user])
            .ok();
    }
    let scientist = kubeconfig_as(cluster, &user);
    let status = ["status", "-n", &space.name, "-o", "json"];
    let mut ran = None;
    until("the rights are in force", || {
        let now = ours_as(&scientist, &status);
        let done = now.code == Some(0) && now.stderr.lines().count() == 1;
        ran = Some(now);
        done
    });
    let ran = ran.unwrap();
    let note = "not checked: no permission to read the ConfigMap seldon-tracing/seldon-tracing-config; using the built-in config, so no model is reported as outdated";
    assert_eq!(ran.stderr, format!("{note}\n"));
    let answer = ran.json();
    assert_eq!(answer["notes"], json!([note]));
    let found = standings(&answer);
    assert!(
        found.contains(&("missing", "missing")) && found.contains(&("outdated", "traced")),
        "{found:?}"
    );
    let explained = ours_as(&scientist, &["explain", "sdep/traced", "-n", &space.name]);
    assert!(
        explained.stdout.contains("/traced: traced"),
        "{explained:?}"
    );

    let nobody = kubeconfig_as(cluster, "nobody");
    for (who, arguments, said) in [
        (
            &scientist,
            &["status", "-A"][..],
            "no permission to list the SeldonDeployments of all namespaces",
        ),
        (
            &scientist,
            &["resync", "outdated", "-n", &space.name, "--yes"],
            "no permission to write the SeldonDeployment",
        ),
        (
            &nobody,
            &["status", "-n", &space.name],
            "no permission to list the SeldonDeployments of the namespace",
        ),
        (
            &nobody,
            &["explain", "sdep/traced", "-n", &space.name],
            "no permission to read the SeldonDeployment",
        ),
    ] {
        let ran = ours_as(who, arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
    }
    assert_eq!(written(&space.get("outdated")).generation, 1);
}

fn a_model_of_the_cluster_is_explained_as_it_is_there(cluster: &Cluster) {
    let space = stored(cluster, "explained", &one_of_each());
    let explain = |name: &str, more: &[&str]| {
        let arguments = [&["explain", name, "-n", &space.name], more].concat();
        ours(cluster, &arguments)
    };
    let traced = explain("sdep/traced", &[]).ok();
    let title = format!("{}/traced: traced (sdep/traced)", space.name);
    assert_eq!(traced.lines().next(), Some(title.as_str()));
    let both = explain(
        "seldondeployments.machinelearning.seldon.io/outdated",
        &["sdep/leftover", "-o", "json"],
    )
    .json();
    let objects = both["objects"].as_array().unwrap();
    assert_eq!(objects[0]["notes"][0]["reason"], "outdated", "{both:#}");
    assert_eq!(objects[0].get("line"), None);
    assert_eq!(objects[1]["outcome"], "removed");
    let missing = explain("sdep/none", &[]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("/none: not found"), "{missing:?}");
}

fn an_api_server_that_is_not_there_is_named_with_advice(cluster: &Cluster) {
    let file = cluster.plane().file("kubeconfig-nowhere");
    let nowhere = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    });
    fs::write(&file, nowhere.to_string()).unwrap();
    for arguments in [
        &["status"][..],
        &["explain", "sdep/model"],
        &["resync", "model"],
    ] {
        let ran = ours_as(&file, arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(
            ran.stderr
                .contains("the API server cannot be reached; check --kubeconfig"),
            "{ran:?}"
        );
    }
    let ran = ours_as(
        Path::new("/nonexistent"),
        &["status", "--kubeconfig", "/nonexistent"],
    );
    assert!(ran.stderr.contains("cannot read the kubeconfig"), "{ran:?}");
}

/// The last thing that is done to a cluster.
fn without_seldon_each_command_says_what_to_install(cluster: &Cluster) {
    let definition = "crd/seldondeployments.machinelearning.seldon.io";
    cluster.kubectl(&["delete", definition]).ok();
    for arguments in [
        &["status", "-A"][..],
        &["explain", "sdep/model"],
        &["resync", "model"],
    ] {
        let mut ran = ours(cluster, arguments);
        until("the resource is served no more", || {
            ran = ours(cluster, arguments);
            ran.stderr.contains("install Seldon Core v1")
        });
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    }
}
