//! What becomes of people's writes while no webhook is there, and afterwards.

use serde_json::{Value, json};

use crate::models::{container, is_traced, model, untraced, value, written};
use crate::rig::kubectl::finish;
use crate::rig::lone_webhook::LoneWebhook;
use crate::rig::registration::{is_called, register_named, until_in_force};
use crate::rig::{Cluster, metrics};
use crate::support::load::process;
use crate::writes::{apply, create, failed_open, quietly, record, server_side};

tests![
    a_webhook_that_is_down_with_ignore_lets_models_pass_and_the_next_write_traces_them,
    a_webhook_that_is_down_with_fail_stops_only_what_asks_for_tracing_and_can_be_removed_at_once,
];

fn fail_open_count(cluster: &Cluster, webhook: &str) -> f64 {
    let label = format!("name=\"{webhook}\"");
    metrics::sum(
        cluster,
        "apiserver_admission_webhook_fail_open_count",
        &[&label],
    )
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn a_webhook_that_is_down_with_ignore_lets_models_pass_and_the_next_write_traces_them(
    cluster: &Cluster,
) {
    let name = "down.tracing.example.com";
    let space = cluster.apart("ignore");
    let mut webhook = LoneWebhook::start(cluster);
    let _registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        assert_eq!(entry["failurePolicy"], "Ignore");
    });
    until_in_force(&space, "the webhook is called", is_called);
    quietly(apply(
        &space,
        &[model("before"), model("leaving"), untraced("never")],
    ));
    quietly(server_side(&space, &model("gitops")));
    let gitops = space.get("gitops");
    let [before, leaving] = ["before", "leaving"].map(|name| space.get(name));
    assert!(is_traced(&before) && is_traced(&leaving), "{before}");

    webhook.go_down();
    // New models.
    let new = ["annotated", "labelled", "applied"].map(model);
    quietly(apply(&space, &new));
    quietly(server_side(&space, &model("synced")));
    for name_of_model in ["annotated", "labelled", "applied", "synced"] {
        let stored = space.get(name_of_model);
        assert_eq!(stored["spec"], model(name_of_model)["spec"]);
        assert_eq!(failed_open(&space, name_of_model), [name]);
    }
    assert!((fail_open_count(cluster, name) - 4.0).abs() < 0.5);
    // One that nobody asked to trace is not affected, and not counted.
    quietly(space.kubectl(&["annotate", "sdep/never", "note=1"]));
    assert_eq!(failed_open(&space, "never"), [""; 0]);
    // Writes to the metadata of a traced one do it no harm.
    quietly(space.kubectl(&["annotate", "sdep/before", "note=1"]));
    assert_eq!(space.get("before")["spec"], before["spec"]);
    // Nor does opting out now, which comes true later.
    quietly(space.kubectl(&["annotate", "sdep/leaving", "tracing-"]));
    assert_eq!(space.get("leaving")["spec"], leaving["spec"]);

    // The same manifest applied again has no variables in it, and nobody puts them back: pods restart.
    quietly(apply(&space, &[model("before")]));
    quietly(server_side(&space, &model("gitops")));
    for traced in [&before, &gitops] {
        let name_of_model = traced["metadata"]["name"].as_str().unwrap();
        let lost = space.get(name_of_model);
        assert_eq!(lost["spec"], model(name_of_model)["spec"]);
        assert_eq!(written(&lost).generation, 2);
        // It stays, because it is in no manifest.
        assert_eq!(record(&lost), record(traced));
    }

    // With other defaults, as after an upgrade.
    webhook.come_back("{defaults: {agentPort: 6831}}");
    until_in_force(&space, "the webhook is called again", is_called);
    // Nothing happens by itself. Nor does it by client-side apply: what is stored is what is in the manifest, so kubectl sends nothing.
    let again = apply(&space, &[model("applied"), model("before")]).ok();
    assert_eq!(again.matches(" unchanged").count(), 2, "{again}");
    assert!(!is_traced(&space.get("applied")) && !is_traced(&space.get("before")));
    // Every write does it.
    quietly(space.kubectl(&["annotate", "sdep/annotated", "sdep/applied", "note=1"]));
    quietly(space.kubectl(&[
        "label",
        "sdep/labelled",
        "sdep/before",
        "sdep/leaving",
        "team=a",
    ]));
    quietly(server_side(&space, &model("synced")));
    for name_of_model in ["annotated", "labelled", "applied", "synced"] {
        let stored = space.get(name_of_model);
        assert!(is_traced(&stored), "{stored}");
        let port = value(container(&stored), "JAEGER_AGENT_PORT");
        assert_eq!(port, Some("6831"), "{stored}");
        assert_eq!(written(&stored).generation, 2);
    }
    // What was lost comes back as it was, and not as it would be now.
    quietly(server_side(&space, &model("gitops")));
    for traced in [&before, &gitops] {
        let restored = space.get(traced["metadata"]["name"].as_str().unwrap());
        assert_eq!(restored["spec"], traced["spec"], "sticky");
        assert_eq!(record(&restored), record(traced), "sticky");
        assert_eq!(written(&restored).generation, 3);
    }
    let left = space.get("leaving");
    assert_eq!(left["spec"], untraced("leaving")["spec"], "opted out");
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn a_webhook_that_is_down_with_fail_stops_only_what_asks_for_tracing_and_can_be_removed_at_once(
    cluster: &Cluster,
) {
    let name = "required.tracing.example.com";
    let space = cluster.apart("fail");
    let mut webhook = LoneWebhook::start(cluster);
    let registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        entry["failurePolicy"] = json!("Fail");
    });
    until_in_force(&space, "the webhook is called", is_called);
    quietly(apply(
        &space,
        &[
            model("json"),
            model("yaml"),
            model("doomed"),
            untraced("plain"),
        ],
    ));
    let before = space.get("json");
    webhook.go_down();
    let is_refused = |outcome: &Result<Value, String>| {
        outcome
            .as_ref()
            .is_err_and(|why| why.contains("connection refused"))
    };
    until_in_force(&space, "the webhook is down", is_refused);

    for refused in [
        create(&space, &model("new")),
        space.kubectl(&["annotate", "sdep/json", "note=1"]),
        space.kubectl(&["annotate", "sdep/plain", "tracing=true"]),
    ] {
        let why = refused.refused();
        assert!(
            why.contains(&format!("failed calling webhook \"{name}\"")),
            "{why}"
        );
        assert!(why.contains("connection refused"), "{why}");
    }
    // matchConditions keep us away from who does not ask.
    quietly(create(&space, &untraced("new")));
    quietly(space.kubectl(&["annotate", "sdep/plain", "note=1"]));
    quietly(space.kubectl(&["delete", "sdep/doomed"]));
    let restart = space
        .kubectl(&["rollout", "restart", "sdep/json"])
        .refused();
    assert!(!restart.contains(name), "{restart}");

    // The way out does not go through us.
    let kind = "mutatingwebhookconfiguration";
    quietly(cluster.kubectl(&["delete", kind, &registration.name]));
    until_in_force(&space, "models can be written", Result::is_ok);
    quietly(space.kubectl(&["annotate", "sdep/json", "note=1"]));
    quietly(create(&space, &model("newer")));
    assert!(!is_traced(&space.get("newer")));
    // What was traced stays so, and is cleaned offline.
    assert_eq!(space.get("json")["spec"], before["spec"]);
    for format in ["json", "yaml"] {
        let resource = format!("sdep/{format}");
        let printed = space.kubectl(&["get", &resource, "-o", format]).ok();
        let mut uninject = process::binary(cluster.plane().file("").as_path());
        uninject.arg("uninject");
        let clean = finish(uninject, &printed).ok();
        quietly(space.kubectl_with(&clean, &["replace", "-f", "-"]));
        let stored = space.get(format);
        assert_eq!(stored["spec"], model(format)["spec"], "opted out");
        let annotations = &stored["metadata"]["annotations"];
        assert_eq!(record(&stored), &json!(null));
        assert_eq!(annotations["tracing"], "true", "what the user wrote stays");
    }
}
