//! Reads the objects to check. It reads no Secret.

use anyhow::anyhow;
use futures::future::try_join_all;
use kube::Client;
use kube::api::{ListParams, PostParams};
use kube::core::Request;
use kube::core::discovery::Scope::{self, Cluster, Namespaced};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::seen::{Nodes, Seen, SeenBefore, Trial, is_ready};
use super::{served, trial};
use crate::cluster::ask::{Asked, Kind, each, get, send};
use crate::cluster::failure::Why;
use crate::cluster::names::{CONFIG_KEY, CONFIG_MAP, CONTROLLER, NAME, NAMESPACE_LABEL};
use crate::config::Config;

/// The labels of all our pods, and of the endpoints of our Service.
const POD_LABELS: &str = "app.kubernetes.io/name=seldon-tracing";
const SLICE_LABELS: &str = "kubernetes.io/service-name=seldon-tracing";

/// What an installation creates, with the group.
pub(super) const CREATED: [(&str, &str, Scope); 13] = [
    ("", "namespaces", Cluster),
    ("", "serviceaccounts", Namespaced),
    ("", "configmaps", Namespaced),
    ("", "secrets", Namespaced),
    ("", "services", Namespaced),
    ("apps", "deployments", Namespaced),
    ("policy", "poddisruptionbudgets", Namespaced),
    ("networking.k8s.io", "networkpolicies", Namespaced),
    ("rbac.authorization.k8s.io", "roles", Namespaced),
    ("rbac.authorization.k8s.io", "rolebindings", Namespaced),
    ("rbac.authorization.k8s.io", "clusterroles", Cluster),
    ("rbac.authorization.k8s.io", "clusterrolebindings", Cluster),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        Cluster,
    ),
];

const CONFIGURATIONS: Kind<'static> = Kind::new(
    "admissionregistration.k8s.io",
    "mutatingwebhookconfigurations",
    None,
);
const NAMESPACES: Kind<'static> = Kind::new("", "namespaces", None);

async fn one(client: &Client, kind: Kind<'_>, name: &str) -> Asked<Value> {
    get(client, &kind.words("get"), kind, name).await
}

async fn list(client: &Client, kind: Kind<'_>, labels: Option<&str>) -> Asked<Vec<Value>> {
    let mut all = Vec::new();
    let take = |object| {
        all.push(object);
        Ok(())
    };
    each(client, &kind.words("list"), kind, labels, take).await?;
    Ok(all)
}

/// What the API server says of itself.
async fn page(client: &Client, path: &str) -> Asked<Value> {
    let request = Request::new(path).list(&ListParams::default());
    send(client, &format!("get {path}"), request).await
}

/// Without the version of the API server, nothing can be checked.
async fn version(client: &Client) -> anyhow::Result<Value> {
    page(client, "/version").await.map_err(|failure| {
        let advice = "check the kubeconfig with `kubectl version`";
        let what = match failure.why {
            Why::Unreachable => "cannot reach the API server",
            _ => "the API server did not return its version",
        };
        anyhow!("{what}: {}; {advice}", failure.said)
    })
}

async fn seldon(client: &Client) -> Asked<Value> {
    page(client, "/apis/machinelearning.seldon.io/v1").await
}

/// Reads an installation in the namespace `ours`. `namespace` is that of the dry run.
pub(super) async fn after(client: &Client, ours: &str, namespace: &str) -> anyhow::Result<Seen> {
    let api_server = version(client).await?;
    let (key, value) = NAMESPACE_LABEL;
    let labelled = format!("{key}={value}");
    let of_ours = |group, plural| Kind::new(group, plural, Some(ours));
    let slices = of_ours("discovery.k8s.io", "endpointslices");
    let (seldon, our_namespace, config_map, deployment, controller, pods) = tokio::join!(
        seldon(client),
        one(client, NAMESPACES, ours),
        one(client, of_ours("", "configmaps"), CONFIG_MAP),
        one(client, of_ours("apps", "deployments"), NAME),
        one(client, of_ours("apps", "deployments"), CONTROLLER),
        list(client, of_ours("", "pods"), Some(POD_LABELS)),
    );
    let (service, slices, configuration, configurations, namespaces, nodes) = tokio::join!(
        one(client, of_ours("", "services"), NAME),
        list(client, slices, Some(SLICE_LABELS)),
        one(client, CONFIGURATIONS, NAME),
        list(client, CONFIGURATIONS, None),
        list(client, NAMESPACES, Some(&labelled)),
        nodes(client),
    );
    let webhooks = pods.iter().flatten();
    let webhooks: Vec<_> = webhooks.filter(|pod| is_ready_webhook(pod)).collect();
    let trigger = trigger(&config_map);
    let (served, around, created) = tokio::join!(
        served::all(client, ours, &webhooks),
        one(client, NAMESPACES, namespace),
        trial::run(client, namespace, &trigger),
    );
    let trial = Trial {
        namespace: namespace.to_owned(),
        around,
        created,
    };
    Ok(Seen {
        now: OffsetDateTime::now_utc(),
        ours: ours.to_owned(),
        api_server,
        seldon,
        namespace: our_namespace,
        config_map,
        deployment,
        controller,
        pods,
        service,
        slices,
        configuration,
        configurations,
        served,
        namespaces,
        trial,
        nodes,
    })
}

