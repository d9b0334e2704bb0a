//! Other webhooks change the same models, before ours is called and after it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::models::{RECORD, container, essence, is_traced, model, names, value, written};
use crate::rig::other_webhook::{OtherWebhook, Reply};
use crate::rig::registration::{Registration, register_as, until_in_force};
use crate::rig::{Cluster, Space, until};
use crate::support::variables::FIVE;
use crate::writes::audited;

tests![
    a_container_that_another_webhook_adds_is_traced_whoever_is_called_first,
    a_fight_over_a_variable_ends_and_the_same_write_changes_nothing,
    a_webhook_that_never_agrees_with_itself_is_called_twice_and_no_more,
    a_second_call_without_need_changes_nothing_and_the_audit_log_keeps_the_first,
    a_broken_webhook_for_other_resources_does_not_matter,
];

/// The name of the other webhook, and of ours.
const OTHER: &str = "other.example.com";
const OURS: &str = "inject.tracing.seldon.io";

/// The API server calls webhooks in the order of the names of their configurations; ours is `seldon-tracing`.
const TURNS: [(&str, &str); 2] = [("before", "a-other"), ("after", "z-other")];

/// Registers another webhook for a namespace in which ours is called too.
fn beside<'c>(
    space: &Space<'c>,
    prefix: &str,
    behaviour: impl Fn(&Value) -> Vec<Value> + Send + Sync + 'static,
) -> (OtherWebhook, Registration<'c>) {
    let reply = move |request: &Value| Reply::Patch(behaviour(&request["object"]));
    let webhook = OtherWebhook::start(space.cluster, reply);
    let name = format!("{prefix}-{}", space.name);
    let registration = register_as(&name, space, &webhook.url(), &webhook.ca, |entry| {
        entry["name"] = json!(OTHER);
        // What goes wrong in it is to be seen.
        entry["failurePolicy"] = json!("Fail");
        entry["matchConditions"] = json!([]);
        assert_eq!(entry["reinvocationPolicy"], "IfNeeded");
    });
    until_in_force(space, "the other webhook is called", |_| {
        webhook.is_called()
    });
    webhook.asked();
    (webhook, registration)
}

const CONTAINER: &str = "/spec/predictors/0/componentSpecs/0/spec/containers/0";
const CONTAINERS: &str = "/spec/predictors/0/componentSpecs/0/spec/containers";

/// Adds a container, if it is not there.
fn add_sidecar(object: &Value) -> Vec<Value> {
    let containers = object.pointer(CONTAINERS).unwrap().as_array().unwrap();
    if containers.iter().any(|it| it["name"] == "sidecar") {
        return Vec::new();
    }
    let sidecar = json!({"name": "sidecar", "image": "example.com/sidecar:1"});
    vec![json!({"op": "add", "path": format!("{CONTAINERS}/-"), "value": sidecar})]
}

/// Gives a variable of the first container this value, whatever it had.
fn set(object: &Value, name: &str, value: &str) -> Vec<Value> {
    let variable = json!({"name": name, "value": value});
    match position(object, name) {
        Some(at) => {
            vec![
                json!({"op": "replace", "path": format!("{CONTAINER}/env/{at}"), "value": variable}),
            ]
        }
        None if container(object)["env"].is_array() => {
            vec![json!({"op": "add", "path": format!("{CONTAINER}/env/-"), "value": variable})]
        }
        None => vec![json!({"op": "add", "path": format!("{CONTAINER}/env"), "value": [variable]})],
    }
}

/// Takes a variable out of the first container.
fn remove(object: &Value, name: &str) -> Vec<Value> {
    let found = position(object, name);
    let path = |at| format!("{CONTAINER}/env/{at}");
    found.map_or_else(Vec::new, |at| {
        vec![json!({"op": "remove", "path": path(at)})]
    })
}

fn position(object: &Value, name: &str) -> Option<usize> {
    names(container(object)).iter().position(|it| *it == name)
}

/// A call of a webhook, as the audit log has it: round, whose, and whether it changed something.
type Call = (String, String, bool);

/// Who was called for the last write of a model.
fn calls(space: &Space<'_>, name: &str) -> Vec<Call> {
    let annotations = audited(space, name);
    let calls = annotations.as_object().unwrap().iter();
    let mut calls: Vec<_> = calls
        .filter_map(|(key, text)| {
            let key = key.strip_prefix("mutation.webhook.admission.k8s.io/")?;
            let call: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            let (round, _) = key.split_once("_index_").unwrap();
            let whose = call["webhook"].as_str().unwrap().to_owned();
            Some((key, (round.to_owned(), whose, call["mutated"] == true)))
        })
        .collect();
    calls.sort();
    calls.into_iter().map(|(_, call)| call).collect()
}

