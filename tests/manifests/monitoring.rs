//! Alerts, runbooks and the dashboard: what one of them names, the others have. promtool and Prometheus run the rules in `tests/tools` and
//! `tests/cluster`.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};

use crate::files::{documents, kustomization, objects, text, walk};

const FOLDER: &str = "monitoring";

fn object(kind: &str) -> Value {
    let mut found = objects(FOLDER);
    found.retain(|object| object["kind"] == kind);
    assert_eq!(found.len(), 1, "objects of kind {kind}");
    found.remove(0)
}

fn alerts() -> Vec<Value> {
    let rules = object("PrometheusRule");
    let groups = rules["spec"]["groups"].as_array().unwrap().clone();
    let rules = groups.iter().map(|it| it["rules"].as_array().unwrap());
    rules.flatten().cloned().collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&text("manifests/monitoring/dashboard.json")).unwrap()
}

#[test]
fn each_alert_has_its_runbook_and_each_runbook_its_alert() {
    let page = text("docs/runbooks.md");
    let sections: Vec<_> = page.split("\n## ").skip(1).collect();
    let headings: Vec<_> = sections
        .iter()
        .map(|it| it.lines().next().unwrap())
        .collect();
    let alerts = alerts();
    let names: Vec<_> = alerts
        .iter()
        .map(|it| it["alert"].as_str().unwrap())
        .collect();
    assert_eq!(headings, names, "in the same order");
    for section in sections {
        assert!(section.split("\n\n").count() >= 3, "{section}");
    }
    for (alert, name) in alerts.iter().zip(names) {
        let url = alert["annotations"]["runbook_url"].as_str().unwrap();
        let anchor = format!("/docs/runbooks.md#{}", name.to_lowercase());
        assert!(
            url.starts_with("https://") && url.ends_with(&anchor),
            "{url}"
        );
        for annotation in ["summary", "description"] {
            let said = alert["annotations"][annotation].as_str().unwrap();
            assert!(said.ends_with('.'), "{name}: {said}");
        }
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(["critical", "warning"].contains(&severity), "{name}");
    }
}

/// `tests/cluster` holds that those metrics are in the output of real processes.
#[test]
fn every_metric_of_an_alert_is_in_a_panel() {
    let rules: String = alerts()
        .iter()
        .map(|it| it["expr"].as_str().unwrap().to_owned() + "\n")
        .collect();
    let mut panels = String::new();
    walk(&dashboard(), &mut |key, value| {
        if key == "expr" {
            panels += value.as_str().unwrap();
            panels.push('\n');
        }
    });
    let (alerts, panels) = (metrics(&rules), metrics(&panels));
    assert!(alerts.len() > 10, "{alerts:?}");
    let missing: Vec<_> = alerts.difference(&panels).copied().collect();
    assert_eq!(missing, [""; 0]);
}

/// The names of metrics in expressions.
fn metrics(expressions: &str) -> BTreeSet<&str> {
    let words = expressions.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words
        .filter(|word| word.starts_with("seldon_tracing_") || word.starts_with("apiserver_"))
        .collect()
}

#[test]
fn panels_fill_the_grid_and_take_the_chosen_data_source() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "ids are unique");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{panel} lies on another");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        let chosen = json!({"type": "prometheus", "uid": "${datasource}"});
        assert_eq!(panel["datasource"], chosen);
        assert!(panel["description"].as_str().unwrap().ends_with('.'));
        assert!(!panel["targets"].as_array().unwrap().is_empty());
    }
    assert_eq!(dashboard["templating"]["list"][0]["name"], "datasource");
}

#[test]
fn the_service_of_metrics_selects_both_pods_by_their_admin_port() {
    let service: Service = serde_json::from_value(object("Service")).unwrap();
    let spec = service.spec.unwrap();
    let selector = spec.selector.unwrap();
    let port = &spec.ports.unwrap()[0];
    for folder in ["base", "controller"] {
        let mut found = objects(folder);
        found.retain(|it| it["kind"] == "Deployment");
        let deployment: Deployment = serde_json::from_value(found.remove(0)).unwrap();
        let pod = deployment.spec.unwrap().template;
        let labels = pod.metadata.unwrap().labels.unwrap();
        for (key, value) in &selector {
            assert_eq!(labels.get(key), Some(value), "{folder}");
        }
        let container = &pod.spec.unwrap().containers[0];
        let ports = container.ports.as_ref().unwrap();
        let mut ports = ports
            .iter()
            .filter(|it| it.name.as_deref() == Some("admin"));
        assert_eq!(ports.next().unwrap().container_port, port.port);
    }
    let monitor = object("ServiceMonitor");
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], json!(port.name));
    let labels = json!(service.metadata.labels);
    assert_eq!(monitor["spec"]["selector"]["matchLabels"], labels);
}

/// The chart takes these files as they are.
#[test]
fn kustomize_adds_nothing_to_rules_and_dashboard_but_labels_and_the_config_map() {
    let kustomization = kustomization(FOLDER);
    let keys: Vec<_> = kustomization.as_object().unwrap().keys().collect();
    let known = [
        "apiVersion",
        "kind",
        "resources",
        "configMapGenerator",
        "labels",
    ];
    assert_eq!(keys, known);
    let files = &kustomization["configMapGenerator"][0]["files"];
    assert_eq!(files, &json!(["seldon-tracing.json=dashboard.json"]));
    let rules = documents(&text("manifests/monitoring/rules.yaml"));
    assert_eq!(rules.len(), 1);
}
