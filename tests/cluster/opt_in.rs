//! Tracing is turned on and off in every way that people have, and it leaves nothing behind.

use serde_json::{Value, json};

use crate::models::{
    self, RECORD, container, essence, is_traced, model, names, untraced, value, written,
};
use crate::rig::{Cluster, Space, until};
use crate::steps::{calls, create, created_dry, logged, merge, without_us};
use crate::support::variables::FIVE;

tests![
    an_annotation_traces_a_model_and_its_removal_gives_the_model_back,
    false_gives_the_model_back_and_stays_where_it_was_written,
    a_model_that_is_created_traced_is_one_generation_old,
    an_annotation_of_the_spec_is_as_good,
    an_annotation_of_a_predictor_traces_that_predictor_alone,
    every_kind_of_target_is_traced_and_given_back,
    what_the_user_left_empty_is_empty_again,
    a_namespace_can_make_tracing_the_default,
    a_namespaces_label_acts_at_the_next_update_of_a_model,
    what_never_asked_never_reaches_the_webhook,
];

fn an_annotation_traces_a_model_and_its_removal_gives_the_model_back(cluster: &Cluster) {
    let space = cluster.space("annotate");
    let before = space.create(&models::untraced("model"));
    assert!(!is_traced(&before));

    space
        .kubectl(&["annotate", "sdep/model", "tracing=true"])
        .ok();
    let traced = space.get("model");
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(names(container(&traced)), FIVE);
    assert_eq!(written(&traced).generation, 2);

    // The second time is no change.
    space
        .kubectl(&["annotate", "--overwrite", "sdep/model", "tracing=true"])
        .ok();
    assert_eq!(written(&space.get("model")), written(&traced));

    space.kubectl(&["annotate", "sdep/model", "tracing-"]).ok();
    let after = space.get("model");
    assert_eq!(essence(&after), essence(&before), "opted out");
    assert_eq!(after["metadata"]["annotations"], json!(null));
}

fn false_gives_the_model_back_and_stays_where_it_was_written(cluster: &Cluster) {
    let space = cluster.space("false");
    let before = create(&space, &untraced("model"));
    let annotate = |value: &str| {
        let annotation = format!("tracing={value}");
        space
            .kubectl(&["annotate", "--overwrite", "sdep/model", &annotation])
            .ok();
        space.get("model")
    };
    assert!(is_traced(&annotate("True")));
    let after = annotate("false");
    let mut expected = essence(&before);
    expected["metadata"]["annotations"] = json!({"tracing": "false"});
    assert_eq!(essence(&after), expected, "opted out");
    assert_eq!(written(&after).generation, 3);
    assert_eq!(written(&annotate("false")), written(&after), "idempotent");
    assert!(is_traced(&annotate("true")), "and on again");
}

fn a_model_that_is_created_traced_is_one_generation_old(cluster: &Cluster) {
    let space = cluster.space("create");
    let without_us = without_us(&space, &untraced("model"));
    let traced = space.create(&model("model"));
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(written(&traced).generation, 1, "pods start traced");
    let host = &container(&traced)["env"][1];
    assert_eq!(host["name"], "JAEGER_AGENT_HOST");
    // The API server may add an apiVersion to it.
    assert_eq!(host["valueFrom"]["fieldRef"]["fieldPath"], "status.hostIP");

    let patched = merge(
        &space,
        "model",
        &json!({"metadata": {"annotations": {"tracing": null}}}),
    );
    assert_eq!(essence(&patched), without_us, "opted out");
}

fn an_annotation_of_the_spec_is_as_good(cluster: &Cluster) {
    let space = cluster.space("spec");
    let before = create(&space, &untraced("model"));
    let with = |value: Value| {
        let patch = json!({"spec": {"annotations": {"tracing": value}}});
        merge(&space, "model", &patch)
    };
    let traced = with(json!("true"));
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(names(container(&traced)), FIVE);
    assert_eq!(
        written(&with(json!("true"))),
        written(&traced),
        "idempotent"
    );

    let mut expected = essence(&before);
    expected["spec"]["annotations"] = json!({"tracing": "false"});
    assert_eq!(essence(&with(json!("false"))), expected, "opted out");
    assert!(is_traced(&with(json!("true"))));
    // A merge patch leaves the empty map behind, we nothing.
    expected["spec"]["annotations"] = json!({});
    assert_eq!(essence(&with(Value::Null)), expected, "opted out");
}

