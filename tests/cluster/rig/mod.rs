//! The rig: a control plane with Seldon's resource and our webhook in it, installed from `manifests/` as an admin would. `tests/node` puts
//! nodes under it.

#![allow(dead_code, reason = "no binary uses all of it")]

pub(crate) mod assets;
pub(crate) mod cert_manager;
pub(crate) mod control_plane;
pub(crate) mod controller;
pub(crate) mod crd;
pub(crate) mod installation;
pub(crate) mod kubectl;
pub(crate) mod kubelet;
pub(crate) mod lone_webhook;
pub(crate) mod metrics;
pub(crate) mod other_webhook;
pub(crate) mod prometheus;
pub(crate) mod registration;
pub(crate) mod shell;
pub(crate) mod space;
pub(crate) mod webhook;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tokio::runtime::Runtime;

use control_plane::{ControlPlane, Ground};
use crd::Crd;
use installation::{Installation, Source};
use kubectl::Ran;
pub(crate) use space::Space;

pub(crate) use crate::support::wait::until;

/// A cluster in which models can be deployed and are traced.
pub(crate) struct Cluster {
    installation: Installation,
    client: Client,
    spaces: AtomicUsize,
    plane: ControlPlane,
    crd: Crd,
    runtime: Runtime,
}

impl Cluster {
    /// Starts it with the binaries of `assets`. `folder` is where it leaves its logs.
    pub(crate) fn start(assets: &Path, folder: &Path, crd: Crd, source: &Source) -> Self {
        let plane = ControlPlane::start(assets, folder, Ground::Loopback);
        Self::on(plane, crd, source)
    }

    /// Installs what there is to install on a control plane.
    pub(crate) fn on(plane: ControlPlane, crd: Crd, source: &Source) -> Self {
        let runtime = Runtime::new().unwrap();
        let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
        let client = runtime.block_on(async {
            let options = KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
            let mut config = config.unwrap();
            // What fails is to be seen.
            config.default_retry = false;
            Client::try_from(config).unwrap()
        });
        crd.install(&plane);
        let installation = Installation::new(&plane, &runtime, &client, source);
        let cluster = Self {
            installation,
            client,
            spaces: AtomicUsize::new(0),
            plane,
            crd,
            runtime,
        };
        cluster.wait_until_traced();
        cluster
    }

    /// The API server reads webhook configurations a moment after they are written.
    fn wait_until_traced(&self) {
        let space = self.space("first");
        let model = crate::models::model("first");
        until("the webhook is called", || {
            crate::models::is_traced(&space.try_create(&model))
        });
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) const fn crd(&self) -> Crd {
        self.crd
    }

    pub(crate) const fn installation(&self) -> &Installation {
        &self.installation
    }

    pub(crate) fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// Installs the webhook once more, after it was uninstalled.
    pub(crate) fn install(&self, source: &Source) -> Installation {
        Installation::new(&self.plane, &self.runtime, &self.client, source)
    }

    /// Runs beside the tests, for as long as the cluster lives.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Runs kubectl as the administrator.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Ran {
        kubectl::run(&self.plane, "", arguments)
    }

    /// The same with something on standard input.
    pub(crate) fn kubectl_with(&self, input: &str, arguments: &[&str]) -> Ran {
        kubectl::run(&self.plane, input, arguments)
    }

    /// A new namespace for one test, whose name begins with this.
    pub(crate) fn space(&self, name: &str) -> Space<'_> {
        self.labelled_space(name, &[])
    }

    /// One whose models have tracing on by default.
    pub(crate) fn default_on_space(&self, name: &str) -> Space<'_> {
        self.labelled_space(name, &[("tracing", "enabled")])
    }

    /// One that the installed webhook does not hear of: the test brings a webhook of its own.
    pub(crate) fn apart(&self, name: &str) -> Space<'_> {
        self.labelled_space(name, &[("tracing.seldon.io/disabled", "true")])
    }

    /// The installed webhook hears of it from now on.
    pub(crate) fn rejoin(&self, space: &Space<'_>) {
        let label = "tracing.seldon.io/disabled-";
        self.kubectl(&["label", "namespace", &space.name, label])
            .ok();
    }

    /// The labels are there from the first moment: the API server may have read a namespace before they are added to it.
    fn labelled_space(&self, name: &str, labels: &[(&str, &str)]) -> Space<'_> {
        let number = self.spaces.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{number}");
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": &name, "labels": labels},
        });
        self.kubectl_with(&namespace.to_string(), &["create", "-f", "-"])
            .ok();
        Space::new(self, name)
    }
}
