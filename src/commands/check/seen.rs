//! The objects that were read from a cluster, as JSON. They may have any shape: a field that is missing or of another type reads as null.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use time::OffsetDateTime;

use crate::cluster::ask::Asked;

/// All that is judged after the installation.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) now: OffsetDateTime,
    /// The namespace in which we are, or should be, installed.
    pub(super) ours: String,
    /// The version of the API server.
    pub(super) api_server: Value,
    /// The resources of Seldon's group.
    pub(super) seldon: Asked<Value>,
    pub(super) namespace: Asked<Value>,
    pub(super) config_map: Asked<Value>,
    pub(super) deployment: Asked<Value>,
    pub(super) controller: Asked<Value>,
    pub(super) pods: Asked<Vec<Value>>,
    pub(super) service: Asked<Value>,
    /// The `EndpointSlice`s of the Service.
    pub(super) slices: Asked<Vec<Value>>,
    /// Our `MutatingWebhookConfiguration`, and all of them.
    pub(super) configuration: Asked<Value>,
    pub(super) configurations: Asked<Vec<Value>>,
    /// By the name of the pod.
    pub(super) served: Vec<(String, Served)>,
    /// Those with the label.
    pub(super) namespaces: Asked<Vec<Value>>,
    pub(super) trial: Trial,
    pub(super) nodes: Asked<Nodes>,
}

/// All that is judged before it.
#[derive(Debug)]
pub(super) struct SeenBefore {
    /// The namespace in which we would be installed.
    pub(super) ours: String,
    pub(super) api_server: Value,
    pub(super) seldon: Asked<Value>,
    /// The resources of the group of admission.
    pub(super) admission: Asked<Value>,
    /// What is created, and whether the user may.
    pub(super) rights: Asked<Vec<(String, bool)>>,
    pub(super) namespace: Asked<Value>,
    pub(super) configuration: Asked<Value>,
    pub(super) configurations: Asked<Vec<Value>>,
}

/// The result of a TLS handshake with a pod.
#[derive(Debug)]
pub(super) enum Served {
    /// The certificates that it showed, in DER, its own first.
    Chain(Vec<Vec<u8>>),
    /// It was reached, and gave no certificate.
    NoTls(String),
    /// The user has no right to reach it.
    Forbidden,
    /// It was not reached.
    Unreachable(String),
}

/// The result of creating a model as a dry run.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) namespace: String,
    /// The namespace of the dry run.
    pub(super) around: Asked<Value>,
    /// The model as it would be stored.
    pub(super) created: Asked<Value>,
}

/// A text in an object; empty where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a list in an object.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The name of an object.
pub(super) fn name(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}

/// Whether a pod is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    let mut conditions = items(&pod["status"]["conditions"]).iter();
    conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// The nodes that send or receive spans.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// Those that run models.
    pub(super) with_models: BTreeSet<String>,
    /// The UDP ports that a ready pod has of each.
    pub(super) listening: BTreeMap<String, BTreeSet<u64>>,
}

impl Nodes {
    /// Adds a pod.
    pub(super) fn add(&mut self, pod: &Value) {
        let spec = &pod["spec"];
        let node = text(&spec["nodeName"]);
        let ended = matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed");
        if node.is_empty() || ended {
            return;
        }
        let labels = &pod["metadata"]["labels"];
        if MODEL_LABELS.iter().any(|label| labels[label].is_string()) {
            self.with_models.insert(node.to_owned());
        }
        // Init containers that run beside the others may listen too.
        let containers = [&spec["containers"], &spec["initContainers"]];
        let containers = containers.into_iter().flat_map(items);
        let ports = containers.flat_map(|container| items(&container["ports"]));
        let udp = ports.filter(|port| port["protocol"] == "UDP" && is_ready(pod));
        for port in udp.filter_map(|port| port["hostPort"].as_u64()) {
            let listening = self.listening.entry(node.to_owned());
            listening.or_default().insert(port);
        }
    }
}

/// The labels that Seldon's operator gives to the pods of models.
const MODEL_LABELS: [&str; 2] = ["seldon-deployment-id", "seldon-app"];
