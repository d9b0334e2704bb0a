//! Reads what is judged. It reads no Secret.

use anyhow::bail;
use axum::http::Request;
use futures::future::join_all;
use kube::Client;
use kube::api::PostParams;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use time::OffsetDateTime;

use super::seen::{ConfigMap, Nodes, Pod, Resources, Seen, SeenBefore, Version};
use super::{served, trial};
use crate::cluster::ask::{Answer, Asked, Kind, each, get, list, send};
use crate::cluster::names::{CONFIG_KEY, CONFIG_MAP, CONTROLLER, NAME, NAMESPACE_LABEL};
use crate::config::Config;

/// The labels of all our pods, and of the endpoints of our Service.
const POD_LABELS: &str = "app.kubernetes.io/name=seldon-tracing";
const SLICE_LABELS: &str = "kubernetes.io/service-name=seldon-tracing";

/// What an installation creates, with the group.
pub(super) const CREATED: [(&str, &str, bool); 13] = [
    ("", "namespaces", false),
    ("", "serviceaccounts", true),
    ("", "configmaps", true),
    ("", "secrets", true),
    ("", "services", true),
    ("apps", "deployments", true),
    ("policy", "poddisruptionbudgets", true),
    ("networking.k8s.io", "networkpolicies", true),
    ("rbac.authorization.k8s.io", "roles", true),
    ("rbac.authorization.k8s.io", "rolebindings", true),
    ("rbac.authorization.k8s.io", "clusterroles", false),
    ("rbac.authorization.k8s.io", "clusterrolebindings", false),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        false,
    ),
];

const fn kind<'a>(group: &'a str, plural: &'a str, namespace: Option<&'a str>) -> Kind<'a> {
    Kind {
        group,
        version: "v1",
        plural,
        namespace,
    }
}

const CONFIGURATIONS: Kind<'static> = kind(
    "admissionregistration.k8s.io",
    "mutatingwebhookconfigurations",
    None,
);
const NAMESPACES: Kind<'static> = kind("", "namespaces", None);

async fn raw<T: DeserializeOwned>(client: &Client, path: &str) -> Asked<T> {
    let request = Request::get(path).body(Vec::new());
    Asked {
        what: format!("get {path}"),
        answer: send(client, request.map_err(kube::Error::HttpError)).await,
    }
}

/// What the API server says of itself. Without it, nothing can be checked.
async fn version(client: &Client) -> anyhow::Result<Version> {
    let advice = "is the kubeconfig right, as in `kubectl version`?";
    match raw(client, "/version").await.answer {
        Answer::Found(version) => Ok(version),
        Answer::Failed(why) => bail!("cannot reach the API server: {why}; {advice}"),
        Answer::Absent | Answer::Forbidden => {
            bail!("the API server does not tell its version; {advice}")
        }
    }
}

async fn seldon(client: &Client) -> Asked<Resources> {
    raw(client, "/apis/machinelearning.seldon.io/v1").await
}

/// Reads an installation in the namespace `ours`. `namespace` is that of the dry run.
pub(super) async fn after(client: &Client, ours: &str, namespace: &str) -> anyhow::Result<Seen> {
    let api_server = version(client).await?;
    let (key, value) = NAMESPACE_LABEL;
    let labelled = format!("{key}={value}");
    let of_ours = |group, plural| kind(group, plural, Some(ours));
    let (seldon, our_namespace, config_map, deployment, controller, pods) = tokio::join!(
        seldon(client),
        get(client, NAMESPACES, ours),
        get(client, of_ours("", "configmaps"), CONFIG_MAP),
        get(client, of_ours("apps", "deployments"), NAME),
        get(client, of_ours("apps", "deployments"), CONTROLLER),
        list::<Pod>(client, of_ours("", "pods"), POD_LABELS),
    );
    let (service, slices, configuration, configurations, namespaces, nodes) = tokio::join!(
        get(client, of_ours("", "services"), NAME),
        list(
            client,
            of_ours("discovery.k8s.io", "endpointslices"),
            SLICE_LABELS
        ),
        get(client, CONFIGURATIONS, NAME),
        list(client, CONFIGURATIONS, ""),
        list(client, NAMESPACES, &labelled),
        nodes(client),
    );
    let webhooks = pods.found().into_iter().flatten();
    let webhooks: Vec<_> = webhooks.filter(|pod| is_ready_webhook(pod)).collect();
    let trigger = trigger(&config_map);
    let (served, trial) = tokio::join!(
        served::all(client, ours, &webhooks),
        trial::run(client, namespace, &trigger),
    );
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

fn is_ready_webhook(pod: &Pod) -> bool {
    let component = pod.metadata.labels.get("app.kubernetes.io/component");
    pod.is_ready() && component.is_some_and(|it| it == "webhook")
}

/// The key of the trigger: that of the cluster's config, where it can be read.
fn trigger(config_map: &Asked<ConfigMap>) -> String {
    let text = config_map.found().and_then(|it| it.data.get(CONFIG_KEY));
    let config = text.and_then(|text| Config::read(text).ok());
    config.unwrap_or_default().trigger
}

/// The nodes that run models, and those that listen for spans. All pods are looked through, page by page, and none is kept.
async fn nodes(client: &Client) -> Asked<Nodes> {
    let pods = kind("", "pods", None);
    let mut nodes = Nodes::default();
    let answer = each(client, pods, "", |pod: Pod| nodes.add(&pod)).await;
    Asked {
        what: pods.words("list"),
        answer: answer.map(|()| nodes),
    }
}

/// Reads what is there before an installation in the namespace `ours`.
pub(super) async fn before(client: &Client, ours: &str) -> anyhow::Result<SeenBefore> {
    let api_server = version(client).await?;
    let (seldon, admission, rights, namespace, configuration, configurations) = tokio::join!(
        seldon(client),
        raw(client, "/apis/admissionregistration.k8s.io/v1"),
        rights(client, ours),
        get(client, NAMESPACES, ours),
        get(client, CONFIGURATIONS, NAME),
        list(client, CONFIGURATIONS, ""),
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

#[derive(Deserialize)]
struct Review {
    status: ReviewStatus,
}

#[derive(Deserialize)]
struct ReviewStatus {
    allowed: bool,
}

/// Asks for each kind whether the user may create it.
async fn rights(client: &Client, ours: &str) -> Asked<Vec<(String, bool)>> {
    let reviews = kind("authorization.k8s.io", "selfsubjectaccessreviews", None);
    let asked = CREATED
        .iter()
        .map(|&(group, plural, namespaced)| async move {
            let namespace = namespaced.then_some(ours);
            let review = json!({
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": {
                    "group": group, "resource": plural, "verb": "create", "namespace": namespace,
                }},
            });
            let body = review.to_string().into_bytes();
            let request = kube::core::Request::new(reviews.path());
            let request = request.create(&PostParams::default(), body);
            let answer = send::<Review>(client, request.map_err(kube::Error::BuildRequest)).await;
            answer.map(|review| (plural.to_owned(), review.status.allowed))
        });
    let answers = join_all(asked).await;
    let mut rights = Vec::new();
    let mut answer = None;
    for one in answers {
        match one {
            Answer::Found(right) => rights.push(right),
            other => answer = Some(other.map(|_| Vec::new())),
        }
    }
    Asked {
        what: reviews.words("create"),
        answer: answer.unwrap_or(Answer::Found(rights)),
    }
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
