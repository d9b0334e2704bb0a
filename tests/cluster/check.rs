//! `check` on the real API server: good for a sound installation, and red in the right line for each way to break it.
//!
//! Pods, endpoints and a node are objects that this test writes, as their controllers would; a port that is forwarded to a pod goes by a
//! kubelet of this test to the process that the rig runs for it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use seldon_tracing::pki::{Authority, Names, Pair, Purpose};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::rig::installation::{CONFIG, NAME, NAMESPACE, get, service_name, trust};
use crate::rig::kubectl::{self, Ran};
use crate::rig::kubelet::{Kubelet, show};
use crate::rig::{Cluster, Space, until};
use crate::support::binary;
use crate::support::load;

tests![every_way_to_break_an_installation_is_told_in_the_right_line];

const WEBHOOKS: &str = "mutatingwebhookconfiguration";
const NODE: &str = "node-a";
const CONTROLLER: &str = "seldon-tracing-controller";

/// What `check` says: of each check that is not good, what it came to.
type Said = BTreeMap<String, String>;

struct Bench<'c> {
    cluster: &'c Cluster,
    space: Space<'c>,
    kubelet: Kubelet,
}

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

impl<'c> Bench<'c> {
    fn new(cluster: &'c Cluster) -> Self {
        let pods = cluster.installation().webhook().address;
        let kubelet = cluster.block_on(Kubelet::start(pods));
        let space = cluster.space("check");
        let bench = Self {
            cluster,
            space,
            kubelet,
        };
        let port = bench.kubelet.port;
        bench.create(
            "",
            &json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}),
        );
        let status = json!({
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        });
        bench.status("", "node", NODE, &status);
        let template = &get(cluster.plane(), "deployment", NAME)["spec"]["template"];
        bench.pod(
            NAMESPACE,
            "webhook-0",
            &template["metadata"]["labels"],
            &template["spec"],
        );
        bench.endpoints(true);
        let one = ["replicas", "readyReplicas", "availableReplicas"].map(|it| (it, 1));
        let one = json!(BTreeMap::from(one));
        bench.status(NAMESPACE, "deployment", CONTROLLER, &one);
        let container =
            |port: &Value| json!({"containers": [{"name": "c", "image": "x", "ports": [port]}]});
        let spec = container(&json!({"containerPort": 9000}));
        bench.pod(
            &bench.space.name,
            "model",
            &json!({"seldon-deployment-id": "m"}),
            &spec,
        );
        bench.receiver();
        bench
    }

    fn kubectl(&self, namespace: &str, input: &str, arguments: &[&str]) -> Ran {
        let place: &[&str] = match namespace {
            "" => &[],
            name => &["--namespace", name],
        };
        self.cluster
            .kubectl_with(input, &[place, arguments].concat())
    }

    fn create(&self, namespace: &str, object: &Value) {
        self.kubectl(namespace, &object.to_string(), &["create", "-f", "-"])
            .ok();
    }

    fn patch(&self, namespace: &str, kind: &str, name: &str, form: &str, patch: &Value) {
        let patch = patch.to_string();
        let arguments = ["patch", kind, name, "--type", form, "--patch", &patch];
        self.kubectl(namespace, "", &arguments).ok();
    }

    fn status(&self, namespace: &str, kind: &str, name: &str, status: &Value) {
        let patch = json!({"status": status}).to_string();
        let at = ["patch", kind, name, "--subresource=status", "--type=merge"];
        self.kubectl(namespace, "", &[&at[..], &["--patch", &patch]].concat())
            .ok();
    }

    /// A pod that runs on the node and is ready.
    fn pod(&self, namespace: &str, name: &str, labels: &Value, spec: &Value) {
        let mut spec = spec.clone();
        spec["nodeName"] = json!(NODE);
        let metadata = json!({"name": name, "labels": labels});
        self.create(
            namespace,
            &json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}),
        );
        self.is_ready(namespace, name, true);
    }

    fn is_ready(&self, namespace: &str, name: &str, ready: bool) {
        let status = if ready { "True" } else { "False" };
        let conditions = json!([{"type": "Ready", "status": status, "reason": "Unhealthy"}]);
        let status = json!({"phase": "Running", "conditions": conditions});
        self.status(namespace, "pod", name, &status);
    }

    fn receiver(&self) {
        let port = json!({"containerPort": 5775, "hostPort": 5775, "protocol": "UDP"});
        let spec = json!({"containers": [{"name": "c", "image": "x", "ports": [port]}]});
        self.pod(&self.space.name, "receiver", &json!({}), &spec);
    }

    fn delete_pod(&self, name: &str) {
        let delete = ["delete", "pod", name, "--force", "--grace-period=0"];
        self.kubectl(&self.space.name, "", &delete).ok();
    }

    /// What the controller of endpoints writes.
    fn endpoints(&self, ready: bool) {
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": NAME, "labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.99.0.1"], "conditions": {"ready": ready}}],
            "ports": [{"name": "https", "port": 10250}],
        });
        self.kubectl(NAMESPACE, &slice.to_string(), &["apply", "-f", "-"])
            .ok();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary::command();
        command
            .env("COLUMNS", "80")
            .env_remove("KUBECONFIG")
            .arg("check")
            .arg("--kubeconfig")
            .arg(self.cluster.plane().kubeconfig())
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        kubectl::finish(self.command(arguments), "")
    }

    /// The checks that are not good, and the exit code is the right one for them.
    fn said(&self, arguments: &[&str]) -> Said {
        let ran = self.run(&[&["-o", "json"], arguments].concat());
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        let checks = answer["checks"].as_array().unwrap().iter();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        let said: Said = checks
            .map(|check| (text(check, "check"), text(check, "result")))
            .filter(|(_, result)| result != "good")
            .collect();
        let is_wrong = said.values().any(|result| result == "wrong");
        assert_eq!(ran.code, Some(i32::from(is_wrong)), "{ran:?}");
        assert_eq!(answer["good"], json!(!is_wrong));
        said
    }

    /// Waits until these are the checks that are not good.
    #[track_caller]
    fn settles_at(&self, expected: &[(&str, &str)]) {
        let expected: Said = expected
            .iter()
            .map(|(check, result)| ((*check).to_owned(), (*result).to_owned()))
            .collect();
        let mut said = Said::new();
        until(&format!("check says {expected:?}"), || {
            let now = self.said(&["-n", &self.space.name]);
            if now != said {
                eprintln!("check says {now:?}");
                said = now;
            }
            said == expected
        });
    }

    fn configuration(&self, patch: &Value) {
        self.patch("", WEBHOOKS, NAME, "json", patch);
    }

    /// Changes the configuration, looks, and puts back what was there.
    #[track_caller]
    fn with_configuration(&self, patch: &Value, expected: &[(&str, &str)]) {
        let before = self
            .kubectl("", "", &["get", WEBHOOKS, NAME, "-o", "json"])
            .json();
        self.configuration(patch);
        self.settles_at(expected);
        self.configuration(&json!([
            {"op": "replace", "path": "/webhooks", "value": before["webhooks"]},
        ]));
    }

    fn is_pleasant_to_read(&self) {
        // A handshake through the API server can take too long on a busy machine.
        let mut ran = None;
        until("all checks are good once more", || {
            let ran = ran.insert(self.run(&["-n", &self.space.name]));
            ran.stderr == "\n19 checks: 19 good\n"
        });
        let ran = ran.unwrap();
        eprintln!("{}\n{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.lines().all(|line| line.chars().count() <= 80),
            "{ran:?}"
        );
        assert!(
            ran.stdout
                .starts_with("Cluster\n✓ the API server answers: v1."),
            "{ran:?}"
        );
    }
}

/// The commands of the page.
impl Bench<'_> {
    fn is_as_documented(&self) {
        self.kubectl("", "", &["create", "namespace", "models"])
            .ok();
        let page = "docs/check.md";
        let said = self.cluster.installation().shell.follow(page, "# Check");
        assert!(
            said[0].contains("✓ a model that asks for tracing is traced"),
            "{said:?}"
        );
        let said = self
            .cluster
            .installation()
            .shell
            .follow(page, "## Before the installation");
        assert!(
            said[0].contains("‼ there is already a namespace"),
            "{said:?}"
        );
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
    until("a data scientist sees that models are traced", || {
        let mut command = binary::command();
        command.arg("check").args(as_ann);
        let ran = kubectl::finish(command, "");
        ran.stdout
            .contains("✓ a model that asks for tracing is traced")
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
        let mut command = binary::command();
        command.arg("check").args(as_ann);
        let ran = kubectl::finish(command, "");
        ran.stdout
            .contains("no permission to create pods/portforward")
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
