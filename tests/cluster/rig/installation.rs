//! Our webhook, installed by the commands of the documentation.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::cert_manager::CertManager;
use super::control_plane::{ControlPlane, Ground};
use super::shell::{Shell, blocks};
use super::webhook::Webhook;
use super::{controller, kubectl, until};
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
    webhook: Option<Webhook>,
    /// The CA that signed its certificate.
    pub(crate) ca: String,
    folder: &'static str,
    /// Who keeps the certificate, if not the administrator.
    _cert_manager: Option<CertManager>,
    /// Where the commands of the documentation were run.
    pub(crate) shell: Shell,
    /// What they printed.
    pub(crate) said: String,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// From the administrator: `manifests/external`.
    External,
    /// From cert-manager, whose binaries are in this folder: `manifests/cert-manager`.
    CertManager(PathBuf),
    /// From our controller: `manifests/default`. Without nodes it is a process, ended when it has made the certificate.
    Controller,
    /// The same with all that is under "Quick start" in the README, which needs nodes.
    QuickStart,
    /// The same by this Helm: `manifests/chart`.
    Helm(PathBuf),
}

impl Source {
    /// The folder that is installed.
    pub(crate) fn folder(&self) -> &'static str {
        match self {
            Self::Helm(_) => "manifests/chart",
            Self::External => "manifests/external",
            Self::CertManager(_) => "manifests/cert-manager",
            Self::Controller | Self::QuickStart => "manifests/default",
        }
    }

    /// The commands of an administrator.
    fn commands(&self) -> Vec<String> {
        let heading = match self {
            Self::External => "## With a certificate of your own",
            Self::CertManager(_) => "## With cert-manager",
            Self::Controller => "## Install it",
            Self::Helm(_) => "## With Helm",
            Self::QuickStart => return blocks("README.md", "## Quick start on a cluster"),
        };
        blocks("docs/install.md", heading)
    }
}

impl Installation {
    pub(super) fn new(
        plane: &ControlPlane,
        runtime: &Runtime,
        client: &Client,
        source: &Source,
    ) -> Self {
        let shell = Shell::new(plane);
        let cert_manager = match source {
            Source::CertManager(binaries) => Some(CertManager::start(plane, binaries)),
            _ => None,
        };
        if let Source::Helm(helm) = source {
            shell.add("helm", helm);
        }
        let commands = source.commands();
        let (first, others) = commands.split_first().unwrap();
        let mut said = shell.run(first).ok();
        let played = plane.ground == Ground::Loopback;
        let controller = matches!(source, Source::Controller | Source::Helm(_)) && played;
        let controller = controller.then(|| runtime.block_on(controller::start(plane, &[])));
        let webhook = played.then(|| {
            until("there is a certificate", || {
                let get = ["get", "secret", SECRET, "--namespace", NAMESPACE];
                kubectl::run(plane, "", &get).code == Some(0)
            });
            Webhook::start(plane, runtime, client)
        });
        for block in others {
            said += &shell.run(block).ok();
        }
        until("caBundle is written", || {
            bundles(plane).iter().all(Option::is_some)
        });
        drop(controller);
        Self {
            webhook,
            ca: bundles(plane).remove(0).unwrap(),
            folder: source.folder(),
            _cert_manager: cert_manager,
            shell,
            said,
        }
    }

    /// Takes it away, so that another can be installed.
    pub(crate) fn remove(self) {
        let commands = if self.folder == "manifests/chart" {
            format!(
                "helm uninstall {NAME} --namespace {NAMESPACE} --wait\nkubectl delete namespace {NAMESPACE}"
            )
        } else {
            uninstall()
        };
        self.shell.run(&commands).ok();
    }

    /// The process that stands for the pods.
    pub(crate) fn webhook(&self) -> &Webhook {
        self.webhook.as_ref().unwrap()
    }
}

/// The commands of the documentation that remove the webhook, whichever folder installed it.
pub(crate) fn uninstall() -> String {
    blocks("docs/install.md", "## Uninstall").remove(1)
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
