//! Our webhook, installed from `manifests/external` by the commands that its README gives an admin.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::control_plane::ControlPlane;
use super::crd::root;
use super::kubectl;
use super::node::Node;
use crate::load::process;

/// The namespace of the webhook.
pub(crate) const NAMESPACE: &str = "seldon-tracing";
/// The name of all that is its.
pub(crate) const NAME: &str = "seldon-tracing";
/// Where its certificate is kept.
pub(crate) const SECRET: &str = "seldon-tracing-tls";
/// Where its configuration is kept.
pub(crate) const CONFIG: &str = "seldon-tracing-config";
/// Who writes caBundle.
pub(crate) const CA_MANAGER: &str = "seldon-tracing-ca";

/// The installed webhook.
pub(crate) struct Installation {
    pub(crate) node: Node,
    /// The CA that signed its certificate.
    pub(crate) ca: String,
}

impl Installation {
    pub(super) fn new(plane: &ControlPlane, runtime: &Runtime) -> Self {
        let kubectl = |arguments: &[&str]| kubectl::run(plane, "", arguments);
        kubectl(&["apply", "--validate=strict", "-k", &overlay("external")]).ok();

        let certificates = plane.file("certificates");
        new_certificates(&certificates);
        let file = |name: &str| certificates.join(name).display().to_string();
        let (cert, key) = (file("tls.crt"), file("tls.key"));
        let secret = ["create", "secret", "tls", SECRET, "--namespace", NAMESPACE];
        let pair = [&format!("--cert={cert}"), &format!("--key={key}")];
        kubectl(&[&secret[..], &pair.map(String::as_str)].concat()).ok();

        let get = |kind: &str, name: &str| {
            kubectl(&["get", kind, name, "--namespace", NAMESPACE, "-o", "json"]).json()
        };
        let (deployment, service) = (get("deployment", NAME), get("service", NAME));
        let (secret, config) = (get("secret", SECRET), get("configmap", CONFIG));
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
        let node = runtime.block_on(async {
            let node = Node::new(&deployment, &volumes, listen(plane, &service).await);
            for _ in 0..replicas {
                node.start().await;
            }
            node
        });
        // Servers first, trust last: until then nothing is called.
        let ca = fs::read_to_string(file("ca.crt")).unwrap();
        trust(plane, &ca);
        Self { node, ca }
    }
}

/// A folder of `manifests/`.
pub(crate) fn overlay(name: &str) -> String {
    root().join("manifests").join(name).display().to_string()
}

/// `seldon-tracing certs new` for the name that the API server dials.
pub(crate) fn new_certificates(folder: &Path) {
    let dns = format!("{NAME}.{NAMESPACE}.svc");
    let mut command = process::binary(&PathBuf::from("/"));
    command.args(["certs", "new", "--dns", &dns, "--dir"]);
    command.arg(folder);
    kubectl::finish(command, "").ok();
}

/// Writes caBundle as `manifests/external/README.md` says: by server-side apply, as a manager that owns nothing else.
pub(crate) fn trust(plane: &ControlPlane, ca: &str) {
    let entry =
        |name: &str| json!({"name": name, "clientConfig": {"caBundle": STANDARD.encode(ca)}});
    let bundle = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [entry("inject.tracing.seldon.io"), entry("default-on.tracing.seldon.io")],
    });
    let manager = format!("--field-manager={CA_MANAGER}");
    let apply = ["apply", "--server-side", &manager, "-f", "-"];
    kubectl::run(plane, &bundle.to_string(), &apply).ok();
}

/// Listens where the API server dials the Service. A port below 1024 may be root's; then the Service and the webhook get another.
async fn listen(plane: &ControlPlane, service: &Value) -> TcpListener {
    let address = |service: &Value| {
        let ip = service["spec"]["clusterIP"].as_str().unwrap().parse();
        let port = service["spec"]["ports"][0]["port"].as_u64().unwrap();
        SocketAddr::new(ip.unwrap(), port.try_into().unwrap())
    };
    let wanted = address(service);
    match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        bound => return bound.unwrap(),
    }
    let port = 20_443;
    eprintln!("cluster: {wanted} is for root alone; the Service gets port {port} for these tests");
    let patch = |kind: &str, patch: &Value| {
        let patch = format!("--patch={patch}");
        let at = ["patch", kind, NAME, "--namespace", NAMESPACE, "--type=json"];
        kubectl::run(plane, "", &[&at[..], &[&patch]].concat()).ok();
    };
    patch(
        "service",
        &json!([{"op": "replace", "path": "/spec/ports/0/port", "value": port}]),
    );
    let entry = |at: usize| json!({"op": "replace", "path": format!("/webhooks/{at}/clientConfig/service/port"), "value": port});
    patch("mutatingwebhookconfiguration", &json!([entry(0), entry(1)]));
    TcpListener::bind(SocketAddr::new(wanted.ip(), port))
        .await
        .unwrap()
}
