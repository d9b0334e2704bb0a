//! What a real Prometheus makes of us: it reads the webhook, the controller and the API server, and evaluates the rules and the panels of
//! `manifests/monitoring`.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::controller::Controller;
use crate::models::{is_traced, model};
use crate::rig::installation::{NAME, overlay};
use crate::rig::prometheus::{Prometheus, definitions, promtool};
use crate::rig::shell::blocks;
use crate::rig::{Cluster, until};
use crate::support::fixtures::documents;
use crate::support::load;
use crate::writes::{apply, create, quietly};

tests![
    the_folder_is_installed_by_its_command,
    alerts_are_silent_in_health_and_tell_of_an_outage,
];

/// The webhook and the certificates are watched, and models are repaired at once.
const FLAGS: [&str; 2] = ["--repair-grace=1s", "--repairs-per-minute=1000"];

fn file(name: &str) -> String {
    fs::read_to_string(overlay(&format!("monitoring/{name}"))).unwrap()
}

/// The rules, for a Prometheus that has seconds where others have minutes.
fn rules() -> String {
    let text = file("rules.yaml")
        .replace("[5m]", "[10s]")
        .replace("[10m]", "[10s]")
        .replace("offset 10m", "offset 10s");
    let mut rules = documents(&text).remove(0)["spec"].clone();
    for group in rules["groups"].as_array_mut().unwrap() {
        for rule in group["rules"].as_array_mut().unwrap() {
            if !rule["for"].is_null() {
                rule["for"] = json!("1s");
            }
        }
    }
    rules.to_string()
}

/// The expressions of all panels, for the same Prometheus.
fn panels() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|it| it["targets"].as_array().into_iter().flatten());
    targets
        .map(|it| {
            it["expr"]
                .as_str()
                .unwrap()
                .replace("$__rate_interval", "10s")
        })
        .collect()
}

/// The names of metrics in a text.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words
        .filter(|word| word.starts_with("seldon_tracing_") || word.starts_with("apiserver_"))
        .collect()
}

fn the_folder_is_installed_by_its_command(cluster: &Cluster) {
    let definitions = definitions();
    cluster.kubectl(&["create", "-f", &definitions]).ok();
    for resource in ["prometheusrules", "servicemonitors"] {
        until("the operator's resources are served", || {
            let list = ["get", resource, "--all-namespaces"];
            cluster.kubectl(&list).code == Some(0)
        });
    }
    for block in blocks("docs/operate.md", "## Metrics and alerts") {
        let applied = cluster.installation().shell.run(&block);
        assert_eq!(applied.warnings(), [""; 0]);
        assert_eq!(applied.ok().lines().count(), 4);
    }
    let folder = overlay("monitoring");
    let again = cluster.kubectl(&["apply", "--server-side", "--validate=strict", "-k", &folder]);
    again.ok();
    let maps = "configmaps,services,servicemonitors,prometheusrules";
    let of_us = "--selector=app.kubernetes.io/part-of=seldon-tracing";
    let list = ["get", maps, of_us, "--all-namespaces", "-o", "name"];
    let listed = cluster.kubectl(&list).ok();
    for name in [
        "configmap/seldon-tracing-dashboard",
        "service/seldon-tracing-metrics",
        "servicemonitor.monitoring.coreos.com/seldon-tracing",
        "prometheusrule.monitoring.coreos.com/seldon-tracing",
    ] {
        assert!(listed.lines().any(|it| it == name), "{name}: {listed}");
    }
    cluster.kubectl(&["delete", "-k", &folder]).ok();
    cluster.kubectl(&["delete", "-f", &definitions]).ok();
}

/// What becomes of a write that the webhook is not there for.
fn set_failure_policy(cluster: &Cluster, policy: &str) {
    let operation = |at| json!({"op": "replace", "path": format!("/webhooks/{at}/failurePolicy"), "value": policy});
    let patch = json!([operation(0), operation(1)]).to_string();
    let at = ["patch", "mutatingwebhookconfiguration", NAME];
    let patch = ["--type=json", "--patch", &patch];
    cluster.kubectl(&[&at[..], &patch].concat()).ok();
}

#[expect(clippy::too_many_lines, reason = "one scenario")]
fn alerts_are_silent_in_health_and_tell_of_an_outage(cluster: &Cluster) {
    let webhook = cluster.installation().webhook();
    let controller = Controller::start(cluster, &FLAGS);
    let prometheus = Prometheus::start(cluster.plane(), &rules(), controller.process.admin);
    prometheus.webhook_is_at(webhook.admin());
    let space = cluster.space("watched");
    quietly(apply(&space, &[model("first"), model("second")]));

    let begun = Instant::now();
    // People go on writing, whatever happens.
    let mut number = 0;
    let mut write = || {
        number += 1;
        let note = format!("note={number}");
        space.kubectl(&["annotate", "--overwrite", "sdep/first", &note])
    };
    until("all is well for ten seconds", || {
        write().ok();
        let seen = "min(min_over_time(up[10s])) == 1 and min(count_over_time(up[20s])) > 6";
        !prometheus.query(seen).is_empty()
            && prometheus
                .query(r#"max_over_time(ALERTS{alertstate="firing"}[8s])"#)
                .is_empty()
    });
    // That says something only if alerts can be seen.
    assert!(
        !prometheus
            .query("seldon_tracing_requests_in_flight")
            .is_empty()
    );
    for address in [webhook.admin(), controller.process.admin] {
        let (_, page) = cluster.block_on(load::get(address, "/metrics"));
        let checked = promtool(&["check", "metrics"], &page);
        assert_eq!(
            (checked.code, checked.stderr.as_str()),
            (Some(0), ""),
            "{checked:?}"
        );
        assert!(page.contains("seldon_tracing_build_info"), "{page}");
    }

    webhook.go_down();
    quietly(create(&space, &model("missed")));
    let fires = |names: &[&str]| {
        let firing = prometheus.firing();
        let names = names.iter().map(|name| format!("SeldonTracing{name}"));
        firing == names.collect()
    };
    until("the outage is noticed", || {
        write().ok();
        fires(&["FailedOpen", "ModelsUntraced", "WebhookDown"])
    });
    set_failure_policy(cluster, "Fail");
    until("writes are refused, and that is noticed", || {
        write().code != Some(0) && prometheus.firing().contains("SeldonTracingWritesRefused")
    });
    set_failure_policy(cluster, "Ignore");

    // Every metric of a rule or a panel is one that somebody has.
    let panels = panels();
    let text = rules() + &panels.join("\n");
    let metrics = metrics(&text);
    assert!(metrics.len() > 20, "{metrics:?}");
    let absent = |name: &&str| {
        let expression = format!("count(last_over_time({name}[10m]))");
        prometheus.query(&expression).is_empty()
    };
    let absent: Vec<_> = metrics.into_iter().filter(absent).collect();
    assert_eq!(absent, [""; 0]);
    cluster.block_on(webhook.go_up());
    prometheus.webhook_is_at(webhook.admin());
    until("the outage is over", || {
        write().ok();
        is_traced(&space.get("missed")) && fires(&[])
    });
    // What is not a number is no data.
    let has_shown = |panel: &&String| {
        let shown = format!("max_over_time(({panel})[10m:1s]) > -Inf");
        !prometheus.query(&shown).is_empty()
    };
    let (shown, empty): (Vec<_>, Vec<_>) = panels.iter().partition(has_shown);
    assert!(shown.len() > 20);
    assert_eq!(empty, [""; 0]);
    prometheus.draw(begun);
}
