//! `check` on the real API server: good for a sound installation, and red in the right line for each way to break it.
//!
//! Pods, endpoints and a node are objects that this test writes, as their controllers would; a port that is forwarded to a pod goes by a
//! kubelet of this test to the process that the rig runs for it.

mod bench;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use seldon_tracing::pki::{Authority, Names, Pair, Purpose};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use self::bench::{Bench, CONTROLLER, NODE, Said, WEBHOOKS};
use crate::rig::installation::{CONFIG, NAME, NAMESPACE, get, service_name, trust};
use crate::rig::kubectl;
use crate::rig::kubelet::show;
use crate::rig::{Cluster, until};
use crate::support::binary;
use crate::support::load;

tests![every_way_to_break_an_installation_is_told_in_the_right_line];

fn every_way_to_break_an_installation_is_told_in_the_right_line(cluster: &Cluster) {
    let bench = Bench::new(cluster);
    bench.settles_at(&[]);
    bench.is_pleasant_to_read();
    bench.is_as_documented();
    for break_it in [
        configuration_is_broken,
        config_is_broken,
        certificate_is_broken,
        pods_are_broken,
        models_are_broken,
        rights_are_missing,
        installation_is_asked_for,
        waits,
        // What is gone then does not come back.
        nothing_is_left,
    ] {
        break_it(&bench);
    }
}

fn configuration_is_broken(bench: &Bench<'_>) {
    let replace = |path: &str, value: Value| json!([{"op": "replace", "path": format!("/webhooks/0/{path}"), "value": value}]);
    let untraced = ("dry-run", "wrong");
    let bundle = "clientConfig/caBundle";
    bench.with_configuration(
        &replace(bundle, json!("")),
        &[
            ("ca-bundle", "wrong"),
            ("certificate", "not-checked"),
            untraced,
        ],
    );
    let other = load::authority();
    let plane = bench.cluster.plane();
    trust(plane, other.certificate());
    bench.settles_at(&[("certificate", "wrong"), untraced]);
    trust(plane, &bench.cluster.installation().ca);
    bench.with_configuration(
        &replace("clientConfig/service/path", json!("/other")),
        &[("calls", "wrong"), untraced],
    );
    bench.with_configuration(
        &replace("rules/0/operations", json!(["UPDATE"])),
        &[("calls", "wrong"), untraced],
    );
    bench.with_configuration(
        &replace("failurePolicy", json!("Fail")),
        &[("failure-policy", "warning")],
    );
    bench.with_configuration(
        &json!([{"op": "remove", "path": "/webhooks/0"}]),
        &[("entries", "wrong"), untraced],
    );
    let mut old = bench
        .kubectl("", "", &["get", WEBHOOKS, NAME, "-o", "json"])
        .json();
    old["metadata"] = json!({"name": "seldon-tracing-of-old"});
    // The entries of two configurations have names of their own.
    old["webhooks"] = json!([old["webhooks"][0]]);
    bench.create("", &old);
    bench.settles_at(&[("other-webhooks", "warning")]);
    let delete = ["delete", WEBHOOKS, "seldon-tracing-of-old"];
    bench.kubectl("", "", &delete).ok();
}

fn config_is_broken(bench: &Bench<'_>) {
    let file = &get(bench.cluster.plane(), "configmap", CONFIG)["data"]["config.yaml"];
    let write = |text: &Value| {
        bench.patch(
            NAMESPACE,
            "configmap",
            CONFIG,
            "merge",
            &json!({"data": {"config.yaml": text}}),
        );
    };
    write(&json!("triger: tracing\n"));
    bench.settles_at(&[
        ("config", "wrong"),
        ("trigger", "not-checked"),
        ("receivers", "not-checked"),
    ]);
    write(&json!("trigger: spans\n"));
    bench.settles_at(&[("trigger", "wrong"), ("dry-run", "wrong")]);
    write(&json!("defaults: {agentPort: 6831}\n"));
    bench.settles_at(&[("receivers", "warning")]);
    write(file);
    bench.settles_at(&[]);
}

/// A certificate of a CA that is not valid at all times.
fn certificate(authority: &Authority, name: &str, now: OffsetDateTime, days: i64) -> Pair {
    let names = Names {
        dns: vec![name.to_owned()],
        ip: vec![],
    };
    let lifetime = Duration::days(days);
    authority
        .issue(&names, Purpose::Server, now, lifetime)
        .unwrap()
}

