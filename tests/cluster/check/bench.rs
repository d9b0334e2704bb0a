//! An installation that is broken and mended again, and what `check` says of it.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use crate::rig::installation::{NAME, NAMESPACE, get};
use crate::rig::kubectl::{self, Ran};
use crate::rig::kubelet::Kubelet;
use crate::rig::{Cluster, Space, until};
use crate::support::binary;

/// The kind of the webhook configuration.
pub(super) const WEBHOOKS: &str = "mutatingwebhookconfiguration";
pub(super) const CONTROLLER: &str = "seldon-tracing-controller";
pub(super) const NODE: &str = "node-a";

/// What `check` says: of each check that is not good, what it came to.
pub(super) type Said = BTreeMap<String, String>;

pub(super) struct Bench<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) space: Space<'c>,
    pub(super) kubelet: Kubelet,
}

impl<'c> Bench<'c> {
    pub(super) fn new(cluster: &'c Cluster) -> Self {
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

    pub(super) fn kubectl(&self, namespace: &str, input: &str, arguments: &[&str]) -> Ran {
        let place: &[&str] = match namespace {
            "" => &[],
            name => &["--namespace", name],
        };
        self.cluster
            .kubectl_with(input, &[place, arguments].concat())
    }

    pub(super) fn create(&self, namespace: &str, object: &Value) {
        self.kubectl(namespace, &object.to_string(), &["create", "-f", "-"])
            .ok();
    }

    pub(super) fn patch(&self, namespace: &str, kind: &str, name: &str, form: &str, patch: &Value) {
        let patch = patch.to_string();
        let arguments = ["patch", kind, name, "--type", form, "--patch", &patch];
        self.kubectl(namespace, "", &arguments).ok();
    }

    pub(super) fn status(&self, namespace: &str, kind: &str, name: &str, status: &Value) {
        let patch = json!({"status": status}).to_string();
        let at = ["patch", kind, name, "--subresource=status", "--type=merge"];
        self.kubectl(namespace, "", &[&at[..], &["--patch", &patch]].concat())
            .ok();
    }

    /// A pod that runs on the node and is ready.
    pub(super) fn pod(&self, namespace: &str, name: &str, labels: &Value, spec: &Value) {
        let mut spec = spec.clone();
        spec["nodeName"] = json!(NODE);
        let metadata = json!({"name": name, "labels": labels});
        self.create(
            namespace,
            &json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}),
        );
        self.is_ready(namespace, name, true);
    }

    pub(super) fn is_ready(&self, namespace: &str, name: &str, ready: bool) {
        let status = if ready { "True" } else { "False" };
        let conditions = json!([{"type": "Ready", "status": status, "reason": "Unhealthy"}]);
        let status = json!({"phase": "Running", "conditions": conditions});
        self.status(namespace, "pod", name, &status);
    }

    pub(super) fn receiver(&self) {
        let port = json!({"containerPort": 5775, "hostPort": 5775, "protocol": "UDP"});
        let spec = json!({"containers": [{"name": "c", "image": "x", "ports": [port]}]});
        self.pod(&self.space.name, "receiver", &json!({}), &spec);
    }

    pub(super) fn delete_pod(&self, name: &str) {
        let delete = ["delete", "pod", name, "--force", "--grace-period=0"];
        self.kubectl(&self.space.name, "", &delete).ok();
    }

    /// What the controller of endpoints writes.
    pub(super) fn endpoints(&self, ready: bool) {
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

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
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

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        kubectl::finish(self.command(arguments), "")
    }

    /// The checks that are not good, and the exit code is the right one for them.
    pub(super) fn said(&self, arguments: &[&str]) -> Said {
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
    pub(super) fn settles_at(&self, expected: &[(&str, &str)]) {
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

    pub(super) fn configuration(&self, patch: &Value) {
        self.patch("", WEBHOOKS, NAME, "json", patch);
    }

    /// Changes the configuration, looks, and puts back what was there.
    #[track_caller]
    pub(super) fn with_configuration(&self, patch: &Value, expected: &[(&str, &str)]) {
        let before = self
            .kubectl("", "", &["get", WEBHOOKS, NAME, "-o", "json"])
            .json();
        self.configuration(patch);
        self.settles_at(expected);
        self.configuration(&json!([
            {"op": "replace", "path": "/webhooks", "value": before["webhooks"]},
        ]));
    }

    pub(super) fn is_pleasant_to_read(&self) {
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

    /// The commands of the page.
    pub(super) fn is_as_documented(&self) {
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
