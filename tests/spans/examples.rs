//! The manifests in `examples/` that no other test takes, and the list of those that one does.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use walkdir::WalkDir;

use crate::models::{Component, component, example, examples, model, predictor};
use crate::rig::Rig;
use crate::rig::kubelet::environment;
use crate::support::fixtures::root;

tests![
    every_example_is_tried_with_spans_but_the_one_for_which_there_is_no_server_here,
    an_explainer_in_a_container_of_its_own_is_traced,
    what_was_traced_by_hand_is_traced_as_the_hand_says,
    the_example_with_a_rendered_sampler_reports_a_part_of_its_requests,
];

fn every_example_is_tried_with_spans_but_the_one_for_which_there_is_no_server_here(_: &Rig) {
    let files = |folder: &str| -> Vec<_> {
        let files = WalkDir::new(root().join(folder)).into_iter();
        let files = files.map(|entry| entry.unwrap().into_path());
        files.filter(|path| path.is_file()).collect()
    };
    let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let sources = files("tests/spans").into_iter();
    let sources = sources.filter(|it| it.extension().is_some_and(|it| it == "rs"));
    let sources: String = sources.map(|it| text(&it)).collect();
    let folder = root().join("examples");
    let untried: BTreeSet<String> = files("examples")
        .iter()
        .filter(|path| text(path).contains("kind: SeldonDeployment"))
        .map(|path| path.strip_prefix(&folder).unwrap().display().to_string())
        .filter(|name| {
            let one = format!("example(\"{name}\")");
            !sources.contains(&one) && !sources.contains(&one.replacen('(', "s(", 1))
        })
        .collect();
    // MLServer is too large to be installed for tests.
    assert_eq!(untried, BTreeSet::from(["mlserver.yaml".to_owned()]));
}

fn an_explainer_in_a_container_of_its_own_is_traced(rig: &Rig) {
    let stored = rig.webhook.create(&example("explainer.yaml")).object;
    let place = Component {
        pod: &Value::Null,
        container: &predictor(&stored, "default")["explainer"]["containerSpec"],
    };
    assert_eq!(place.container["name"], "income-explainer");
    let mut explainer = rig.run_on(rig.node, &[], place, "IncomeExplainer");
    let mut income = rig.run(&stored, "income-model", "IncomeModel");
    explainer.predict(2);
    income.predict(1);
    rig.spans("IncomeExplainer", 2);
    rig.spans("IncomeModel", 1);
}

fn what_was_traced_by_hand_is_traced_as_the_hand_says(rig: &Rig) {
    let stored = rig.webhook.create(&example("traced-by-hand.yaml")).object;
    let env = &component(&stored, "fraud-model").container["env"];
    let mut environment = environment(env, rig.node);
    // The part of the cluster's DNS.
    let host = environment.get_mut("JAEGER_AGENT_HOST").unwrap();
    assert_eq!(host, "jaeger-agent.observability");
    *host = rig.agent_node.0.to_string();
    assert_eq!(environment["JAEGER_AGENT_PORT"], "6831");
    let mut fraud = rig.run_with(&environment, "FraudModel", &rig.folder("FraudModel"));
    fraud.predict(2);
    rig.spans("FraudModel", 2);
    // One of twenty. That of 450 there are none, or a hundred, is not seen in a billion runs.
    let sampled = rig.orchestrate(&stored, "default", 450, &[]).len();
    assert!((1..100).contains(&sampled), "{sampled}");
}

fn the_example_with_a_rendered_sampler_reports_a_part_of_its_requests(rig: &Rig) {
    let documents = examples("python-sampler.yaml");
    let stored = rig.webhook.create(model(&documents)).object;
    let place = component(&stored, "quote-model");
    let mut quotes = rig.run_on(rig.node, &documents, place, "QuoteModel");
    // One of ten: none, or a hundred, is not seen in a billion runs.
    quotes.predict(207);
    rig.settle();
    let reported = rig.arrived("QuoteModel").len();
    assert!((1..100).contains(&reported), "{reported}");
}