fn certificate_is_broken(bench: &Bench<'_>) {
    let now = OffsetDateTime::now_utc();
    let before = now - Duration::days(80);
    let authority = Authority::new(None, before, Duration::days(3650)).unwrap();
    let plane = bench.cluster.plane();
    let ours = bench.cluster.installation().ca.clone();
    // The webhook is still trusted, and so is what this CA signs.
    trust(plane, &[&ours, authority.certificate()].concat());
    let serves = |pair: &Pair, expected: &[(&str, &str)]| {
        bench.kubelet.forward_to(bench.cluster.block_on(show(pair)));
        bench.settles_at(expected);
    };
    let name = service_name();
    serves(&certificate(&authority, &name, before, 365), &[]);
    let other = certificate(&authority, "webhook.example", before, 365);
    serves(&other, &[("certificate", "wrong")]);
    let expired = certificate(&authority, &name, before, 30);
    serves(&expired, &[("certificate", "wrong"), ("expiry", "wrong")]);
    let soon = certificate(&authority, &name, before, 85);
    serves(&soon, &[("expiry", "warning")]);
    let other = certificate(&load::authority(), &name, now, 20);
    serves(&other, &[("certificate", "wrong")]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    bench.kubelet.forward_to(nobody.local_addr().unwrap());
    drop(nobody);
    let deaf = [("certificate", "wrong"), ("expiry", "wrong")];
    bench.settles_at(&deaf);
    let ran = bench.run(&["-n", &bench.space.name]);
    assert!(ran.stdout.contains("connection refused"), "{ran:?}");
    let pods = bench.cluster.installation().webhook().address;
    bench.kubelet.forward_to(pods);
    trust(plane, &ours);
    bench.settles_at(&[]);
    // Without a node the API server has nobody to ask.
    bench.status("", "node", NODE, &json!({"addresses": null}));
    bench.settles_at(&deaf.map(|(check, _)| (check, "not-checked")));
    let address = json!([{"type": "InternalIP", "address": "127.0.0.1"}]);
    bench.status("", "node", NODE, &json!({"addresses": address}));
}

fn pods_are_broken(bench: &Bench<'_>) {
    let replicas = |ready: u32| json!({"readyReplicas": ready, "availableReplicas": ready});
    let unseen = [("certificate", "not-checked"), ("expiry", "not-checked")];
    bench.status(NAMESPACE, "deployment", NAME, &replicas(0));
    bench.is_ready(NAMESPACE, "webhook-0", false);
    bench.endpoints(false);
    bench.settles_at(&[&[("pods", "wrong"), ("service", "wrong")], &unseen[..]].concat());
    let ran = bench.run(&["-n", &bench.space.name]);
    assert!(ran.stdout.contains("(webhook-0: Unhealthy)"), "{ran:?}");
    bench.is_ready(NAMESPACE, "webhook-0", true);
    bench.status(NAMESPACE, "deployment", NAME, &replicas(1));
    bench.endpoints(true);
    bench.settles_at(&[("pods", "warning")]);
    bench.status(NAMESPACE, "deployment", NAME, &replicas(2));

    let component =
        |value: &str| json!({"spec": {"selector": {"app.kubernetes.io/component": value}}});
    bench.patch(NAMESPACE, "service", NAME, "merge", &component("other"));
    let slice = ["delete", "endpointslice", NAME];
    bench.kubectl(NAMESPACE, "", &slice).ok();
    bench.settles_at(&[("service", "wrong")]);
    let ran = bench.run(&["-n", &bench.space.name]);
    assert!(ran.stdout.contains("does not fit the labels"), "{ran:?}");
    bench.patch(NAMESPACE, "service", NAME, "merge", &component("webhook"));
    bench.endpoints(true);

    let image = |tag: &str| {
        let image = json!([{"op": "replace", "path": "/spec/containers/0/image", "value": tag}]);
        bench.patch(NAMESPACE, "pod", "webhook-0", "json", &image);
    };
    image("registry.example:5000/seldon-tracing:9.9.9");
    bench.settles_at(&[("version", "warning")]);
    let none = json!({"readyReplicas": 0, "availableReplicas": 0});
    bench.status(NAMESPACE, "deployment", CONTROLLER, &none);
    bench.settles_at(&[("version", "warning"), ("controller", "wrong")]);
    let one = json!({"readyReplicas": 1, "availableReplicas": 1});
    bench.status(NAMESPACE, "deployment", CONTROLLER, &one);
    image(concat!("seldon-tracing:", env!("CARGO_PKG_VERSION")));
    bench.settles_at(&[]);
}

fn models_are_broken(bench: &Bench<'_>) {
    bench.delete_pod("receiver");
    bench.settles_at(&[("receivers", "warning")]);
    bench.receiver();
    let label = |label: &str| {
        let label = ["label", "namespace", &bench.space.name, label];
        bench.kubectl("", "", &label).ok();
    };
    label("tracing.seldon.io/disabled=true");
    bench.settles_at(&[("dry-run", "warning")]);
    label("tracing.seldon.io/disabled-");
    bench.settles_at(&[]);
    let absent = bench.said(&["-n", "absent"]);
    assert_eq!(absent["dry-run"], "wrong");
}

/// A kubeconfig of a user whom nobody has given any right.
fn nobody(bench: &Bench<'_>) -> std::path::PathBuf {
    let plane = bench.cluster.plane();
    let text = std::fs::read_to_string(plane.kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["users"][0]["user"]["as"] = json!("ann");
    let file = plane.file("kubeconfig-of-ann");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

fn rights_are_missing(bench: &Bench<'_>) {
    let kubeconfig = nobody(bench).display().to_string();
    let as_ann = ["--kubeconfig", kubeconfig.as_str(), "-n", &bench.space.name];
    let mut command = binary::command();
    command.env("COLUMNS", "80").arg("check").args(as_ann);
    let ran = kubectl::finish(command, "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stderr, "\n19 checks: 2 good, 17 not checked\n");
    for line in [
        "- namespace: not checked, no permission to get namespaces",
        "- config: not checked, no permission to get configmaps in seldon-tracing",
        "- entries: not checked, no permission to get",
        "- dry run: not checked, no permission to create",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {ran:?}");
    }
    let role = [
        "create",
        "role",
        "models",
        "--verb=create",
        "--resource=seldondeployments.machinelearning.seldon.io",
    ];
    bench.space.kubectl(&role).ok();
    let bind = [
        "create",
        "rolebinding",
        "models",
        "--role=models",
        "--user=ann",
    ];
    bench.space.kubectl(&bind).ok();
    let checked = || {
        let mut command = binary::command();
        command.arg("check").args(as_ann);
        kubectl::finish(command, "").stdout
    };
    until("a data scientist sees that models are traced", || {
        checked().contains("✓ a model that asks for tracing is traced")
    });
    let mut command = binary::command();
    command.args(["check", "--pre"]).args(&as_ann[..2]);
    let ran = kubectl::finish(command, "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains("✗ you may not create namespaces, "),
        "{ran:?}"
    );
    // A namespace in which she may see pods, and reach none.
    let role = ["create", "role", "pods", "--verb=list", "--resource=pods"];
    bench.kubectl(NAMESPACE, "", &role).ok();
    let bind = ["create", "rolebinding", "pods", "--role=pods", "--user=ann"];
    bench.kubectl(NAMESPACE, "", &bind).ok();
    until("the port may not be forwarded", || {
        checked().contains("no permission to create pods/portforward")
    });
}

fn installation_is_asked_for(bench: &Bench<'_>) {
    let said = bench.said(&["--pre"]);
    let there = Said::from([("leftovers".to_owned(), "warning".to_owned())]);
    assert_eq!(said, there);
    let mut command = binary::command();
    command.args(["check", "--kubeconfig", "/absent"]);
    let ran = kubectl::finish(command, "");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--kubeconfig"), "{ran:?}");
    let text = std::fs::read_to_string(bench.cluster.plane().kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    // Nobody listens there.
    config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    let file = bench.cluster.plane().file("kubeconfig-of-nowhere");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut command = binary::command();
    command.args(["check", "--kubeconfig"]).arg(&file);
    let ran = kubectl::finish(command, "");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("cannot reach the API server"),
        "{ran:?}"
    );
}

fn waits(bench: &Bench<'_>) {
    bench.endpoints(false);
    let mut wait = bench.command(&["--wait", "1m", "-n", &bench.space.name]);
    let mut child = wait
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut said).unwrap();
    assert_eq!(
        said,
        "waiting: the Service seldon-tracing has no ready endpoint\n"
    );
    bench.endpoints(true);
    assert!(child.wait().unwrap().success());
}

fn nothing_is_left(bench: &Bench<'_>) {
    bench.kubectl("", "", &["delete", WEBHOOKS, NAME]).ok();
    let none = |checks: &[&'static str]| {
        let checks = checks.iter().map(|check| (*check, "not-checked"));
        checks.collect::<Vec<_>>()
    };
    let unknown = none(&[
        "calls",
        "trigger",
        "failure-policy",
        "ca-bundle",
        "certificate",
    ]);
    let wrong = [("entries", "wrong"), ("dry-run", "wrong")];
    bench.settles_at(&[&wrong[..], &unknown].concat());
    let crd = [
        "delete",
        "crd",
        "seldondeployments.machinelearning.seldon.io",
    ];
    bench.kubectl("", "", &crd).ok();
    let wrong = [
        ("seldon", "wrong"),
        ("entries", "wrong"),
        ("dry-run", "not-checked"),
    ];
    bench.settles_at(&[&wrong[..], &unknown].concat());
    // Nobody here deletes what is left in a namespace.
    for left in [["pod", "webhook-0"], ["endpointslice", NAME]] {
        let delete = ["delete", left[0], left[1], "--force", "--grace-period=0"];
        bench.kubectl(NAMESPACE, "", &delete).ok();
    }
    let delete = "kubectl delete -k manifests/external --ignore-not-found";
    bench.cluster.installation().shell.run(delete).ok();
    let unknown = none(&[
        "controller",
        "config",
        "version",
        "pods",
        "service",
        "calls",
        "trigger",
        "failure-policy",
        "ca-bundle",
        "certificate",
        "expiry",
        "dry-run",
        "receivers",
    ]);
    let wrong = [
        ("namespace", "wrong"),
        ("seldon", "wrong"),
        ("entries", "wrong"),
    ];
    bench.settles_at(&[&wrong[..], &unknown].concat());
    let said = bench.said(&["--pre"]);
    assert_eq!(
        said,
        Said::from([("seldon".to_owned(), "wrong".to_owned())])
    );
}
