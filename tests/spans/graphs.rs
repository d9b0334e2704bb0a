//! A graph: the orchestrator begins the trace, and its models are parts of it.

use crate::models::{annotate, example};
use crate::rig::Rig;

tests![
    the_models_of_a_graph_are_spans_of_one_trace_and_bear_the_tags_of_the_annotation,
    a_model_that_is_called_by_grpc_joins_the_trace_that_it_is_called_in,
    a_chain_of_models_is_one_trace_by_grpc_too,
];

fn the_models_of_a_graph_are_spans_of_one_trace_and_bear_the_tags_of_the_annotation(rig: &Rig) {
    let mut manifest = example("graph-with-transformer.yaml");
    // All of it, and not a tenth as in the example.
    annotate(&mut manifest, "tracing.seldon.io/sampler-type", "const");
    annotate(&mut manifest, "tracing.seldon.io/sampler-param", "1");
    let stored = rig.webhook.create(&manifest).object;
    let mut models = [
        rig.run(&stored, "features", "GraphFeatures"),
        rig.run(&stored, "ranker", "GraphRanker"),
        // Its container is the stub that we add.
        rig.run(&stored, "popular", "GraphPopular"),
    ];
    let mut excluded = rig.run(&stored, "feature-cache", "GraphCache");
    for model in &mut models {
        // The orchestrator does not wait until they are up.
        model.predict(1);
    }
    excluded.predict(2);
    let models: Vec<_> = models.iter().collect();
    let ids = rig.orchestrate(&stored, "default", 2, &models);
    assert_eq!(ids.len(), 2);
    for id in &ids {
        let trace = rig.trace(id, 7);
        assert_eq!(trace.len(), 7, "{trace:?}");
        let root = trace.iter().find(|span| span.parent.is_none()).unwrap();
        assert_eq!(root.service, "executor");
        for service in ["GraphFeatures", "GraphRanker", "GraphPopular"] {
            let span = trace.iter().find(|span| span.service == service).unwrap();
            let call = trace.iter().find(|it| Some(&it.id) == span.parent.as_ref());
            let call = call.unwrap_or_else(|| panic!("nobody called {service}: {trace:?}"));
            assert_eq!(call.parent.as_ref(), Some(&root.id));
        }
        for span in &trace {
            let tags = (span.process_tag("team"), span.process_tag("model"));
            assert_eq!(tags, (Some("shop"), Some("recommend")), "{span:?}");
        }
    }
    rig.settle();
    rig.spans("GraphCache", 0);
    for service in ["GraphFeatures", "GraphRanker", "GraphPopular"] {
        rig.spans(service, 3);
    }
}

fn a_model_that_is_called_by_grpc_joins_the_trace_that_it_is_called_in(rig: &Rig) {
    let stored = rig.webhook.create(&example("own-container.yaml")).object;
    let model = rig.run(&stored, "churn-model", "GrpcInTrace");
    // As the orchestrator sends it: trace, span, nothing, and whether it is sampled.
    model.predict_by_grpc(1, Some("5e1d0071ace00000:5e1d000000000000:0:1"));
    let span = &rig.spans("GrpcInTrace", 1)[0];
    assert_eq!(span.trace, "5e1d0071ace00000");
    assert_eq!(span.parent.as_deref(), Some("5e1d000000000000"));
    model.predict_by_grpc(2, Some("5e1d0071ace00001:5e1d000000000001:0:0"));
    rig.settle();
    rig.spans("GrpcInTrace", 1);
}

fn a_chain_of_models_is_one_trace_by_grpc_too(rig: &Rig) {
    let stored = rig.webhook.create(&example("two-models.yaml")).object;
    let mut models = [
        rig.run(&stored, "text-encoder", "ChainEncoder"),
        rig.run(&stored, "sentiment-model", "ChainSentiment"),
    ];
    for model in &mut models {
        // The orchestrator does not wait until they are up.
        model.predict(1);
    }
    let models: Vec<_> = models.iter().collect();
    let ids = rig.orchestrate_by_grpc(&stored, "default", 1, &models);
    let trace = rig.trace(&ids[0], 5);
    let root = trace.iter().find(|span| span.parent.is_none()).unwrap();
    assert_eq!(root.operation, "/seldon.protos.Seldon/Predict");
    for service in ["ChainEncoder", "ChainSentiment"] {
        let span = trace.iter().find(|span| span.service == service).unwrap();
        let call = trace.iter().find(|it| Some(&it.id) == span.parent.as_ref());
        assert_eq!(call.unwrap().parent.as_ref(), Some(&root.id), "{trace:?}");
    }
}
