//! What is seen of a sound installation made from our manifests, and of a cluster that is ready for one.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::cluster::ask::Asked;
use crate::cluster::failure::{Failure, Why};
use crate::commands::check::seen::{Nodes, Seen, SeenBefore, Served, Trial};
use crate::manifest::tree::Tree;
use crate::pki::{Authority, Names, Purpose};

pub(super) const NAME: &str = "seldon-tracing.seldon-tracing.svc";

pub(super) fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
}

pub(super) static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::new(None, now(), Duration::days(3650)).unwrap());

pub(super) fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/base");
    fs::read_to_string(path.join(name)).unwrap()
}

pub(super) fn manifest(name: &str) -> Value {
    Tree::yaml(&file(name)).unwrap().to_value().unwrap()
}

pub(super) fn failed<T>(why: Why) -> Asked<T> {
    Err(Failure::new("get this", why, "admission webhook said no"))
}

pub(super) fn absent<T>() -> Asked<T> {
    failed(Why::NotFound)
}

pub(super) fn bundle(authority: &Authority) -> String {
    STANDARD.encode(authority.certificate())
}

pub(super) fn chain(name: &str, days: u32) -> Served {
    let names = Names {
        dns: vec![name.to_owned()],
        ip: vec![],
    };
    let pair = AUTHORITY.issue(&names, Purpose::Server, now(), Duration::days(days.into()));
    let pem = pair.unwrap().chain;
    let ders = CertificateDer::pem_slice_iter(pem.as_bytes());
    Served::Chain(ders.map(|der| der.unwrap().to_vec()).collect())
}

pub(super) fn pod() -> Value {
    let template = manifest("deployment.yaml")["spec"]["template"].clone();
    let mut spec = template["spec"].clone();
    spec["containers"][0]["image"] = json!(concat!("a.b:5000/x:", env!("CARGO_PKG_VERSION")));
    json!({
        "metadata": {"name": "pod-a", "labels": template["metadata"]["labels"]},
        "spec": spec,
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// A pod of a model, or of a receiver.
pub(super) fn other(
    node: &str,
    labels: &Value,
    host_port: u16,
    protocol: &str,
    ready: &str,
) -> Value {
    let port = json!({"containerPort": 1, "hostPort": host_port, "protocol": protocol});
    json!({
        "metadata": {"name": "x", "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "c", "ports": [port]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    })
}

pub(super) fn nodes(pods: &[Value]) -> Nodes {
    let mut nodes = Nodes::default();
    for pod in pods {
        nodes.add(pod);
    }
    nodes
}

pub(super) fn model_on(node: &str) -> Value {
    other(node, &json!({"seldon-app": "x"}), 9000, "TCP", "True")
}

pub(super) fn receiver_on(node: &str) -> Value {
    other(node, &json!({}), 5775, "UDP", "True")
}

/// What a sound installation looks like.
pub(super) fn good() -> Seen {
    let mut deployment = manifest("deployment.yaml");
    deployment["status"] = json!({"readyReplicas": 2});
    deployment["spec"]["template"]["spec"] = pod()["spec"].clone();
    let mut configuration = manifest("webhook.yaml");
    for entry in configuration["webhooks"].as_array_mut().unwrap() {
        entry["clientConfig"]["caBundle"] = json!(bundle(&AUTHORITY));
    }
    let slice = json!({"endpoints": [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": true}},
        {"addresses": ["10.0.0.2"], "conditions": {}},
        {"addresses": ["10.0.0.3"], "conditions": {"ready": false}},
    ]});
    let seldons = json!({"metadata": {"name": "seldon-mutating"}, "webhooks": [{
        "name": "v1.mseldondeployment.kb.io",
        "rules": configuration["webhooks"][0]["rules"],
        "clientConfig": {"service": {"namespace": "seldon-system", "name": "seldon-webhook-service"}},
    }]});
    Seen {
        ours: "seldon-tracing".to_owned(),
        now: now() + Duration::HOUR,
        api_server: json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}),
        seldon: Ok(json!({"resources": [{"name": "seldondeployments"}]})),
        namespace: Ok(manifest("namespace.yaml")),
        config_map: Ok(json!({"data": {"config.yaml": file("config.yaml")}})),
        deployment: Ok(deployment),
        controller: absent(),
        pods: Ok(vec![pod()]),
        service: Ok(manifest("service.yaml")),
        slices: Ok(vec![json!({"endpoints": null}), slice]),
        configuration: Ok(configuration.clone()),
        configurations: Ok(vec![configuration, seldons]),
        served: vec![("pod-a".to_owned(), chain(NAME, 90))],
        namespaces: Ok(vec![]),
        trial: Trial {
            namespace: "default".to_owned(),
            around: Ok(json!({"metadata": {"name": "default"}})),
            created: Ok(json!({"metadata": {"annotations": {"tracing.seldon.io/injected": "{}"}}})),
        },
        nodes: Ok(nodes(&[model_on("node-a"), receiver_on("node-a")])),
    }
}

/// A cluster that is ready for an installation.
pub(super) fn ready() -> SeenBefore {
    SeenBefore {
        ours: "seldon-tracing".to_owned(),
        api_server: good().api_server,
        seldon: good().seldon,
        admission: Ok(json!({"resources": [{"name": "mutatingwebhookconfigurations"}]})),
        rights: Ok(vec![("secrets".to_owned(), true)]),
        namespace: absent(),
        configuration: absent(),
        configurations: Ok(vec![]),
    }
}
