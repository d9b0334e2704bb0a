//! The `SeldonDeployments` of a cluster, as the JSON that the engine reads.

use axum::http::Request;
use kube::Client;
use kube::api::{GetParams, ListParams, Patch, PatchParams};
use kube::core::request::{Error as BadRequest, Request as Resource};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::ask::Kind;
use super::failure::Failure;
use super::names::GROUP;
use crate::config::setting::RESYNC;

/// How many objects the API server gives at a time.
const PAGE: u32 = 500;

/// The name under which the writes of the command line are known.
const MANAGER: &str = "seldon-tracing";

/// Which `SeldonDeployments`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// All namespaces, without one.
    pub(crate) namespace: Option<String>,
    pub(crate) labels: Option<String>,
}

/// Those of a cluster.
#[derive(Clone)]
pub(crate) struct Models {
    client: Client,
}

/// What is needed of an object beside what the engine reads.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) status: Status,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) generation: i64,
}

/// What Seldon's operator says of it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: Option<String>,
}

#[derive(Deserialize)]
struct Page<'a> {
    metadata: PageMetadata,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: String,
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
        mut seen: impl FnMut(&str) -> Result<(), serde_json::Error>,
    ) -> Result<(), Failure> {
        let doing = match &selection.namespace {
            Some(namespace) => format!("list the SeldonDeployments of the namespace {namespace}"),
            None => "list the SeldonDeployments of all namespaces".to_owned(),
        };
        let resource = Resource::new(path(selection.namespace.as_deref()));
        let unreadable = |why| {
            let doing = doing.clone();
            Failure::Unreadable { doing, why }
        };
        let mut params = ListParams::default().limit(PAGE);
        params.label_selector.clone_from(&selection.labels);
        loop {
            let text = self.send(&doing, resource.list(&params)).await?;
            let page: Page<'_> = serde_json::from_str(&text).map_err(unreadable)?;
            for item in page.items {
                seen(item.get()).map_err(unreadable)?;
            }
            if page.metadata.next.is_empty() {
                return Ok(());
            }
            params.continue_token = Some(page.metadata.next);
        }
    }

    /// Reads one of them.
    pub(crate) async fn get(&self, namespace: &str, name: &str) -> Result<String, Failure> {
        let doing = format!("read the SeldonDeployment {namespace}/{name}");
        let request = Resource::new(path(Some(namespace))).get(name, &GetParams::default());
        self.send(&doing, request).await
    }

    /// Asks the webhook for a new decision on one of them. Gives the object as it is stored, or with `dry_run` as it would be.
    pub(crate) async fn resync(
        &self,
        namespace: &str,
        name: &str,
        at: &str,
        dry_run: bool,
    ) -> Result<String, Failure> {
        let doing = format!("write the SeldonDeployment {namespace}/{name}");
        let patch: Value = json!({"metadata": {"annotations": {RESYNC: at}}});
        let mut params = PatchParams::apply(MANAGER);
        params.dry_run = dry_run;
        let request =
            Resource::new(path(Some(namespace))).patch(name, &params, &Patch::Merge(patch));
        self.send(&doing, request).await
    }

    async fn send(
        &self,
        doing: &str,
        request: Result<Request<Vec<u8>>, BadRequest>,
    ) -> Result<String, Failure> {
        let failed = |why| Failure::of(doing, why);
        let request = request.map_err(kube::Error::BuildRequest).map_err(failed)?;
        self.client.request_text(request).await.map_err(failed)
    }
}

/// The path of the resource at the API server.
fn path(namespace: Option<&str>) -> String {
    let kind = Kind {
        group: GROUP,
        version: "v1",
        plural: "seldondeployments",
        namespace,
    };
    kind.path()
}