fn call(round: &str, whose: &str, mutated: bool) -> Call {
    (round.to_owned(), whose.to_owned(), mutated)
}

fn apply(space: &Space<'_>, model: &Value) -> Value {
    crate::writes::apply(space, std::slice::from_ref(model)).ok();
    space.get(model["metadata"]["name"].as_str().unwrap())
}

/// Names of variables, of which none may be there twice.
#[track_caller]
fn unique(holder: &Value) -> Vec<&str> {
    let names = names(holder);
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "each name once: {holder}");
    names
}

/// API servers before 1.31 write the time of an apply, so the version of the resource says nothing.
#[track_caller]
fn changed_nothing(before: &Value, after: &Value, when: &str) {
    assert_eq!(essence(after), essence(before), "idempotent: {when}");
    let generations = [before, after].map(|it| written(it).generation);
    assert_eq!(generations[0], generations[1], "idempotent: {when}");
}

/// Nobody was called more than twice: the API server has two rounds.
#[track_caller]
fn at_most_twice(calls: &[Call]) {
    for whose in [OURS, OTHER] {
        let count = calls.iter().filter(|(_, it, _)| it == whose).count();
        assert!((1..=2).contains(&count), "{whose}: {calls:?}");
    }
}

fn a_container_that_another_webhook_adds_is_traced_whoever_is_called_first(cluster: &Cluster) {
    for (turn, prefix) in TURNS {
        let space = cluster.space(turn);
        let (_other, _registration) = beside(&space, prefix, add_sidecar);
        let stored = apply(&space, &model("model"));
        let containers = stored.pointer(CONTAINERS).unwrap().as_array().unwrap();
        assert_eq!(containers.len(), 2, "{turn}");
        for container in containers {
            assert_eq!(names(container), FIVE, "{turn}: {container}");
        }
        let expected = if turn == "before" {
            vec![
                call("round_0", OTHER, true),
                call("round_0", OURS, true),
                call("round_1", OTHER, false),
            ]
        } else {
            vec![
                call("round_0", OURS, true),
                call("round_0", OTHER, true),
                // Called again, for the new container.
                call("round_1", OURS, true),
                call("round_1", OTHER, false),
            ]
        };
        assert_eq!(calls(&space, "model"), expected, "{turn}");

        // The manifest has neither sidecar nor variables, and what comes of it is what is there.
        changed_nothing(&stored, &apply(&space, &model("model")), turn);
        space.kubectl(&["annotate", "sdep/model", "tracing-"]).ok();
        let after = space.get("model");
        for container in after.pointer(CONTAINERS).unwrap().as_array().unwrap() {
            assert!(
                names(container).is_empty(),
                "opted out: {turn}: {container}"
            );
        }
    }
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn a_fight_over_a_variable_ends_and_the_same_write_changes_nothing(cluster: &Cluster) {
    type Fight = fn(&Value) -> Vec<Value>;
    // What the other does each time that it is called, how many variables the container ends with, and what it ends with of the other's.
    let fights: [(&str, Fight, usize, Value); 3] = [
        (
            "off",
            |object| set(object, "TRACING", "0"),
            1,
            json!([{"name": "TRACING", "value": "0"}]),
        ),
        (
            "port",
            |object| set(object, "JAEGER_AGENT_PORT", "6831"),
            // The host goes with the port.
            4,
            json!([{"name": "JAEGER_AGENT_PORT", "value": "6831"}]),
        ),
        (
            "without",
            |object| remove(object, "TRACING"),
            4,
            json!(null),
        ),
    ];
    for (turn, prefix) in TURNS {
        let space = cluster.space(turn);
        let (other, _registration) = beside(&space, prefix, |_| Vec::new());
        let mut settled = Vec::new();
        for (name, fight, count, of_other) in &fights {
            let fight = *fight;
            other.behave(move |request| Reply::Patch(fight(&request["object"])));
            let stored = apply(&space, &model(name));
            at_most_twice(&calls(&space, name));
            let there = unique(container(&stored));
            assert_eq!(there.len(), *count, "{turn}, {name}: {there:?}");
            for variable in of_other.as_array().into_iter().flatten() {
                let env = container(&stored)["env"].as_array().unwrap();
                assert!(env.contains(variable), "{turn}, {name}: {there:?}");
            }
            let orchestrator = &stored["spec"]["predictors"][0]["svcOrchSpec"];
            assert_eq!(unique(orchestrator), FIVE, "{turn}, {name}");

            let again = apply(&space, &model(name));
            changed_nothing(&stored, &again, &format!("{turn}, {name}"));
            at_most_twice(&calls(&space, name));
            settled.push(stored);
        }
        // Any other write leaves it so too, also when the other has lost interest.
        other.behave(|_| Reply::Patch(Vec::new()));
        space.kubectl(&["annotate", "sdep", "--all", "note=1"]).ok();
        for (stored, (name, ..)) in settled.iter().zip(&fights) {
            assert_eq!(space.get(name)["spec"], stored["spec"], "{turn}, {name}");
            let nothing = [OURS, OTHER].map(|whose| (whose.to_owned(), false));
            let mut calls: Vec<_> = calls(&space, name)
                .into_iter()
                .map(|(_, whose, mutated)| (whose, mutated))
                .collect();
            calls.sort();
            assert_eq!(calls, nothing, "idempotent: {turn}, {name}");
        }
        let opt_out = ["annotate", "sdep", "--all", "tracing-"];
        space.kubectl(&opt_out).ok();
        for (name, _, _, of_other) in &fights {
            let after = space.get(name);
            assert_eq!(
                &container(&after)["env"],
                of_other,
                "opted out: {turn}, {name}"
            );
            assert_eq!(after["metadata"]["annotations"][RECORD], json!(null));
        }
    }
}

fn a_webhook_that_never_agrees_with_itself_is_called_twice_and_no_more(cluster: &Cluster) {
    for (turn, prefix) in TURNS {
        let space = cluster.space(turn);
        let port = AtomicUsize::new(6000);
        let (other, _registration) = beside(&space, prefix, move |object| {
            let port = port.fetch_add(1, Ordering::Relaxed).to_string();
            set(object, "JAEGER_AGENT_PORT", &port)
        });
        let stored = apply(&space, &model("model"));
        at_most_twice(&calls(&space, "model"));
        // Each creation of a name is one request: what both sides counted is the same.
        let asked = other.asked();
        let theirs = calls(&space, "model");
        let theirs = theirs.iter().filter(|(_, whose, _)| whose == OTHER);
        assert_eq!(asked.len(), theirs.count(), "{turn}");
        assert_eq!(unique(container(&stored)).len(), 4, "{turn}");
        let port = value(container(&stored), "JAEGER_AGENT_PORT").unwrap();
        assert!(port.starts_with('6'), "{turn}: {port}");
        assert!(is_traced(&stored), "{turn}: {stored}");
    }
}

/// The other is called after ours and changes nothing that ours looks at.
fn a_second_call_without_need_changes_nothing_and_the_audit_log_keeps_the_first(cluster: &Cluster) {
    let space = cluster.space("note");
    let (_other, _registration) = beside(&space, "z-other", |object| {
        let note = json!({"op": "add", "path": "/metadata/annotations/noted", "value": "yes"});
        let is_noted = object["metadata"]["annotations"]["noted"].is_string();
        if is_noted { Vec::new() } else { vec![note] }
    });
    let stored = apply(&space, &model("model"));
    assert!(is_traced(&stored));
    assert_eq!(stored["metadata"]["annotations"]["noted"], "yes");
    let expected = [
        call("round_0", OURS, true),
        call("round_0", OTHER, true),
        call("round_1", OURS, false),
    ];
    assert_eq!(calls(&space, "model"), expected, "idempotent");
    // The second call has other words for it. The API server takes only the first, and the write goes on.
    let annotations = audited(&space, "model");
    let said = |key: &str| annotations[format!("{OURS}/{key}")].clone();
    assert_eq!(said("outcome"), "injected");
    assert_eq!(said("targets"), "container=1,orchestrator=1");
}

fn a_broken_webhook_for_other_resources_does_not_matter(cluster: &Cluster) {
    let space = cluster.space("broken");
    // Nobody listens on port 1.
    let name = format!("a-other-{}", space.name);
    let nowhere = "https://127.0.0.1:1/mutate";
    let ca = &cluster.installation().ca;
    let _registration = register_as(&name, &space, nowhere, ca, |entry| {
        entry["name"] = json!(OTHER);
        entry["failurePolicy"] = json!("Fail");
        entry["matchConditions"] = json!([]);
        entry["rules"][0]["apiGroups"] = json!([""]);
        entry["rules"][0]["resources"] = json!(["configmaps"]);
    });
    until("config maps are refused", || {
        let create = ["create", "configmap", "any", "--dry-run=server"];
        let created = space.kubectl(&create);
        created.code != Some(0) && created.stderr.contains(OTHER)
    });
    let stored = apply(&space, &model("model"));
    assert!(is_traced(&stored), "{stored}");
    assert_eq!(calls(&space, "model"), [call("round_0", OURS, true)]);
}
