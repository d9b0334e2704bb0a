//! Our webhook, installed by the commands of the documentation.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::cert_manager::CertManager;
use super::control_plane::ControlPlane;
use super::node::Node;
use super::shell::{Shell, blocks};
use super::{controller, controllers, kubectl, until};
use crate::support::fixtures::root;

/// The namespace of the webhook.
pub(crate) const NAMESPACE: &str = "seldon-tracing";
/// The name of all that is its.
pub(crate) const NAME: &str = "seldon-tracing";
/// Where its certificate is kept.
pub(crate) const SECRET: &str = "seldon-tracing-tls";
/// Where its configuration is kept.
pub(crate) const CONFIG: &str = "seldon-tracing-config";

/// The installed webhook.
pub(crate) struct Installation {
    pub(crate) node: Arc<Node>,
    /// The CA that signed its certificate.
    pub(crate) ca: String,
    /// Who keeps the certificate, if not the administrator.
    _cert_manager: Option<CertManager>,
    /// Where the commands of the documentation were run.
    pub(crate) shell: Shell,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// From the administrator: `manifests/external`.
    External,
    /// From cert-manager, whose binaries are in this folder: `manifests/cert-manager`.
    CertManager(PathBuf),
    /// From the controller: `manifests/default`.
    Controller,
}

impl Installation {
    pub(super) fn new(
        plane: &ControlPlane,
        runtime: &Runtime,
        client: &Client,
        source: &Source,
    ) -> Self {
        let shell = Shell::new(plane);
        let (heading, cert_manager) = match source {
            Source::Controller => ("## Install it", None),
            Source::External => ("## With a certificate of your own", None),
            Source::CertManager(binaries) => {
                let started = CertManager::start(plane, binaries);
                ("## With cert-manager", Some(started))
            }
        };
        let blocks = blocks("docs/install.md", heading);
        let (first, others) = blocks.split_first().unwrap();
        shell.run(first).ok();
        // It is ended with this function: each test starts its own.
        let controller = matches!(source, Source::Controller);
        let _controller = controller.then(|| runtime.block_on(controller::start(plane, &[])));
        // Pods wait for the certificate.
        until("there is a certificate", || {
            let get = ["get", "secret", SECRET, "--namespace", NAMESPACE];
            kubectl::run(plane, "", &get).code == Some(0)
        });
        let node = start(plane, runtime, client);
        for block in others {
            shell.run(block).ok();
        }
        let ca = match source {
            Source::External => fs::read_to_string(shell.file("certs/prod/ca.crt")).unwrap(),
            Source::CertManager(_) => part(&get(plane, "secret", SECRET), "ca.crt"),
            Source::Controller => part(&get(plane, "secret", controller::CA), "ca.crt"),
        };
        until("caBundle is written", || {
            bundles(plane)
                .iter()
                .all(|bundle| bundle.as_deref() == Some(&ca))
        });
        Self {
            node,
            ca,
            _cert_manager: cert_manager,
            shell,
        }
    }
}

/// One of the objects of the webhook.
pub(crate) fn get(plane: &ControlPlane, kind: &str, name: &str) -> Value {
    let get = ["get", kind, name, "--namespace", NAMESPACE, "-o", "json"];
    kubectl::run(plane, "", &get).json()
}

/// A key of a Secret, in plain text.
pub(crate) fn part(secret: &Value, key: &str) -> String {
    plain(secret["data"][key].as_str().unwrap())
}

/// caBundle of both entries, in plain text.
pub(crate) fn bundles(plane: &ControlPlane) -> Vec<Option<String>> {
    let configuration = get(plane, "mutatingwebhookconfiguration", NAME);
    let entries = configuration["webhooks"].as_array().unwrap();
    let bundle = |entry: &Value| entry["clientConfig"]["caBundle"].as_str().map(plain);
    entries.iter().map(bundle).collect()
}

fn plain(base64: &str) -> String {
    String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()
}

/// Starts as many pods as the Deployment wants, behind the Service.
fn start(plane: &ControlPlane, runtime: &Runtime, client: &Client) -> Arc<Node> {
    let deployment = get(plane, "deployment", NAME);
    let service = get(plane, "service", NAME);
    let (secret, config) = (
        get(plane, "secret", SECRET),
        get(plane, "configmap", CONFIG),
    );
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array();
    let volumes: Vec<_> = volumes
        .unwrap()
        .iter()
        .map(|volume| {
            let name = volume["name"].as_str().unwrap();
            if volume["secret"]["secretName"] == SECRET {
                return (name, &secret);
            }
            assert_eq!(volume["configMap"]["name"], CONFIG, "{volume}");
            (name, &config)
        })
        .collect();
    let replicas = deployment["spec"]["replicas"].as_u64().unwrap();
    runtime.block_on(async {
        let node = Node::new(&deployment, &volumes, listen(&service).await);
        for _ in 0..replicas {
            node.start().await;
        }
        let node = Arc::new(node);
        let now = deployment.clone();
        tokio::spawn(controllers::run(client.clone(), Arc::clone(&node), now));
        node
    })
}

/// A folder of `manifests/`.
pub(crate) fn overlay(name: &str) -> String {
    root().join("manifests").join(name).display().to_string()
}

/// The name that the API server dials.
pub(crate) fn service_name() -> String {
    format!("{NAME}.{NAMESPACE}.svc")
}

/// Writes caBundle as `manifests/external/README.md` says.
pub(crate) fn trust(plane: &ControlPlane, ca: &str) {
    let file = plane.file("ca-bundle.crt");
    fs::write(&file, ca).unwrap();
    let mut script = Command::new(overlay("external/ca-bundle.sh"));
    script.arg(&file);
    let patch = kubectl::finish(script, "").ok();
    let at = ["patch", "mutatingwebhookconfiguration", NAME];
    let stdin = ["--patch-file", "/dev/stdin"];
    kubectl::run(plane, &patch, &[&at[..], &stdin].concat()).ok();
}

/// Listens where the API server dials the Service.
async fn listen(service: &Value) -> TcpListener {
    let ip = service["spec"]["clusterIP"].as_str().unwrap();
    let port = service["spec"]["ports"][0]["port"].as_u64().unwrap();
    TcpListener::bind(format!("{ip}:{port}")).await.unwrap()
}
