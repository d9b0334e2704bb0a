//! `manifests/collector`, the receiver on every node.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Container, Namespace, PodSpec, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::{Value, json};

use crate::files::{documents, folder, kustomization, objects, text, texts};
use crate::kustomize::round;

const FOLDER: &str = "collector";

fn the(kind: &str) -> Value {
    let mut found = objects(FOLDER);
    found.retain(|object| object["kind"] == kind);
    assert_eq!(found.len(), 1, "objects of kind {kind}");
    found.remove(0)
}

fn pod() -> PodSpec {
    let set: DaemonSet = serde_json::from_value(the("DaemonSet")).unwrap();
    set.spec.unwrap().template.spec.unwrap()
}

fn container() -> Container {
    let mut containers = pod().containers;
    assert_eq!(containers.len(), 1);
    containers.remove(0)
}

/// Protocol and number of the ports of the container, by their names.
fn port(name: &str) -> (String, i32) {
    let mut ports = container().ports.unwrap().into_iter();
    let port = ports.find(|port| port.name.as_deref() == Some(name));
    let port = port.unwrap_or_else(|| panic!("no port {name}"));
    (port.protocol.unwrap(), port.container_port)
}

/// The configuration that the collector is started with.
fn config() -> Value {
    let mut read = documents(&text(folder(FOLDER).join("collector.yaml")));
    read.remove(0)
}

#[test]
fn every_file_of_the_collector_is_listed_and_every_field_is_one_that_kubernetes_knows() {
    let kustomization = kustomization(FOLDER);
    let mut listed: BTreeSet<String> = texts(&kustomization["resources"])
        .into_iter()
        .chain(texts(&kustomization["configMapGenerator"][0]["files"]))
        .map(str::to_owned)
        .collect();
    listed.insert("kustomization.yaml".to_owned());
    let there: BTreeSet<String> = std::fs::read_dir(folder(FOLDER))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, listed);
    for object in objects(FOLDER) {
        let again = match object["kind"].as_str().unwrap() {
            "Namespace" => round::<Namespace>(&object),
            "ServiceAccount" => round::<ServiceAccount>(&object),
            "DaemonSet" => round::<DaemonSet>(&object),
            "Service" => round::<Service>(&object),
            "NetworkPolicy" => round::<NetworkPolicy>(&object),
            other => panic!("an object of kind {other}, which this test does not know"),
        };
        assert_eq!(again, object);
    }
}

#[test]
fn it_listens_on_the_ports_that_seldon_and_the_clients_send_to_and_on_no_other_of_the_node() {
    let ports = container().ports.unwrap();
    let of_node: Vec<_> = ports
        .iter()
        .filter_map(|port| Some((port.host_port?, port.container_port, port.protocol.clone())))
        .collect();
    let udp = Some("UDP".to_owned());
    assert_eq!(of_node, [(6831, 6831, udp.clone()), (5775, 5775, udp)]);
    // The one of the webhook's default is among them.
    let ours = documents(&text("manifests/base/config.yaml")).remove(0);
    let default = ours["defaults"]["agentPort"].as_i64().unwrap();
    assert!(of_node.iter().any(|port| i64::from(port.0) == default));
}

#[test]
fn the_configuration_listens_on_the_ports_of_the_container_at_every_address() {
    let config = config();
    let at = |port: &str| json!(format!("${{env:LISTEN_HOST:-}}:{}", self::port(port).1));
    let udp = |receiver: &str| {
        config["receivers"][receiver]["protocols"]["thrift_compact"]["endpoint"].clone()
    };
    assert_eq!(udp("jaeger"), at("jaeger"));
    assert_eq!(udp("jaeger/5775"), at("jaeger-5775"));
    let otlp = &config["receivers"]["otlp"]["protocols"]["grpc"];
    assert_eq!(otlp["endpoint"], at("otlp"));
    assert_eq!(
        config["extensions"]["health_check"]["endpoint"],
        at("health")
    );
    let metrics = &config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"];
    assert_eq!(metrics["prometheus"]["port"], port("metrics").1);
    let pipeline = &config["service"]["pipelines"]["traces"];
    assert_eq!(
        pipeline["receivers"],
        json!(["jaeger", "jaeger/5775", "otlp"])
    );
    // What protects the memory comes first.
    assert_eq!(pipeline["processors"], json!(["memory_limiter", "batch"]));
}

#[test]
fn where_spans_go_stands_in_one_place_and_every_other_variable_has_a_default() {
    let generator = &kustomization(FOLDER)["configMapGenerator"][0];
    let literals = texts(&generator["literals"]);
    let map = generator["name"].as_str().unwrap();
    let written = text(folder(FOLDER).join("collector.yaml"));
    let mut required: Vec<&str> = written
        .split("${env:")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| !name.contains(":-"))
        .collect();
    required.retain(|name| *name != "NAME");
    assert_eq!(required, ["OTLP_ENDPOINT"]);
    for variable in container().env.unwrap() {
        let Some(source) = variable.value_from else {
            continue;
        };
        let key = source.config_map_key_ref.unwrap();
        assert_eq!((key.name.as_str(), &key.key), (map, &variable.name));
        let set = literals
            .iter()
            .filter(|it| it.starts_with(&format!("{}=", key.key)));
        assert_eq!(set.count(), 1, "{}", key.key);
    }
    // A changed address restarts the collectors, which read it only when they start.
    assert_eq!(generator.get("options"), None);
    let volume = pod().volumes.unwrap().remove(0).config_map.unwrap();
    assert_eq!(volume.name, map);
}

