//! A namespace of one test.

use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::core::Request;
use kube::{Client, Error};
use seldon_tracing::apiserver::question::version;
use serde_json::Value;

use super::kubectl::Ran;
use super::{Cluster, until};

/// A namespace. It stays when the test ends, for nothing else is in it.
pub(crate) struct Space<'c> {
    pub(crate) cluster: &'c Cluster,
    pub(crate) name: String,
}

impl<'c> Space<'c> {
    pub(super) const fn new(cluster: &'c Cluster, name: String) -> Self {
        Self { cluster, name }
    }

    /// One that somebody else makes.
    pub(crate) fn existing(cluster: &'c Cluster, name: &str) -> Self {
        Self::new(cluster, name.to_owned())
    }

    /// Runs kubectl in this namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Ran {
        self.kubectl_with("", arguments)
    }

    /// The same with something on standard input.
    pub(crate) fn kubectl_with(&self, input: &str, arguments: &[&str]) -> Ran {
        let all = [&["--namespace", &self.name], arguments].concat();
        self.cluster.kubectl_with(input, &all)
    }

    /// Creates an object by kubectl. Gives what is stored.
    #[track_caller]
    pub(crate) fn create(&self, object: &Value) -> Value {
        let create = ["create", "-f", "-", "-o", "json"];
        self.kubectl_with(&object.to_string(), &create).json()
    }

    /// Gives what would be stored.
    #[track_caller]
    pub(crate) fn try_create(&self, object: &Value) -> Value {
        let create = ["create", "-f", "-", "-o", "json", "--dry-run=server"];
        self.kubectl_with(&object.to_string(), &create).json()
    }

    /// Its SeldonDeployments, of version v1.
    pub(crate) fn models(&self) -> Api<DynamicObject> {
        self.models_of("v1")
    }

    pub(crate) fn models_of(&self, version: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("machinelearning.seldon.io", version, "SeldonDeployment");
        let resource = ApiResource::from_gvk_with_plural(&kind, "seldondeployments");
        Api::namespaced_with(self.cluster.client(), &self.name, &resource)
    }

    /// Waits until the API server's watch cache has the newest version of a model. The API server tries an update on the cached object
    /// first, and calls the webhook for that too.
    pub(crate) fn wait_for_cache(&self, name: &str) {
        let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
        let newest = version(&self.get(name));
        let models = self.models();
        let path = format!("{}/{name}?resourceVersion=0", models.resource_url());
        until("the watch cache has the newest version", || {
            let cached = self.kubectl(&["get", "--raw", &path]).json();
            version(&cached) == newest
        });
    }

    /// A SeldonDeployment as it is stored.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> Value {
        let models = self.models();
        let found = self.cluster.block_on(models.get(name)).unwrap();
        serde_json::to_value(found).unwrap()
    }
}

/// Creates an object as it is, whatever types it has. Gives what is stored, or the API server's words.
pub(crate) async fn create(
    client: Client,
    namespace: String,
    object: Value,
) -> Result<Value, String> {
    let version = version(&object);
    let path = format!(
        "/apis/machinelearning.seldon.io/{version}/namespaces/{namespace}/seldondeployments"
    );
    let body = object.to_string().into_bytes();
    let request = Request::new(path).create(&PostParams::default(), body);
    match client.request(request.unwrap()).await {
        Ok(stored) => Ok(stored),
        Err(Error::Api(status)) => Err(format!("{}: {}", status.code, status.message)),
        Err(error) => panic!("{error}: {object}"),
    }
}
