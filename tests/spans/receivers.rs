//! Receivers and their ports: rows of `docs/receivers.md` that are run.

use crate::models::{annotate, component, example};
use crate::rig::node::Node;
use crate::rig::servers::Collector;
use crate::rig::{Rig, until};

tests![
    the_collector_receives_on_5775_and_on_6831_and_counts_what_came,
    the_collector_receives_otlp_too_as_mlserver_sends_it,
    an_old_jaeger_agent_receives_on_5775_and_on_6831,
    an_old_jaeger_agent_tells_a_remote_sampler_what_to_sample,
];

fn the_collector_receives_on_5775_and_on_6831_and_counts_what_came(rig: &Rig) {
    for (port, receiver, class) in [
        (None, "jaeger/5775", "Port5775"),
        (Some("6831"), "jaeger", "Port6831"),
    ] {
        let mut manifest = example("own-container.yaml");
        if let Some(port) = port {
            annotate(&mut manifest, "tracing.seldon.io/agent-port", port);
        }
        let stored = rig.webhook.create(&manifest).object;
        let counted = || rig.collector.accepted(receiver);
        let before = counted();
        let mut model = rig.run(&stored, "churn-model", class);
        model.predict(2);
        rig.spans(class, 2);
        // The counters that docs/trace-a-model.md says to look at. Other tests may send to the same port meanwhile.
        until(&format!("{receiver} has counted"), || {
            counted() >= before + 2
        });
        for kind in ["refused", "failed"] {
            let name = format!("otelcol_receiver_{kind}_spans");
            let lost = rig.collector.counter(&name, "receiver", receiver);
            assert_eq!(lost, Some(0), "{name}");
        }
    }
    let exporter = |counter: &str| {
        let counter = format!("otelcol_exporter_{counter}");
        let count = rig.collector.counter(&counter, "exporter", "otlp_grpc");
        count.unwrap_or_else(|| panic!("there is no {counter}"))
    };
    assert!(exporter("sent_spans") >= 4);
    assert!(exporter("queue_size") < 100);
}

/// `MLServer` is large; another collector sends OTLP too.
fn the_collector_receives_otlp_too_as_mlserver_sends_it(rig: &Rig) {
    let node = Node::new(2);
    let folder = rig.folder("otlp");
    let sender = Collector::start(rig.parts(), &folder, node, rig.collector.otlp());
    let counted = || rig.collector.accepted("otlp");
    let before = counted();
    let stored = rig.webhook.create(&example("own-container.yaml")).object;
    let place = component(&stored, "churn-model");
    let mut model = rig.run_on(node, &[], place, "ByOtlp");
    model.predict(2);
    rig.spans("ByOtlp", 2);
    until("they are counted", || counted() == before + 2);
    drop(sender);
}

fn an_old_jaeger_agent_receives_on_5775_and_on_6831(rig: &Rig) {
    for (port, class) in [("5775", "Agent5775"), ("6831", "Agent6831")] {
        let mut manifest = example("own-container.yaml");
        annotate(&mut manifest, "tracing.seldon.io/agent-port", port);
        let stored = rig.webhook.create(&manifest).object;
        let place = component(&stored, "churn-model");
        let mut model = rig.run_on(rig.agent_node, &[], place, class);
        model.predict(2);
        rig.spans(class, 2);
    }
}

fn an_old_jaeger_agent_tells_a_remote_sampler_what_to_sample(rig: &Rig) {
    let mut manifest = example("own-container.yaml");
    annotate(&mut manifest, "tracing.seldon.io/sampler-type", "remote");
    annotate(&mut manifest, "tracing.seldon.io/sampler-param", "0");
    annotate(
        &mut manifest,
        "tracing.seldon.io/service-name",
        "remote-sampler",
    );
    // A minute is what it takes otherwise.
    manifest["spec"]["predictors"][0]["svcOrchSpec"] =
        serde_json::json!({"env": [{"name": "JAEGER_SAMPLER_REFRESH_INTERVAL", "value": "50ms"}]});
    let stored = rig.webhook.create(&manifest).object;
    let place = component(&stored, "churn-model");
    let mut model = rig.run_on(rig.agent_node, &[], place, "RemotelySampled");
    model.predict(1);
    rig.spans("RemotelySampled", 1);
    // Until the agent has been asked nothing is sampled; it says that all is to be.
    until("a request is sampled", || {
        rig.orchestrate_on(rig.agent_node, &stored, "default", 50, &[&model]);
        !rig.arrived("remote-sampler").is_empty()
    });
    let spans = rig.arrived("remote-sampler");
    let kind = spans.iter().find_map(|span| span.tag("sampler.type"));
    assert_eq!(kind, Some("probabilistic"), "{:?}", spans[0]);
}