#[test]
fn the_image_is_the_version_that_the_tests_start() {
    let module = text("tests/spans/binaries/collector/go.mod");
    let line = module
        .lines()
        .find(|line| line.contains("receiver/jaegerreceiver "));
    let (_, version) = line.unwrap().rsplit_once(" v").unwrap();
    let images = kustomization(FOLDER)["images"].clone();
    let image = container().image.unwrap();
    assert_eq!(images, json!([{"name": image, "newTag": version}]));
}

#[test]
fn all_is_restricted_but_the_ports_of_the_node() {
    let set = the("DaemonSet");
    let pod = &set["spec"]["template"]["spec"];
    let expected = json!({
        "runAsNonRoot": true,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    assert_eq!(pod["securityContext"], expected);
    let container = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(pod["containers"][0]["securityContext"], container);
    for other in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
        assert_eq!(pod.get(other), None, "{other}");
    }
    // That is why it has a namespace of its own.
    let labels = the("Namespace")["metadata"]["labels"].clone();
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "privileged");
    let account = the("ServiceAccount");
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["serviceAccountName"], account["metadata"]["name"]);
    for object in objects(FOLDER) {
        let version = object["apiVersion"].as_str().unwrap();
        assert!(!version.starts_with("rbac."), "{object}");
    }
}

#[test]
fn it_runs_on_every_node_with_bounds_for_its_memory() {
    let tolerations = pod().tolerations.unwrap();
    assert_eq!(json!(tolerations), json!([{"operator": "Exists"}]));
    let resources = container().resources.unwrap();
    let (requests, limits) = (resources.requests.unwrap(), resources.limits.unwrap());
    assert!(requests.contains_key("memory") && requests.contains_key("cpu"));
    assert!(!limits.contains_key("cpu"));
    let number = |text: &str| {
        text.trim_end_matches(char::is_alphabetic)
            .parse::<u64>()
            .unwrap()
    };
    let limit = number(&limits["memory"].0);
    let env = container().env.unwrap();
    let go = env.iter().find(|it| it.name == "GOMEMLIMIT").unwrap();
    // Go collects before the limiter refuses, which it does at its limit without the spike, and the kernel ends the process behind both.
    let limiter = config()["processors"]["memory_limiter"].clone();
    let percent = |key: &str| limiter[key].as_u64().unwrap();
    let hard = percent("limit_percentage");
    let refused = limit * (hard - percent("spike_limit_percentage")) / 100;
    let go = number(go.value.as_deref().unwrap());
    assert!(go < refused && hard < 100, "{go} of {refused}");
    for probe in [
        container().startup_probe,
        container().readiness_probe,
        container().liveness_probe,
    ] {
        let get = probe.unwrap().http_get.unwrap();
        assert_eq!(json!(get.port), "health");
    }
}

#[test]
fn the_network_lets_spans_in_and_out_and_prometheus_read() {
    let policy: NetworkPolicy = serde_json::from_value(the("NetworkPolicy")).unwrap();
    let spec = json!(policy.spec.unwrap());
    let (protocol, metrics) = port("metrics");
    let set = the("DaemonSet");
    assert_eq!(spec["podSelector"], set["spec"]["selector"]);
    assert_eq!(
        set["spec"]["selector"]["matchLabels"],
        set["spec"]["template"]["metadata"]["labels"]
    );
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    let numbered = |name| json!({"protocol": port(name).0, "port": port(name).1});
    assert_eq!(
        spec["ingress"][0],
        json!({"ports": [numbered("jaeger"), numbered("jaeger-5775"), numbered("otlp")]})
    );
    assert_eq!(
        spec["ingress"][1]["ports"],
        json!([{"protocol": protocol, "port": metrics}])
    );
    assert!(
        spec["ingress"][1]["from"][0]
            .get("namespaceSelector")
            .is_some()
    );
    let out = json!([{"ports": [{"protocol": "TCP"}, {"protocol": "UDP", "port": 53}, {"protocol": "UDP", "port": 5353}]}]);
    assert_eq!(spec["egress"], out);
}

#[test]
fn mlserver_reaches_the_collector_of_its_node_by_the_name_that_the_documentation_gives() {
    let service = the("Service");
    let set = the("DaemonSet");
    assert_eq!(
        service["spec"]["selector"],
        set["spec"]["selector"]["matchLabels"]
    );
    assert_eq!(service["spec"]["internalTrafficPolicy"], "Local");
    let (protocol, number) = port("otlp");
    let expected =
        json!([{"name": "otlp", "port": number, "targetPort": "otlp", "protocol": protocol}]);
    assert_eq!(service["spec"]["ports"], expected);
    let text_of = |key: &str| service["metadata"][key].as_str().unwrap().to_owned();
    let endpoint = format!("{}.{}:{number}", text_of("name"), text_of("namespace"));
    assert!(text("docs/receivers.md").contains(&endpoint), "{endpoint}");
}
