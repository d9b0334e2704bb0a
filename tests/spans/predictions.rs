//! A model alone: each prediction is a span, until tracing is taken away.

use serde_json::{Value, json};

use crate::models::{component, example, predictor};
use crate::rig::Rig;

tests![
    a_model_in_a_container_of_its_own_is_traced_by_rest_and_by_grpc_until_the_annotation_goes,
    a_prepackaged_server_is_traced_by_the_stub_that_we_add,
    of_two_predictors_only_the_one_that_asks_for_it_is_traced,
    variables_of_a_person_that_refer_to_others_are_tags_as_the_kubelet_writes_them,
    what_is_sent_before_the_tests_wait_for_silence_is_there_when_they_have_waited,
];

/// How Seldon's wrapper names the span of a prediction.
pub(crate) const BY_REST: &str = "Predict";
pub(crate) const BY_GRPC: &str = "/seldon.protos.Seldon/Predict";

fn a_model_in_a_container_of_its_own_is_traced_by_rest_and_by_grpc_until_the_annotation_goes(
    rig: &Rig,
) {
    let manifest = example("own-container.yaml");
    let traced = rig.webhook.create(&manifest);
    assert!(traced.warnings.is_empty(), "{:?}", traced.warnings);
    let mut model = rig.run(&traced.object, "churn-model", "OwnContainer");
    model.predict(3);
    model.predict_by_grpc(2, None);
    let spans = rig.spans("OwnContainer", 5);
    let count = |operation| spans.iter().filter(|it| it.operation == operation).count();
    assert_eq!((count(BY_REST), count(BY_GRPC)), (3, 2), "{spans:?}");
    // What docs/trace-a-model.md says to look for in the log.
    let reported = model.said().matches("Reporting span").count();
    assert_eq!(reported, 5, "{}", model.said());
    // Nobody called the model as part of a trace.
    assert!(spans.iter().all(|span| span.parent.is_none()), "{spans:?}");

    let mut without = traced.object.clone();
    let metadata = without["metadata"].as_object_mut().unwrap();
    let annotations = metadata["annotations"].as_object_mut().unwrap();
    annotations.remove("tracing").unwrap();
    let after = rig.webhook.update(&traced.object, &without).object;
    let env = |object: &Value| component(object, "churn-model").container["env"].clone();
    assert_eq!(env(&after), env(&manifest), "opted out");
    let orchestrator = |object: &Value| predictor(object, "default").get("svcOrchSpec").cloned();
    assert_eq!(orchestrator(&after), orchestrator(&manifest), "opted out");
    let mut model = rig.run(&after, "churn-model", "OwnContainerAfter");
    model.predict(3);
    model.predict_by_grpc(2, None);
    let requests = |object: &Value, model| rig.orchestrate(object, "default", 2, &[model]).len();
    assert_eq!(requests(&after, &model), 0, "the orchestrator's");
    rig.settle();
    rig.spans("OwnContainerAfter", 0);
    // They were silent for what was taken away, and for nothing else.
    assert_eq!(requests(&traced.object, &model), 2);
}

fn a_prepackaged_server_is_traced_by_the_stub_that_we_add(rig: &Rig) {
    let manifest = example("prepackaged-server.yaml");
    assert_eq!(
        manifest["spec"]["predictors"][0].get("componentSpecs"),
        None,
        "it has no container"
    );
    let traced = rig.webhook.create(&manifest).object;
    let mut server = rig.run(&traced, "classifier", "IrisServer");
    server.predict(2);
    server.predict_by_grpc(1, None);
    rig.spans("IrisServer", 3);
}

fn of_two_predictors_only_the_one_that_asks_for_it_is_traced(rig: &Rig) {
    let stored = rig.webhook.create(&example("ab-test.yaml")).object;
    let mut opted_out = rig.run(&stored, "pricing-v1", "PricingOld");
    let mut traced = rig.run(&stored, "pricing-v2", "PricingNew");
    opted_out.predict(2);
    traced.predict(2);
    // Its orchestrator is called by the name that an annotation gives it.
    let ids = rig.orchestrate(&stored, "candidate", 1, &[&traced]);
    let trace = rig.trace(&ids[0], 3);
    assert_eq!(trace[0].service, "pricing-candidate");
    rig.spans("PricingNew", 3);
    rig.settle();
    rig.spans("PricingOld", 0);
}

/// <https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>
fn variables_of_a_person_that_refer_to_others_are_tags_as_the_kubelet_writes_them(rig: &Rig) {
    let mut manifest = example("own-container.yaml");
    let tags =
        "team=$(TEAM),node=$(NODE)-$(TEAM),later=$(LATER),text=$$(TEAM),price=5$,open=$(TEAM";
    manifest["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"] = json!([
        {"name": "TEAM", "value": "shop"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        {"name": "JAEGER_TAGS", "value": tags},
        {"name": "LATER", "value": "not known before"},
    ]);
    let stored = rig.webhook.create(&manifest).object;
    let mut model = rig.run(&stored, "churn-model", "Referring");
    model.predict(1);
    let span = &rig.spans("Referring", 1)[0];
    let node = format!("{}-shop", rig.node.0);
    for (key, value) in [
        ("team", "shop"),
        ("node", node.as_str()),
        ("later", "$(LATER)"),
        ("text", "$(TEAM)"),
        ("price", "5$"),
        ("open", "$(TEAM"),
    ] {
        assert_eq!(span.process_tag(key), Some(value), "{key}: {span:?}");
    }
}

/// Without this, a test that asks for silence might only have been too early.
fn what_is_sent_before_the_tests_wait_for_silence_is_there_when_they_have_waited(rig: &Rig) {
    let stored = rig.webhook.create(&example("own-container.yaml")).object;
    let mut model = rig.run(&stored, "churn-model", "NotSilent");
    for count in [2, 4, 6] {
        model.predict(1);
        model.predict_by_grpc(1, None);
        rig.settle();
        assert_eq!(rig.arrived("NotSilent").len(), count);
    }
}