fn an_annotation_of_a_predictor_traces_that_predictor_alone(cluster: &Cluster) {
    let space = cluster.space("predictor");
    let mut manifest = untraced("model");
    let predictors = manifest["spec"]["predictors"].as_array_mut().unwrap();
    predictors[0]["traffic"] = json!(90);
    let mut candidate = predictors[0].clone();
    candidate["name"] = json!("candidate");
    candidate["traffic"] = json!(10);
    candidate["annotations"] = json!({"team": "shop"});
    predictors.push(candidate);
    let before = create(&space, &manifest);
    let patch = |operation: Value| {
        let operations = json!([operation]).to_string();
        space
            .kubectl(&["patch", "sdep/model", "--type=json", "--patch", &operations])
            .ok();
        space.get("model")
    };
    let at = "/spec/predictors/1/annotations/tracing";

    let traced = patch(json!({"op": "add", "path": at, "value": "true"}));
    let [default, candidate] = [0, 1].map(|at| &traced["spec"]["predictors"][at]);
    assert_eq!(
        default, &before["spec"]["predictors"][0],
        "nothing else changes"
    );
    let model = &candidate["componentSpecs"][0]["spec"]["containers"][0];
    assert_eq!(names(model), FIVE);
    assert_eq!(names(&candidate["svcOrchSpec"]), FIVE);

    let mut expected = essence(&before);
    let off = patch(json!({"op": "replace", "path": at, "value": "false"}));
    expected["spec"]["predictors"][1]["annotations"]["tracing"] = json!("false");
    assert_eq!(essence(&off), expected, "opted out");
    // The whole model, but not that predictor.
    let rest = merge(
        &space,
        "model",
        &json!({"metadata": {"annotations": {"tracing": "true"}}}),
    );
    let [default, candidate] = [0, 1].map(|at| &rest["spec"]["predictors"][at]);
    assert_eq!(names(&default["svcOrchSpec"]), FIVE);
    assert_eq!(candidate, &expected["spec"]["predictors"][1]);

    merge(
        &space,
        "model",
        &json!({"metadata": {"annotations": {"tracing": null}}}),
    );
    let gone = patch(json!({"op": "remove", "path": at}));
    assert_eq!(essence(&gone), essence(&before), "opted out");
}

/// A graph with a transformer, a prepackaged server without a container, a container that wants no tracing, an explainer and an
/// orchestrator with a variable of the user's.
pub(crate) fn graph(name: &str) -> Value {
    let mut graph = untraced(name);
    graph["metadata"]["annotations"] = json!({
        "owner": "shop",
        "tracing.seldon.io/exclude-containers": "cache",
        "tracing.seldon.io/service-name": "{namespace}/{name}",
    });
    graph["spec"]["predictors"][0] = json!({
        "name": "default",
        "graph": {"name": "features", "type": "TRANSFORMER", "children": [
            {"name": "popular", "implementation": "SKLEARN_SERVER", "modelUri": "s3://models/popular", "children": []},
        ]},
        "componentSpecs": [{"spec": {"containers": [
            {"name": "features", "image": "example.com/features:1", "env": [{"name": "LEVEL", "value": "INFO"}]},
            {"name": "cache", "image": "example.com/cache:7"},
        ]}}],
        "svcOrchSpec": {"env": [{"name": "SELDON_LOG_LEVEL", "value": "INFO"}]},
        "explainer": {
            "type": "AnchorTabular",
            "containerSpec": {"name": "explainer", "image": "example.com/explainer:3"},
        },
    });
    graph
}

