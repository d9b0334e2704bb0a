//! Our controller, as the service account that it has in a cluster.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::installation::{NAMESPACE, SECRET, bundles, part};
use super::{Cluster, kubectl, until};
use crate::support::load::process::{self, Process};

/// The Secret of its CA.
pub(crate) const CA: &str = "seldon-tracing-ca";

/// Its service account.
pub(crate) const ACCOUNT: &str = "seldon-tracing-controller";

/// Starts it on the cluster.
pub(crate) async fn start(plane: &ControlPlane, flags: &[&str]) -> Process {
    start_with(plane, kubeconfig(plane, ACCOUNT), flags).await
}

/// The same with another kubeconfig.
pub(crate) async fn start_with(
    plane: &ControlPlane,
    kubeconfig: PathBuf,
    flags: &[&str],
) -> Process {
    let mut command = process::binary(&plane.file(""));
    command
        .args(["controller", "--admin-listen=127.0.0.1:0", "--kubeconfig"])
        .arg(kubeconfig)
        .args(flags);
    process::run(command).await
}

/// A kubeconfig with a token of a service account, and so with its rights.
pub(crate) fn kubeconfig(plane: &ControlPlane, account: &str) -> PathBuf {
    let create = ["create", "token", account, "--namespace", NAMESPACE];
    let token = kubectl::run(plane, "", &create).ok();
    let text = fs::read_to_string(plane.kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["users"][0]["user"] = json!({"token": token.trim()});
    let file = plane.file(&format!("{account}.kubeconfig"));
    fs::write(&file, config.to_string()).unwrap();
    file
}

/// A Secret of the webhook, if it is there.
pub(crate) fn secret(cluster: &Cluster, name: &str) -> Option<Value> {
    let get = [
        "get",
        "secret",
        name,
        "--namespace",
        NAMESPACE,
        "-o",
        "json",
    ];
    let got = cluster.kubectl(&get);
    (got.code == Some(0)).then(|| got.json())
}

/// Deletes Secrets of the webhook.
pub(crate) fn delete(cluster: &Cluster, names: &[&str]) {
    let delete = ["delete", "secret", "--namespace", NAMESPACE];
    cluster.kubectl(&[&delete[..], names].concat()).ok();
}

/// Waits until all is as it should be: one CA, which is not `before`, has signed the certificate of the webhook, and both entries trust
/// it. Returns the CA, and the certificate with its chain.
pub(crate) fn until_settled(cluster: &Cluster, before: &str) -> (String, String) {
    let (mut ca, mut chain) = (String::new(), String::new());
    until("the certificates are settled", || {
        let (Some(of_ca), Some(leaf)) = (secret(cluster, CA), secret(cluster, SECRET)) else {
            return false;
        };
        let keys = |secret: &Value| {
            let data = secret["data"].as_object().unwrap();
            data.keys().cloned().collect::<Vec<_>>()
        };
        if keys(&of_ca) != ["ca.crt", "ca.key"] || keys(&leaf) != ["tls.crt", "tls.key"] {
            return false;
        }
        (ca, chain) = (part(&of_ca, "ca.crt"), part(&leaf, "tls.crt"));
        let is_trusted = |bundle: Option<String>| bundle.as_deref() == Some(&ca);
        ca != before && chain.ends_with(&ca) && bundles(cluster.plane()).into_iter().all(is_trusted)
    });
    (ca, chain)
}
