//! From the annotation to the trace, all of it in pods.

use std::collections::BTreeSet;
use std::fs;

use crate::query;
use crate::receivers::{self, GENERATION};
use crate::rig::{Cluster, Space, until};
use crate::support::fixtures::root;

tests![
    a_request_to_a_model_becomes_a_trace_and_none_after_the_opt_out,
    only_host_ports_keep_the_collector_from_a_restricted_namespace,
];

/// That of the example.
const DEPLOYMENT: &str = "deployment/churn-default";

fn a_request_to_a_model_becomes_a_trace_and_none_after_the_opt_out(cluster: &Cluster) {
    receivers::install(cluster);
    let models = cluster.space("deployed");
    receivers::operate(&models);
    let example = fs::read_to_string(root().join("examples/own-container.yaml")).unwrap();
    let example = example.replace("namespace: models", &format!("namespace: {}", models.name));
    models.kubectl_with(&example, &["create", "-f", "-"]).ok();
    let [trace] = request(&models).try_into().unwrap();
    let spans = || query::of_trace(receivers::jaeger(), &trace);
    until("the trace is in Jaeger", || spans().len() == 3);
    let services: BTreeSet<_> = spans().into_iter().map(|span| span.service).collect();
    assert_eq!(
        services,
        ["executor", "model.Model"].map(str::to_owned).into()
    );

    let annotate = |value: &str| {
        let annotate = ["annotate", "sdep", "churn", value, "--overwrite"];
        models.kubectl(&annotate).ok();
    };
    annotate("tracing=false");
    assert_eq!(request(&models), [""; 0], "none is sampled");
    annotate("tracing=true");
    let [again] = request(&models).try_into().unwrap();
    until("the next trace is in Jaeger", || {
        query::of_trace(receivers::jaeger(), &again).len() == 3
    });
    // It was sent after what there was to send.
    let all = query::of_service(receivers::jaeger(), "model.Model");
    assert_eq!(all.len(), 2, "{all:?}");
}

fn only_host_ports_keep_the_collector_from_a_restricted_namespace(cluster: &Cluster) {
    receivers::install(cluster);
    let said = cluster.kubectl(&[
        "label",
        "--dry-run=server",
        "--overwrite",
        "namespace",
        "seldon-tracing-collector",
        "pod-security.kubernetes.io/enforce=restricted",
    ]);
    let warnings = said.warnings();
    let [_, pod] = warnings.as_slice() else {
        panic!("{said:?}");
    };
    assert!(pod.ends_with(": hostPort"), "{pod}");
}

/// Has the orchestrator make a request once the model is deployed as it is written. Gives the traces that it sampled.
fn request(models: &Space<'_>) -> Vec<String> {
    let wanted = models.get("churn")["metadata"]["generation"].to_string();
    until("the operator has seen it", || {
        let found = models.kubectl(&["get", DEPLOYMENT, "-o", "json"]);
        found.code == Some(0)
            && found.json()["metadata"]["annotations"][GENERATION] == wanted.as_str()
    });
    models
        .kubectl(&["rollout", "status", DEPLOYMENT, "--timeout=180s"])
        .ok();
    let exec = [
        "exec",
        DEPLOYMENT,
        "--container=seldon-container-engine",
        "--",
    ];
    let [orchestrator, model] = receivers::call();
    let ids = models
        .kubectl(&[&exec[..], &[&orchestrator, &model]].concat())
        .ok();
    ids.lines().map(str::to_owned).collect()
}