fn every_kind_of_target_is_traced_and_given_back(cluster: &Cluster) {
    let space = cluster.space("targets");
    let before = create(&space, &graph("graph"));
    assert_eq!(calls(&space, "graph"), [false]);
    space
        .kubectl(&["annotate", "sdep/graph", "tracing=true"])
        .ok();
    let traced = space.get("graph");
    let predictor = &traced["spec"]["predictors"][0];
    let containers = &predictor["componentSpecs"][0]["spec"]["containers"];
    let [features, cache, stub] = [0, 1, 2].map(|at| &containers[at]);
    assert_eq!(
        names(features),
        [&["LEVEL"], &FIVE[..]].concat(),
        "the user's stay"
    );
    let before_containers =
        &before["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"];
    assert_eq!(cache, &before_containers[1], "it is excluded");
    // The prepackaged server.
    assert_eq!(stub["name"], "popular");
    assert_eq!(names(stub), FIVE);
    assert_eq!(stub["image"], Value::Null, "Seldon gives it its image");
    assert_eq!(containers.as_array().unwrap().len(), 3);
    let orchestrator = &predictor["svcOrchSpec"];
    let named = [&["SELDON_LOG_LEVEL"], &FIVE[..], &["JAEGER_SERVICE_NAME"]].concat();
    assert_eq!(names(orchestrator), named);
    let service = format!("{}/graph", space.name);
    assert_eq!(
        value(orchestrator, "JAEGER_SERVICE_NAME"),
        Some(service.as_str())
    );
    assert_eq!(names(&predictor["explainer"]["containerSpec"]), FIVE);

    gives_back(&space, "graph", &before);
}

fn what_the_user_left_empty_is_empty_again(cluster: &Cluster) {
    let space = cluster.space("empty");
    let mut bare = untraced("bare");
    bare["spec"]["predictors"][0] = json!({
        "name": "default",
        "graph": {"name": "iris", "implementation": "SKLEARN_SERVER", "modelUri": "s3://models/iris"},
    });
    let mut hollow = untraced("hollow");
    hollow["metadata"]["annotations"] = json!({});
    hollow["spec"]["predictors"][0]["svcOrchSpec"] = json!({"env": []});
    hollow["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"] =
        json!([]);
    for (name, manifest) in [("bare", bare), ("hollow", hollow)] {
        let before = create(&space, &manifest);
        space
            .kubectl(&["annotate", &format!("sdep/{name}"), "tracing=true"])
            .ok();
        let traced = space.get(name);
        assert!(is_traced(&traced), "{traced}");
        gives_back(&space, name, &before);
    }
}

/// Turns tracing off in both ways, each of which must give the model back as it was.
#[track_caller]
fn gives_back(space: &Space<'_>, name: &str, before: &Value) {
    let annotate = |value: Value| {
        let patch = json!({"metadata": {"annotations": {"tracing": value}}});
        essence(&merge(space, name, &patch))
    };
    let mut expected = essence(before);
    assert_eq!(annotate(Value::Null), expected, "opted out");
    annotate(json!("true"));
    expected["metadata"]["annotations"]["tracing"] = json!("false");
    assert_eq!(annotate(json!("false")), expected, "opted out");
}

