//! cert-manager, as far as our manifests need it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::{kubectl, until};
use crate::support::guarded::Guarded;

const VARIABLE: &str = "SELDON_TRACING_CERT_MANAGER";

/// Where its binaries and definitions are, or what to say about their absence.
pub(crate) fn find() -> Result<PathBuf, String> {
    let folder = env::var_os(VARIABLE).map(|it| PathBuf::from(it).canonicalize().unwrap());
    folder.ok_or_else(|| {
        format!("the tests with cert-manager are LEFT OUT, for {VARIABLE} is not set: run tests/cluster/run")
    })
}

/// Its controllers and its injector of CAs.
#[derive(Debug)]
pub(crate) struct CertManager {
    _controller: Guarded,
    _cainjector: Guarded,
}

impl CertManager {
    /// Installs its definitions and starts it.
    pub(super) fn start(plane: &ControlPlane, folder: &Path) -> Self {
        let crds = folder.join("crds").display().to_string();
        // Not by the client, which would have to keep a copy of them in an annotation that is too small.
        kubectl::run(plane, "", &["apply", "--server-side", "-f", &crds]).ok();
        let defined = fs::read_dir(folder.join("crds")).unwrap().count();
        until("cert-manager's resources are served", || {
            let list = ["api-resources", "--api-group=cert-manager.io", "-o", "name"];
            let found = kubectl::run(plane, "", &list);
            found.code == Some(0) && found.stdout.lines().count() == defined
        });
        let start = |name: &str| {
            let kubeconfig = plane.kubeconfig().display().to_string();
            let arguments = ["--kubeconfig".to_owned(), kubeconfig];
            let log = plane.file(&format!("cert-manager-{name}.log"));
            Guarded::start(&folder.join(name), &arguments, &log)
        };
        Self {
            _controller: start("controller"),
            _cainjector: start("cainjector"),
        }
    }
}

/// Has a certificate issued anew, as `cmctl renew` does, and waits until it is.
pub(crate) fn renew(plane: &ControlPlane, namespace: &str, name: &str) {
    let at = ["certificate", name, "--namespace", namespace];
    let get = || kubectl::run(plane, "", &[&["get"], &at[..], &["-o", "json"]].concat()).json();
    let revision = |certificate: &Value| certificate["status"]["revision"].as_u64();
    // The Secret may be there before the status says so.
    until("the certificate is issued", || revision(&get()).is_some());
    let before = revision(&get());
    let condition = json!({
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "a test asks for it",
        "lastTransitionTime": "2024-01-01T00:00:00Z",
    });
    until("the renewal is asked for", || {
        let mut certificate = get();
        let conditions = certificate["status"]["conditions"].as_array_mut().unwrap();
        conditions.push(condition.clone());
        let replace = ["replace", "--subresource=status", "-f", "-"];
        // cert-manager writes the status too: then it is asked again.
        kubectl::run(plane, &certificate.to_string(), &replace).code == Some(0)
    });
    until("the certificate is renewed", || revision(&get()) > before);
}
