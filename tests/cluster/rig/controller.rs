//! Our controller, as the service account that it has in a cluster.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::installation::NAMESPACE;
use super::kubectl;
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