fn a_namespace_can_make_tracing_the_default(cluster: &Cluster) {
    let space = cluster.default_on_space("default");
    let without_us = without_us(&space, &untraced("model"));
    let traced = space.create(&untraced("model"));
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(written(&traced).generation, 1);
    let annotations = traced["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(annotations.keys().collect::<Vec<_>>(), [RECORD]);
    let labelled = merge(
        &space,
        "model",
        &json!({"metadata": {"labels": {"a": "b"}}}),
    );
    assert_eq!(written(&labelled).generation, 1, "idempotent");

    let annotate = |annotation: &str| {
        space
            .kubectl(&["annotate", "--overwrite", "sdep/model", annotation])
            .ok();
        essence(&space.get("model"))
    };
    let mut expected = without_us;
    expected["metadata"]["labels"] = json!({"a": "b"});
    expected["metadata"]["annotations"] = json!({"tracing": "false"});
    assert_eq!(annotate("tracing=false"), expected, "opted out");
    assert!(is_traced(&annotate("tracing-")));

    // Who says no from the beginning does not depend on us.
    let mut out = untraced("out");
    out["metadata"]["annotations"] = json!({"tracing": "false"});
    create(&space, &out);
    merge(&space, "out", &json!({"metadata": {"labels": {"a": "b"}}}));
    assert_eq!(calls(&space, "out"), [false, false]);
    // First is the dry run, which says no.
    assert_eq!(calls(&space, "model"), [false, true, true, true, true]);
}

fn a_namespaces_label_acts_at_the_next_update_of_a_model(cluster: &Cluster) {
    let space = cluster.space("label");
    let before = create(&space, &untraced("model"));
    let orphan = create(&space, &untraced("orphan"));
    let own = create(&space, &model("own"));
    let label = |label: &str| {
        cluster
            .kubectl(&["label", "namespace", &space.name, label])
            .ok();
        let on = !label.ends_with('-');
        // The API server hears of it a moment later.
        until("the label is seen", || {
            is_traced(&created_dry(&space, &untraced("probe"))) == on
        });
    };
    let touch = |name: &str, value: &str| {
        merge(
            &space,
            name,
            &json!({"metadata": {"labels": {"touched": value}}}),
        )
    };

    label("tracing=enabled");
    assert_eq!(
        written(&space.get("model")),
        written(&before),
        "not by itself"
    );
    let traced = touch("model", "once");
    assert!(is_traced(&traced), "{traced}");
    assert_eq!(written(&traced).generation, 2);
    assert!(is_traced(&touch("orphan", "once")));

    label("tracing-");
    assert_eq!(
        written(&space.get("model")),
        written(&traced),
        "not by itself"
    );
    let mut expected = essence(&before);
    expected["metadata"]["labels"] = json!({"touched": "twice"});
    let after = touch("model", "twice");
    assert_eq!(essence(&after), expected, "opted out");
    // It is not ours any more, and the webhook hears nothing of it.
    space.wait_for_cache("model");
    touch("model", "thrice");
    assert_eq!(calls(&space, "model"), [false, true, true, false]);

    // That update may be one that throws away the record: what was recorded before is taken out all the same.
    let patch = json!({"metadata": {"labels": null, "annotations": {RECORD: null}}});
    let after = merge(&space, "orphan", &patch);
    assert_eq!(essence(&after), essence(&orphan), "opted out");

    // A model that asks for itself notices nothing of either change.
    let touched = touch("own", "once");
    assert_eq!(written(&touched).generation, 1);
    assert_eq!(touched["spec"], own["spec"]);
}

fn what_never_asked_never_reaches_the_webhook(cluster: &Cluster) {
    let space = cluster.space("quiet");
    let mut quiet = untraced("quiet");
    quiet["spec"]["replicas"] = json!(1);
    let apply = |manifest: &Value| {
        space
            .kubectl_with(&manifest.to_string(), &["apply", "-f", "-"])
            .ok();
    };
    apply(&quiet);
    space.kubectl(&["label", "sdep/quiet", "team=shop"]).ok();
    space
        .kubectl(&["annotate", "sdep/quiet", "owner=shop"])
        .ok();
    space.kubectl(&["scale", "sdep/quiet", "--replicas=3"]).ok();
    quiet["spec"]["predictors"][0]["replicas"] = json!(2);
    apply(&quiet);
    assert_eq!(calls(&space, "quiet"), [false; 5]);

    // What asks is in the same logs.
    create(&space, &model("loud"));
    assert_eq!(calls(&space, "loud"), [true]);
    until("it is logged", || !logged(&space, "loud").is_empty());
    assert_eq!(logged(&space, "loud")[0]["outcome"], "injected");
    assert_eq!(logged(&space, "quiet"), Vec::<Value>::new());
}
