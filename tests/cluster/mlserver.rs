//! The commands that the documentation gives for `MLServer`.

use serde_json::json;

use crate::models::{self, container, essence, names};
use crate::rig::Cluster;

tests![mlserver_is_traced_where_an_endpoint_is_given];

fn mlserver_is_traced_where_an_endpoint_is_given(cluster: &Cluster) {
    let space = cluster.space("mlserver");
    let mut server = models::model("server");
    server["spec"]["protocol"] = json!("v2");
    let predictor = &mut server["spec"]["predictors"][0];
    predictor["graph"] =
        json!({"name": "classifier", "implementation": "SKLEARN_SERVER", "modelUri": "s3://a"});
    predictor.as_object_mut().unwrap().remove("componentSpecs");
    let before = space.create(&server);
    assert!(container(&before).is_null(), "{before}");

    let key = "tracing.seldon.io/otlp-endpoint";
    let annotation = format!("{key}=otel-collector.observability:4317");
    space
        .kubectl(&["annotate", "sdep/server", &annotation])
        .ok();
    let traced = space.get("server");
    assert_eq!(names(container(&traced)), ["MLSERVER_TRACING_SERVER"]);
    assert_eq!(
        names(&traced["spec"]["predictors"][0]["svcOrchSpec"]),
        crate::support::variables::FIVE
    );

    let away = format!("{key}-");
    space.kubectl(&["annotate", "sdep/server", &away]).ok();
    assert_eq!(essence(&space.get("server")), essence(&before));
}
