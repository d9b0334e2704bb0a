//! Our webhook, installed from `manifests/` by the commands that an admin is given there.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::cert_manager::CertManager;
use super::control_plane::ControlPlane;
use super::crd::root;
use super::node::Node;
use super::{kubectl, until};
use crate::load::process;

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
    pub(crate) node: Node,
    /// The CA that signed its certificate.
    pub(crate) ca: String,
    /// Who keeps the certificate, if not the administrator.
    pub(crate) cert_manager: Option<CertManager>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// From the administrator: `manifests/external`.
    External,
    /// From cert-manager, whose binaries are in this folder: `manifests/cert-manager`.
    CertManager(PathBuf),
}

impl Installation {
    pub(super) fn new(plane: &ControlPlane, runtime: &Runtime, source: &Source) -> Self {
        match source {
            Source::External => Self::external(plane, runtime),
            Source::CertManager(binaries) => Self::with_cert_manager(plane, runtime, binaries),
        }
    }

    fn external(plane: &ControlPlane, runtime: &Runtime) -> Self {
        apply(plane, "external");
        let certificates = plane.file("certificates");
        new_certificates(&certificates);
        let file = |name: &str| certificates.join(name).display().to_string();
        let (cert, key) = (file("tls.crt"), file("tls.key"));
        let secret = ["create", "secret", "tls", SECRET, "--namespace", NAMESPACE];
        let pair = [&format!("--cert={cert}"), &format!("--key={key}")];
        let create = [&secret[..], &pair.map(String::as_str)].concat();
        kubectl::run(plane, "", &create).ok();
        let node = start(plane, runtime);
        // Servers first, trust last: until then nothing is called.
        let ca = fs::read_to_string(file("ca.crt")).unwrap();
        trust(plane, &ca);
        Self {
            node,
            ca,
            cert_manager: None,
        }
    }

    fn with_cert_manager(plane: &ControlPlane, runtime: &Runtime, binaries: &Path) -> Self {
        let cert_manager = CertManager::start(plane, binaries);
        apply(plane, "cert-manager");
        until("cert-manager has written the certificate", || {
            let get = ["get", "secret", SECRET, "--namespace", NAMESPACE];
            kubectl::run(plane, "", &get).code == Some(0)
        });
        let ca = part(&get(plane, "secret", SECRET), "ca.crt");
        until("cert-manager has written caBundle", || {
            bundles(plane)
                .iter()
                .all(|bundle| *bundle == Some(ca.clone()))
        });
        Self {
            node: start(plane, runtime),
            ca,
            cert_manager: Some(cert_manager),
        }
    }
}

fn apply(plane: &ControlPlane, name: &str) {
    let apply = ["apply", "--validate=strict", "-k", &overlay(name)];
    kubectl::run(plane, "", &apply).ok();
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
fn start(plane: &ControlPlane, runtime: &Runtime) -> Node {
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
        let node = Node::new(&deployment, &volumes, listen(plane, &service).await);
        for _ in 0..replicas {
            node.start().await;
        }
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

/// `seldon-tracing certs new` for the name that the API server dials.
pub(crate) fn new_certificates(folder: &Path) {
    let dns = service_name();
    let mut command = process::binary(&PathBuf::from("/"));
    command.args(["certs", "new", "--dns", &dns, "--dir"]);
    command.arg(folder);
    kubectl::finish(command, "").ok();
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
