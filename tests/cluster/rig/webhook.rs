//! The webhook of a cluster without nodes: one process, which listens where the API server calls its Service. In `tests/node` it has pods.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::control_plane::ControlPlane;
use super::installation::{CONFIG, NAME, NAMESPACE, SECRET, get, service_name};
use super::{kubectl, until};
use crate::support::load::mount::Mount;
use crate::support::load::process::{self, Process};
use crate::support::load::raw;

/// How often namespaces are looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// How soon a changed Secret is seen. The kubelet takes up to a minute.
const MOUNTED: Duration = Duration::from_millis(250);

/// The process, with its certificate and its configuration as files.
pub(crate) struct Webhook {
    /// Nothing during an outage.
    process: Mutex<Option<Process>>,
    pub(crate) address: SocketAddr,
    certificate: PathBuf,
    config: Mount,
}

impl Webhook {
    pub(super) fn start(plane: &ControlPlane, runtime: &Runtime, client: &Client) -> Self {
        let certificate = mount(&get(plane, "secret", SECRET));
        let config = mount(&get(plane, "configmap", CONFIG));
        let spec = &get(plane, "service", NAME)["spec"];
        let address = format!(
            "{}:{}",
            spec["clusterIP"].as_str().unwrap(),
            spec["ports"][0]["port"]
        );
        let webhook = Self {
            process: Mutex::default(),
            address: address.parse().unwrap(),
            certificate: certificate.path().to_owned(),
            config,
        };
        runtime.block_on(webhook.go_up());
        let secrets = Api::namespaced(client.clone(), NAMESPACE);
        runtime.spawn(project(secrets, certificate));
        runtime.spawn(finish_namespaces(client.clone()));
        roll_out(plane);
        webhook
    }

    /// Starts the process. It is ready when this ends.
    pub(crate) async fn go_up(&self) {
        let address = self.address.to_string();
        let mut command = process::command(&self.certificate, &["--listen", &address]);
        command
            .args(["--admin-listen", "127.0.0.1:0", "--config"])
            .arg(self.config.path().join("config.yaml"));
        let process = process::run(command).await;
        *self.process.lock().unwrap() = Some(process);
    }

    /// Where it serves health and metrics. It is another address after each start.
    pub(crate) fn admin(&self) -> SocketAddr {
        let process = self.process.lock().unwrap();
        process.as_ref().unwrap().admin
    }

    /// Kills the process.
    pub(crate) fn go_down(&self) {
        *self.process.lock().unwrap() = None;
    }

    /// Waits until it shows this certificate.
    pub(crate) fn shows(&self, chain: &str, ca: &str) {
        until_shown(self.address, chain, ca);
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        let process = self.process.lock().unwrap();
        process.as_ref().unwrap().log()
    }
}

/// A namespace is gone when it is deleted, without a look for what is left in it. Runs until the runtime ends.
async fn finish_namespaces(client: Client) {
    let namespaces: Api<Namespace> = Api::all(client);
    loop {
        // Where the cluster ends, there are none.
        let found = namespaces.list(&ListParams::default()).await;
        for mut namespace in found.into_iter().flatten() {
            if namespace.metadata.deletion_timestamp.is_some() {
                namespace.spec = None;
                let (name, put) = (namespace.name_any(), PostParams::default());
                // If somebody was faster, the next look sees it.
                let _ = namespaces
                    .replace_subresource("finalize", &name, &put, &namespace)
                    .await;
            }
        }
        sleep(PERIOD).await;
    }
}

/// Has the files of the process follow the Secret, until the runtime ends.
async fn project(secrets: Api<Secret>, mut certificate: Mount) {
    let mut seen = BTreeMap::new();
    loop {
        // While there is none, the files stay.
        if let Ok(secret) = secrets.get(SECRET).await {
            let now = files(&serde_json::to_value(secret).unwrap());
            if now != seen {
                certificate.swap(&borrowed(&now));
                seen = now;
            }
        }
        sleep(MOUNTED).await;
    }
}

/// What `kubectl rollout status` waits for.
fn roll_out(plane: &ControlPlane) {
    let deployment = get(plane, "deployment", NAME);
    let replicas = &deployment["spec"]["replicas"];
    let patch = json!({"status": {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
    }})
    .to_string();
    let of = ["--subresource=status", "--namespace", NAMESPACE];
    let at = [
        "patch",
        "deployment",
        NAME,
        "--type=merge",
        "--patch",
        &patch,
    ];
    kubectl::run(plane, "", &[&at[..], &of].concat()).ok();
}

fn mount(object: &Value) -> Mount {
    Mount::new(&borrowed(&files(object)))
}

/// The keys of a Secret or ConfigMap, in plain text.
fn files(object: &Value) -> BTreeMap<String, String> {
    let plain = |value: &Value| {
        let value = value.as_str().unwrap();
        if object["kind"] == "Secret" {
            String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
        } else {
            value.to_owned()
        }
    };
    // A Secret without anything in it has none.
    let data = object["data"].as_object().into_iter().flatten();
    data.map(|(key, value)| (key.clone(), plain(value)))
        .collect()
}

fn borrowed(files: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    let files = files.iter();
    files
        .map(|(key, text)| (key.as_str(), text.as_str()))
        .collect()
}

/// Waits until this certificate is shown there, which this CA has signed for the name that the API server dials.
pub(crate) fn until_shown(address: SocketAddr, chain: &str, ca: &str) {
    let wanted = raw::leaf(chain);
    until("the new certificate is shown", || {
        let shown = raw::shown_as(&service_name(), address, ca);
        shown.is_ok_and(|shown| shown == wanted)
    });
}