fn is_ready_webhook(pod: &Value) -> bool {
    let labels = &pod["metadata"]["labels"];
    is_ready(pod) && labels["app.kubernetes.io/component"] == "webhook"
}

/// The key of the trigger: that of the cluster's config, where it can be read.
fn trigger(config_map: &Asked<Value>) -> String {
    let text = config_map.as_ref().ok();
    let text = text.and_then(|it| it["data"][CONFIG_KEY].as_str());
    let config = text.and_then(|text| Config::read(text).ok());
    config.unwrap_or_default().trigger
}

/// The nodes that run models, and those that listen for spans. All pods are looked through, page by page, and none is kept.
async fn nodes(client: &Client) -> Asked<Nodes> {
    let pods = Kind::new("", "pods", None);
    let mut nodes = Nodes::default();
    let take = |pod: Value| {
        nodes.add(&pod);
        Ok(())
    };
    each(client, &pods.words("list"), pods, None, take).await?;
    Ok(nodes)
}

/// Reads the state before an installation in the namespace `ours`.
pub(super) async fn before(client: &Client, ours: &str) -> anyhow::Result<SeenBefore> {
    let api_server = version(client).await?;
    let (seldon, admission, rights, namespace, configuration, configurations) = tokio::join!(
        seldon(client),
        page(client, "/apis/admissionregistration.k8s.io/v1"),
        rights(client, ours),
        one(client, NAMESPACES, ours),
        one(client, CONFIGURATIONS, NAME),
        list(client, CONFIGURATIONS, None),
    );
    Ok(SeenBefore {
        ours: ours.to_owned(),
        api_server,
        seldon,
        admission,
        rights,
        namespace,
        configuration,
        configurations,
    })
}

/// Asks for each kind whether the user may create it.
async fn rights(client: &Client, ours: &str) -> Asked<Vec<(String, bool)>> {
    let reviews = Kind::new("authorization.k8s.io", "selfsubjectaccessreviews", None);
    let asked = CREATED.map(|(group, plural, scope)| async move {
        let namespace = (scope == Namespaced).then_some(ours);
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "group": group, "resource": plural, "verb": "create", "namespace": namespace,
            }},
        });
        let review = review.to_string().into_bytes();
        let request = reviews.collection().create(&PostParams::default(), review);
        let answer: Value = send(client, &reviews.words("create"), request).await?;
        Ok((plural.to_owned(), answer["status"]["allowed"] == true))
    });
    try_join_all(asked).await
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_rights_are_those_for_each_kind_of_the_manifests() {
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let folders = ["base", "controller", "default"].map(|it| manifests.join(it));
        let files = folders.iter().flat_map(walkdir::WalkDir::new);
        let files = files.map(|it| it.unwrap().into_path());
        let mut count = 0;
        for file in files.filter(|it| it.extension().is_some_and(|it| it == "yaml")) {
            let text = std::fs::read_to_string(&file).unwrap();
            // Those of whole objects begin their lines.
            for kind in text.lines().filter_map(|it| it.strip_prefix("kind: ")) {
                let plural = format!("{}s", kind.to_lowercase()).replace("ys", "ies");
                let is_known = CREATED.iter().any(|it| it.1 == plural);
                assert!(is_known || kind == "Kustomization", "{kind}: {file:?}");
                count += 1;
            }
        }
        assert!(count > 15, "{count}");
    }
}
