//! The API server takes the collector, and finds nothing but its host ports against the strictest profile of Pod Security.

use serde_json::{Value, json};

use crate::rig::Cluster;

tests![the_collector_is_taken_as_it_is_and_only_its_host_ports_are_more_than_restricted_allows];

const NAMESPACE: &str = "seldon-tracing-collector";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/collector");

fn the_collector_is_taken_as_it_is_and_only_its_host_ports_are_more_than_restricted_allows(
    cluster: &Cluster,
) {
    let file = format!("{FOLDER}/namespace.yaml");
    cluster.kubectl(&["apply", "-f", &file]).ok();
    let dry = [
        "apply",
        "--dry-run=server",
        "--validate=strict",
        "-k",
        FOLDER,
    ];
    let applied = cluster.kubectl(&dry);
    assert_eq!(applied.warnings(), [""; 0]);
    let applied = applied.ok();
    for object in [
        "configmap/seldon-tracing-collector-",
        "daemonset.apps/seldon-tracing-collector ",
        "networkpolicy.networking.k8s.io/seldon-tracing-collector ",
        "service/seldon-tracing-collector ",
        "serviceaccount/seldon-tracing-collector ",
    ] {
        assert!(applied.contains(object), "{object}: {applied}");
    }

    let print = ["create", "--dry-run=client", "-o", "json", "-k", FOLDER];
    let rendered = cluster.kubectl(&print).ok();
    // One object after the other, without a list around them.
    let mut objects = serde_json::Deserializer::from_str(&rendered).into_iter::<Value>();
    let set = objects.find_map(|object| object.ok().filter(|it| it["kind"] == "DaemonSet"));
    let set = set.unwrap();
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "collector"},
        "spec": set["spec"]["template"]["spec"],
    });
    let create = |pod: &Value, namespace: &str| {
        let arguments = [
            "create",
            "--dry-run=server",
            "--namespace",
            namespace,
            "-f",
            "-",
        ];
        cluster.kubectl_with(&pod.to_string(), &arguments)
    };
    create(&pod, NAMESPACE).ok();
    let restricted = cluster.space("restricted").name;
    let level = "pod-security.kubernetes.io/enforce=restricted";
    cluster
        .kubectl(&["label", "namespace", &restricted, level])
        .ok();
    let refused = create(&pod, &restricted).refused();
    assert!(refused.contains("hostPort"), "{refused}");
    for port in pod["spec"]["containers"][0]["ports"]
        .as_array_mut()
        .unwrap()
    {
        port.as_object_mut().unwrap().remove("hostPort");
    }
    create(&pod, &restricted).ok();
}
