//! What was read from a cluster: of each object the few fields that are judged.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::cluster::ask::Asked;

/// Labels.
pub(super) type Labels = BTreeMap<String, String>;

/// All that is judged after the installation.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) now: OffsetDateTime,
    /// The namespace in which we are, or should be, installed.
    pub(super) ours: String,
    pub(super) api_server: Version,
    pub(super) seldon: Asked<Resources>,
    pub(super) namespace: Asked<Named>,
    pub(super) config_map: Asked<ConfigMap>,
    pub(super) deployment: Asked<Deployment>,
    pub(super) controller: Asked<Deployment>,
    pub(super) pods: Asked<Vec<Pod>>,
    pub(super) service: Asked<Service>,
    pub(super) slices: Asked<Vec<Slice>>,
    pub(super) configuration: Asked<Configuration>,
    pub(super) configurations: Asked<Vec<Configuration>>,
    /// By the name of the pod.
    pub(super) served: Vec<(String, Served)>,
    pub(super) namespaces: Asked<Vec<Named>>,
    pub(super) trial: Trial,
    pub(super) nodes: Asked<Nodes>,
}

/// All that is judged before it.
#[derive(Clone, Debug)]
pub(super) struct SeenBefore {
    /// The namespace in which we would be installed.
    pub(super) ours: String,
    pub(super) api_server: Version,
    pub(super) seldon: Asked<Resources>,
    pub(super) admission: Asked<Resources>,
    /// What is created, and whether the user may.
    pub(super) rights: Asked<Vec<(String, bool)>>,
    pub(super) namespace: Asked<Named>,
    pub(super) configuration: Asked<Configuration>,
    pub(super) configurations: Asked<Vec<Configuration>>,
}

/// What the API server says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Version {
    pub(super) major: String,
    pub(super) minor: String,
    /// The whole of it, such as `v1.36.3`.
    #[serde(rename = "gitVersion")]
    pub(super) whole: String,
}

/// The resources of a version of a group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resources {
    pub(super) resources: Vec<Resource>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) labels: Labels,
}

/// Any object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) metadata: Metadata,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConfigMap {
    pub(super) data: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Deployment {
    pub(super) spec: DeploymentSpec,
    pub(super) status: DeploymentStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeploymentSpec {
    pub(super) replicas: u32,
    pub(super) template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    pub(super) metadata: Metadata,
    pub(super) spec: PodSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct DeploymentStatus {
    pub(super) ready_replicas: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    pub(super) metadata: Metadata,
    pub(super) spec: PodSpec,
    pub(super) status: PodStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec {
    pub(super) node_name: String,
    pub(super) containers: Vec<Container>,
    /// Those that run beside the others may listen too.
    pub(super) init_containers: Vec<Container>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Container {
    pub(super) image: String,
    pub(super) ports: Vec<Port>,
}

/// A port of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Port {
    pub(super) name: String,
    #[serde(rename = "containerPort")]
    pub(super) inside: u16,
    #[serde(rename = "hostPort")]
    pub(super) of_node: Option<u16>,
    pub(super) protocol: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodStatus {
    pub(super) phase: String,
    pub(super) conditions: Vec<Condition>,
    pub(super) container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerStatus {
    pub(super) state: ContainerState,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState {
    pub(super) waiting: Option<Waiting>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    pub(super) reason: String,
}

impl Pod {
    pub(super) fn is_ready(&self) -> bool {
        let mut conditions = self.status.conditions.iter();
        conditions.any(|it| it.kind == "Ready" && it.status == "True")
    }

    /// Why it does not run, in one word of Kubernetes.
    pub(super) fn trouble(&self) -> Option<&str> {
        let containers = self.status.container_statuses.iter();
        let mut waiting = containers.filter_map(|it| it.state.waiting.as_ref());
        let conditions = self.status.conditions.iter();
        let mut failed = conditions.filter(|it| it.status == "False");
        let reason = waiting.next().map(|it| it.reason.as_str());
        reason
            .or_else(|| failed.next().map(|it| it.reason.as_str()))
            .filter(|reason| !reason.is_empty())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    pub(super) spec: ServiceSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServiceSpec {
    pub(super) selector: Labels,
    pub(super) ports: Vec<ServicePort>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServicePort {
    pub(super) port: u16,
}

/// An `EndpointSlice`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slice {
    /// Null where there are none.
    pub(super) endpoints: Option<Vec<Endpoint>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Endpoint {
    pub(super) addresses: Vec<String>,
    pub(super) conditions: EndpointConditions,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EndpointConditions {
    /// Absent is ready.
    pub(super) ready: Option<bool>,
}

/// A `MutatingWebhookConfiguration`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    pub(super) metadata: Metadata,
    pub(super) webhooks: Vec<Entry>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) client_config: ClientConfig,
    pub(super) rules: Vec<Rule>,
    pub(super) match_conditions: Vec<MatchCondition>,
    pub(super) failure_policy: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ClientConfig {
    pub(super) service: Option<ServiceReference>,
    /// PEM in base64.
    pub(super) ca_bundle: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServiceReference {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) port: u16,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) api_groups: Vec<String>,
    pub(super) api_versions: Vec<String>,
    pub(super) operations: Vec<String>,
    pub(super) resources: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MatchCondition {
    pub(super) expression: String,
}

/// What came of a TLS handshake with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What came of the creation of a model as a dry run.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) namespace: String,
    /// That namespace.
    pub(super) around: Asked<Named>,
    /// The model as it would be stored.
    pub(super) created: Asked<Value>,
}

/// The nodes, as far as it matters for spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    /// Those that run models.
    pub(super) with_models: BTreeSet<String>,
    /// The UDP ports that a ready pod has of each.
    pub(super) listening: BTreeMap<String, BTreeSet<u16>>,
}

impl Nodes {
    /// Adds a pod.
    pub(super) fn add(&mut self, pod: &Pod) {
        let node = &pod.spec.node_name;
        let ended = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        if node.is_empty() || ended {
            return;
        }
        let labels = &pod.metadata.labels;
        if MODEL_LABELS.iter().any(|label| labels.contains_key(*label)) {
            self.with_models.insert(node.clone());
        }
        let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
        let ports = containers.flat_map(|container| &container.ports);
        let udp = ports.filter(|port| port.protocol == "UDP" && pod.is_ready());
        for port in udp.filter_map(|port| port.of_node) {
            self.listening.entry(node.clone()).or_default().insert(port);
        }
    }
}

/// The labels that Seldon's operator gives to the pods of models.
const MODEL_LABELS: [&str; 2] = ["seldon-deployment-id", "seldon-app"];
