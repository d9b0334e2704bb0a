//! The Jaeger of `examples/worked`, to which the collector of `manifests/collector` sends.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Service};
use serde_json::Value;

use crate::files::{documents, kustomization, text, texts};
use crate::kustomize::round;

fn objects() -> Vec<Value> {
    documents(&text("examples/worked/jaeger.yaml"))
}

#[test]
fn every_field_of_jaeger_is_one_that_kubernetes_knows() {
    let objects = objects();
    assert_eq!(objects.len(), 4);
    for object in objects {
        let again = match object["kind"].as_str().unwrap() {
            "Namespace" => round::<Namespace>(&object),
            "Deployment" => round::<Deployment>(&object),
            "Service" => round::<Service>(&object),
            other => panic!("an object of kind {other}, which this test does not know"),
        };
        assert_eq!(again, object);
    }
}

#[test]
fn jaeger_is_the_version_that_the_tests_start_and_the_collector_sends_to_its_service() {
    let objects = objects();
    let module = text("tests/spans/binaries/jaeger/go.mod");
    let line = "github.com/jaegertracing/jaeger v";
    let (_, version) = module.split_once(line).unwrap();
    let version = version.split_whitespace().next().unwrap();
    let deployment = objects.iter().find(|it| it["kind"] == "Deployment");
    let pod = &deployment.unwrap()["spec"]["template"];
    let image = format!("jaegertracing/all-in-one:{version}");
    assert_eq!(pod["spec"]["containers"][0]["image"], image);

    let services = objects.iter().filter(|it| it["kind"] == "Service");
    let addresses: Vec<String> = services
        .map(|service| {
            assert_eq!(service["spec"]["selector"], pod["metadata"]["labels"]);
            let (metadata, port) = (&service["metadata"], &service["spec"]["ports"][0]["port"]);
            let [name, namespace] = ["name", "namespace"].map(|key| metadata[key].as_str());
            format!("{}.{}.svc:{port}", name.unwrap(), namespace.unwrap())
        })
        .collect();
    let literals = kustomization("collector")["configMapGenerator"][0]["literals"].clone();
    let endpoint = texts(&literals)
        .into_iter()
        .find_map(|it| it.strip_prefix("OTLP_ENDPOINT="));
    assert!(addresses.iter().any(|it| it == endpoint.unwrap()));
}
