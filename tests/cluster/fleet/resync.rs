//! `resync` of models that an earlier config has traced.

use std::process::{Command, Stdio};

use serde_json::json;

use super::{command, injected, one_of_each, ours, stored};
use crate::models::{container, model, value, written};
use crate::rig::kubectl::{Ran, finish};
use crate::rig::registration::{is_called, until_in_force};
use crate::rig::{Cluster, Space, until};

tests![
    resync_shows_what_would_change_and_changes_it_on_demand,
    resync_waits_for_each_model_and_stops_where_one_fails_or_somebody_does,
];

/// What Seldon's operator would write.
fn report(space: &Space<'_>, name: &str, state: &str) {
    let patch = format!("--patch={}", json!({"status": {"state": state}}));
    let model = format!("sdep/{name}");
    space
        .kubectl(&[
            "patch",
            &model,
            "--subresource=status",
            "--type=merge",
            &patch,
        ])
        .ok();
}

fn port(space: &Space<'_>, name: &str) -> Option<String> {
    value(container(&space.get(name)), "JAEGER_AGENT_PORT").map(str::to_owned)
}

/// `resync` of a namespace at a terminal, which util-linux's `script` makes, and what a person types there.
fn at_a_terminal(cluster: &Cluster, space: &Space<'_>, typed: &str) -> Ran {
    let ours = env!("CARGO_BIN_EXE_seldon-tracing");
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{ours} resync -n {}", space.name))
        .arg("/dev/null")
        .env("KUBECONFIG", cluster.plane().kubeconfig());
    finish(command, typed)
}

fn resync_shows_what_would_change_and_changes_it_on_demand(cluster: &Cluster) {
    let space = stored(cluster, "resynced", &one_of_each());
    until_in_force(&space, "the webhook is called", is_called);
    let resync = |more: &[&str]| ours(cluster, &[&["resync", "-n", &space.name], more].concat());
    let before = space.get("outdated");
    let said = resync(&["--dry-run"]);
    assert_eq!(
        said.stderr,
        "1 SeldonDeployment to change, 0 already up to date\n"
    );
    assert_eq!(
        said.ok(),
        format!(
            "{}/outdated\n  predictor default: all of its pods restart (1 replica)\n    JAEGER_AGENT_PORT: 6831 -> 5775 (classifier, svcOrchSpec)\n",
            space.name
        )
    );
    let answer = resync(&["--dry-run", "-o", "json"]).json();
    assert_eq!(
        answer["models"][0]["restarts"],
        json!([{"predictor": "default", "replicas": 1}])
    );
    let unasked = resync(&[]);
    assert_eq!(unasked.code, Some(2));
    assert!(unasked.stderr.contains("use --yes"), "{unasked:?}");
    assert_eq!(written(&space.get("outdated")), written(&before));

    for typed in ["n\n", "\n", ""] {
        let refused = at_a_terminal(cluster, &space, typed);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert_eq!(written(&space.get("outdated")), written(&before));
    }
    let done = at_a_terminal(cluster, &space, "y\n");
    for said in [
        "Change 1 SeldonDeployment, and restart the pods above? [y/N] ",
        "Seldon reports no state",
        " 1/1 ",
    ] {
        assert!(done.stdout.contains(said), "{said:?}: {done:?}");
    }
    let end = "1 SeldonDeployment changed, 0 failed, 0 not started\r\n";
    assert!(done.stdout.ends_with(end), "{done:?}");
    done.ok();
    let after = space.get("outdated");
    assert_eq!(port(&space, "outdated").as_deref(), Some("5775"));
    assert_eq!(
        after["metadata"]["annotations"].get("tracing.seldon.io/resync"),
        None
    );
    assert_eq!(written(&after).generation, 2);
    let again = resync(&["outdated", "sdep/traced", "--yes"]);
    assert_eq!(
        again.stderr,
        "0 SeldonDeployments to change, 2 already up to date\n"
    );
    // What it was not asked for is as it was.
    assert_eq!(written(&space.get("missing")).generation, 1);
    let missing = resync(&["none", "--yes"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
}

fn resync_waits_for_each_model_and_stops_where_one_fails_or_somebody_does(cluster: &Cluster) {
    let models = ["a", "b", "c"].map(|name| injected(&model(name), "6831"));
    let space = stored(cluster, "waits", &models);
    until_in_force(&space, "the webhook is called", is_called);
    for name in ["a", "b", "c"] {
        report(&space, name, "Creating");
    }
    let arguments = ["resync", "-n", &space.name, "--yes"];
    let failed = ours(cluster, &[&arguments[..], &["--timeout", "2s"]].concat());
    assert_eq!(failed.code, Some(2));
    assert!(
        failed
            .stderr
            .contains("not available after 2 s (Seldon reports Creating)"),
        "{failed:?}"
    );
    let left = format!(
        "not started: {}/b\nnot started: {}/c\n",
        space.name, space.name
    );
    assert!(failed.stderr.ends_with(&left), "{failed:?}");
    assert_eq!(port(&space, "a").as_deref(), Some("5775"));
    assert_eq!(port(&space, "b").as_deref(), Some("6831"));

    // Ctrl-C while b restarts.
    let mut command = command(&cluster.plane().kubeconfig(), &arguments);
    let child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(Stdio::null());
    let child = child.spawn().unwrap();
    until("b is written", || {
        port(&space, "b").as_deref() == Some("5775")
    });
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    report(&space, "b", "Available");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("stopping after the models in progress"),
        "{said}"
    );
    assert!(said.contains("/b: changed, and available after"), "{said}");
    assert!(
        said.ends_with(&format!("not started: {}/c\n", space.name)),
        "{said}"
    );
    assert_eq!(port(&space, "c").as_deref(), Some("6831"));

    report(&space, "c", "Available");
    let done = ours(cluster, &arguments);
    assert!(
        done.stderr.contains("/c: changed, and available after"),
        "{done:?}"
    );
    done.ok();
}
