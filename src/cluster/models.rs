//! The `SeldonDeployments` of a cluster, as the JSON that the engine reads.

use kube::Client;
use kube::api::{Patch, PatchParams};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::ask::{Asked, Kind, each, get, send};
use super::names::{GROUP, MODELS};
use crate::config::setting::RESYNC;

/// The name under which the writes of the command line are known.
const MANAGER: &str = "seldon-tracing";

/// Which `SeldonDeployments`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// All namespaces, without one.
    pub(crate) namespace: Option<String>,
    pub(crate) labels: Option<String>,
}

/// Whether a write is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    DryRun,
    Stored,
}

/// Those of a cluster.
#[derive(Clone)]
pub(crate) struct Models {
    client: Client,
}

/// The fields of an object that are needed besides those that the engine reads.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) status: Status,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
}

/// What Seldon's operator says of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: Option<String>,
}

impl Head {
    /// Reads it from the JSON of an object.
    pub(crate) fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

impl Models {
    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads them page by page, and shows each of them to `seen`.
    pub(crate) async fn each(
        &self,
        selection: &Selection,
        mut seen: impl FnMut(&str) -> serde_json::Result<()>,
    ) -> Asked<()> {
        let doing = match &selection.namespace {
            Some(namespace) => format!("list the SeldonDeployments of the namespace {namespace}"),
            None => "list the SeldonDeployments of all namespaces".to_owned(),
        };
        let kind = kind(selection.namespace.as_deref());
        let labels = selection.labels.as_deref();
        let seen = |model: Box<RawValue>| seen(model.get());
        each(&self.client, &doing, kind, labels, seen).await
    }

    /// Reads one of them.
    pub(crate) async fn get(&self, namespace: &str, name: &str) -> Asked<Box<RawValue>> {
        let doing = format!("read the SeldonDeployment {namespace}/{name}");
        get(&self.client, &doing, kind(Some(namespace)), name).await
    }

    /// Asks the webhook for a new decision on one of them. Returns the object as it is stored, or as it would be.
    pub(crate) async fn resync(
        &self,
        namespace: &str,
        name: &str,
        at: &str,
        write: Write,
    ) -> Asked<Box<RawValue>> {
        let doing = format!("write the SeldonDeployment {namespace}/{name}");
        let patch = Patch::Merge(json!({"metadata": {"annotations": {RESYNC: at}}}));
        let mut params = PatchParams::apply(MANAGER);
        params.dry_run = write == Write::DryRun;
        let models = kind(Some(namespace)).collection();
        send(&self.client, &doing, models.patch(name, &params, &patch)).await
    }
}

fn kind(namespace: Option<&str>) -> Kind<'_> {
    Kind::new(GROUP, MODELS, namespace)
}
