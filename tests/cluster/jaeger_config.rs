//! What the documentation says to type for the sampler of the Python wrapper and for `MLServer`, typed.

use std::process::Command;

use serde_json::json;

use crate::models::{self, container, essence, names, value};
use crate::rig::Cluster;
use crate::rig::kubectl::finish;
use crate::support::variables::FIVE;

tests![
    the_sampler_of_an_annotation_becomes_a_config_map_by_a_pipe,
    mlserver_is_traced_where_an_endpoint_is_given,
];

fn render(manifest: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seldon-tracing"));
    command
        .env_remove("SELDON_TRACING_CONFIG")
        .arg("jaeger-config");
    finish(command, manifest).ok()
}

fn the_sampler_of_an_annotation_becomes_a_config_map_by_a_pipe(cluster: &Cluster) {
    let space = cluster.space("jaeger-config");
    let model = models::untraced("model");
    space
        .kubectl_with(&model.to_string(), &["create", "-f", "-"])
        .ok();
    let annotate = |annotations: &[&str]| {
        let all = [&["annotate", "--overwrite", "sdep/model"], annotations].concat();
        space.kubectl(&all).ok();
    };
    annotate(&[
        "tracing=true",
        "tracing.seldon.io/config-map=jaeger-client",
        "tracing.seldon.io/sampler-type=probabilistic",
        "tracing.seldon.io/sampler-param=0.1",
    ]);
    let pipe = || {
        let stored = space.kubectl(&["get", "sdep", "model", "-o", "yaml"]).ok();
        space
            .kubectl_with(&render(&stored), &["apply", "-f", "-"])
            .ok()
    };
    assert!(pipe().contains("configmap/jaeger-client created"));
    assert!(pipe().contains("configmap/jaeger-client unchanged"));

    let of_ours = "--selector=app.kubernetes.io/managed-by=seldon-tracing";
    let found = || {
        let get = ["get", "configmap", of_ours, "-o", "json"];
        space.kubectl(&get).json()["items"].clone()
    };
    let maps = found();
    let stored = space.get("model");
    let source =
        &stored["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["volumes"][0]["configMap"];
    assert_eq!(source["name"], maps[0]["metadata"]["name"], "{stored}");
    let key = source["items"][0]["key"].as_str().unwrap();
    assert_eq!(
        maps[0]["data"],
        json!({key: "sampler:\n  type: probabilistic\n  param: 0.1\n"})
    );
    let orchestrator = &stored["spec"]["predictors"][0]["svcOrchSpec"];
    assert_eq!(value(orchestrator, "JAEGER_SAMPLER_PARAM"), Some("0.1"));

    annotate(&["tracing.seldon.io/sampler-param=0.5"]);
    assert!(pipe().contains("configmap/jaeger-client configured"));
    assert_eq!(
        found()[0]["data"],
        json!({key: "sampler:\n  type: probabilistic\n  param: 0.5\n"})
    );
}

fn mlserver_is_traced_where_an_endpoint_is_given(cluster: &Cluster) {
    let space = cluster.space("mlserver");
    let mut server = models::model("server");
    server["spec"]["protocol"] = json!("v2");
    let predictor = &mut server["spec"]["predictors"][0];
    predictor["graph"] =
        json!({"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "s3://a"});
    predictor.as_object_mut().unwrap().remove("componentSpecs");
    space
        .kubectl_with(&server.to_string(), &["create", "-f", "-"])
        .ok();
    let before = space.get("server");
    assert!(container(&before).is_null(), "{before}");

    let key = "tracing.seldon.io/otlp-endpoint";
    let annotation = format!("{key}=otel-collector.observability:4317");
    space
        .kubectl(&["annotate", "sdep/server", &annotation])
        .ok();
    let traced = space.get("server");
    assert_eq!(names(container(&traced)), ["MLSERVER_TRACING_SERVER"]);
    assert_eq!(names(&traced["spec"]["predictors"][0]["svcOrchSpec"]), FIVE);

    let away = format!("{key}-");
    space.kubectl(&["annotate", "sdep/server", &away]).ok();
    assert_eq!(essence(&space.get("server")), essence(&before), "opted out");
}
