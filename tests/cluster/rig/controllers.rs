//! Stands in for the controllers around a Deployment: a changed template replaces the pods one after the other, a changed Secret or
//! ConfigMap comes to the pods that run, and the status says so.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::installation::{CONFIG, NAME, NAMESPACE, SECRET};
use super::node::Node;

/// How soon a change is seen. The kubelet takes up to a minute for files.
const PERIOD: Duration = Duration::from_millis(500);

/// Runs until the runtime ends.
pub(super) async fn run(client: Client, node: Arc<Node>, mut deployment: Value) {
    let deployments = api(&client, "apps", "Deployment", "deployments");
    let mut files = [
        (
            api(&client, "", "Secret", "secrets"),
            SECRET,
            "tls",
            Value::Null,
        ),
        (
            api(&client, "", "ConfigMap", "configmaps"),
            CONFIG,
            "config",
            Value::Null,
        ),
    ];
    loop {
        for (api, name, volume, seen) in &mut files {
            let Some(now) = get(api, name).await else {
                continue;
            };
            if now["data"] != *seen {
                node.project(volume, &now);
                *seen = now["data"].clone();
            }
        }
        if let Some(now) = get(&deployments, NAME).await {
            if now["spec"]["template"] != deployment["spec"]["template"] {
                node.adopt(&now);
                node.roll().await;
            }
            deployment = now;
            report(&deployments, &deployment).await;
        }
        finish_namespaces(&client).await;
        sleep(PERIOD).await;
    }
}

/// A namespace is gone when it is deleted, without a look for what is left in it.
async fn finish_namespaces(client: &Client) {
    let kind = GroupVersionKind::gvk("", "v1", "Namespace");
    let resource = ApiResource::from_gvk_with_plural(&kind, "namespaces");
    let namespaces: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    // Where the cluster ends, there are none.
    let Ok(found) = namespaces.list(&ListParams::default()).await else {
        return;
    };
    for namespace in found {
        if namespace.metadata.deletion_timestamp.is_none() {
            continue;
        }
        let name = namespace.metadata.name.clone().unwrap();
        let mut namespace = serde_json::to_value(namespace).unwrap();
        namespace["spec"]["finalizers"] = json!([]);
        let put = PostParams::default();
        // If somebody was faster, the next look sees it.
        let _ = namespaces
            .replace_subresource("finalize", &name, &put, &namespace)
            .await;
    }
}

/// What `kubectl rollout status` waits for.
async fn report(deployments: &Api<DynamicObject>, deployment: &Value) {
    let generation = &deployment["metadata"]["generation"];
    if deployment["status"]["observedGeneration"] == *generation {
        return;
    }
    let replicas = &deployment["spec"]["replicas"];
    let status = json!({"status": {
        "observedGeneration": generation,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
    }});
    let patch = Patch::Merge(&status);
    // If somebody was faster, the next look sees it.
    let _ = deployments
        .patch_status(NAME, &PatchParams::default(), &patch)
        .await;
}

fn api(client: &Client, group: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk(group, "v1", kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    Api::namespaced_with(client.clone(), NAMESPACE, &resource)
}

/// Nothing where it was deleted, or where the cluster ends.
async fn get(api: &Api<DynamicObject>, name: &str) -> Option<Value> {
    let found: Result<_, Error> = api.get(name).await;
    found
        .ok()
        .map(|object| serde_json::to_value(object).unwrap())
}
