//! What people see of a decision: warnings of kubectl, annotations of the audit log, lines of our own log.

use std::collections::BTreeSet;

use seldon_tracing::inject::Reason;
use serde_json::{Value, json};

use crate::models::{self, is_traced};
use crate::rig::kubectl::Ran;
use crate::rig::{Cluster, Space, until};

tests![
    kubectl_warns_in_short_lines_of_ascii_of_what_is_wrong_and_of_nothing_else,
    control_and_foreign_characters_of_a_value_do_not_reach_a_terminal,
    the_audit_log_and_our_log_tell_of_each_decision_and_of_no_value,
];

/// Entries of our configuration, which the API server puts before the keys of our audit annotations.
const ENTRIES: [&str; 2] = ["inject.tracing.seldon.io/", "default-on.tracing.seldon.io/"];

/// What nobody should find in a log.
const CANARY: &str = "canary";

fn kubectl_warns_in_short_lines_of_ascii_of_what_is_wrong_and_of_nothing_else(cluster: &Cluster) {
    let space = cluster.space("warnings");
    let (ran, model) = created(&space, &models::model("well"));
    assert_eq!(ran.stderr, "", "all is well");
    assert!(is_traced(&model));
    let (ran, _) = created(&space, &models::untraced("not-asked"));
    assert_eq!(ran.stderr, "", "nothing was asked for");

    let mut model = models::model("setting");
    model["metadata"]["annotations"]["tracing.seldon.io/agent-port"] = json!("99999");
    let (ran, model) = created(&space, &model);
    let warning = the_warning(&ran);
    assert!(warning.starts_with("bad-setting: "), "{warning}");
    for part in ["tracing.seldon.io/agent-port", "65535"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    assert!(is_traced(&model), "the default stands in");

    let mut model = models::model("trigger");
    model["metadata"]["annotations"]["tracing"] = json!("yes");
    let (ran, model) = created(&space, &model);
    let warning = the_warning(&ran);
    let all_of_it = r#"unknown-trigger-value: metadata.annotations.tracing: "yes" is unknown; allowed: "true", "false""#;
    assert_eq!(warning, all_of_it);
    assert!(!is_traced(&model), "an unknown trigger traces nothing");

    let mut model = models::untraced("many");
    let predictor = model["spec"]["predictors"][0].clone();
    let predictors = (0..7).map(|at| {
        let mut predictor = predictor.clone();
        predictor["name"] = json!(format!("p{at}"));
        predictor["annotations"] = json!({"tracing": "x".repeat(300)});
        predictor
    });
    model["spec"]["predictors"] = predictors.collect();
    let (ran, _) = created(&space, &model);
    let warnings = fit(&ran);
    assert_eq!(warnings.len(), 5, "{warnings:?}");
    assert!(warnings[0].ends_with("..."), "{warnings:?}");
    assert!(warnings[4].starts_with("3 more; "), "{warnings:?}");
}

fn control_and_foreign_characters_of_a_value_do_not_reach_a_terminal(cluster: &Cluster) {
    let space = cluster.space("characters");
    let odd = "\u{1b}[31m\u{7}yes\r\nWarning: gef\u{e4}lscht \u{202e}\u{1f600}\u{0}";
    let annotations = json!({"tracing": "true", "tracing.seldon.io/agent-host": odd});
    let mut model = models::model("setting");
    model["metadata"]["annotations"] = annotations;
    let (ran, model) = created(&space, &model);
    assert!(the_warning(&ran).starts_with("bad-setting: "), "{ran:?}");
    assert!(is_traced(&model));

    let mut model = models::model("trigger");
    model["metadata"]["annotations"]["tracing"] = json!(odd);
    let (ran, model) = created(&space, &model);
    let warning = the_warning(&ran);
    assert!(warning.starts_with("unknown-trigger-value: "), "{warning}");
    assert!(!is_traced(&model));

    // The name of an annotation may not have such characters, but the name of a container may.
    let mut model = models::model("container");
    model["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0] = json!({
        "name": odd, "image": "example.com/model:1", "env": [{"name": "TRACING", "value": "true"}],
    });
    let (ran, _) = created(&space, &model);
    assert!(the_warning(&ran).starts_with("crashing-value: "), "{ran:?}");
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn the_audit_log_and_our_log_tell_of_each_decision_and_of_no_value(cluster: &Cluster) {
    let space = cluster.space("told");
    let default_on = cluster.default_on_space("told-by-default");
    let secretive = |mut model: Value| {
        let annotations = &mut model["metadata"]["annotations"];
        if annotations.is_null() {
            *annotations = json!({});
        }
        annotations["example.com/password"] = json!(CANARY);
        annotations["tracing.seldon.io/agent-host"] = json!(format!("no {CANARY}!"));
        annotations["tracing.seldon.io/tags"] = json!(format!("who={CANARY}"));
        let container =
            &mut model["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0];
        container["env"] = json!([{"name": "PASSWORD", "value": CANARY}]);
        model
    };
    created(&space, &secretive(models::model("traced")));
    created(&space, &secretive(models::untraced("untraced")));
    space.kubectl(&["annotate", "sdep/traced", "tracing-"]).ok();
    created(&default_on, &secretive(models::untraced("traced")));
    let mut unclear = secretive(models::model("unclear"));
    unclear["metadata"]["annotations"]["tracing"] = json!(CANARY);
    // The same twice.
    for _ in 0..2 {
        let dry = ["create", "--dry-run=server", "-f", "-"];
        space.kubectl_with(&unclear.to_string(), &dry).ok();
    }

    let told = |space: &Space<'_>| {
        let events = cluster.plane().audit_with(&space.name);
        events.iter().filter_map(ours).collect::<Vec<_>>()
    };
    let here = told(&space);
    let outcomes: Vec<_> = here
        .iter()
        .map(|it| (it.name.as_str(), it.get("outcome")))
        .collect();
    let expected = [
        ("traced", "injected"),
        ("traced", "removed"),
        ("unclear", "skipped"),
        ("unclear", "skipped"),
    ];
    assert_eq!(outcomes, expected, "in the audit log");
    assert_eq!(here[0].get("targets"), "container=1,orchestrator=1");
    assert_eq!(here[0].get("reasons"), "bad-setting,injected");
    assert_eq!(here[2].annotations, here[3].annotations, "deterministic");
    let there = told(&default_on);
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].entry, ENTRIES[1]);
    assert_eq!(there[0].get("outcome"), "injected");
    for told in here.iter().chain(&there) {
        told.is_clean();
    }

    for (space, told) in [(&space, &here), (&default_on, &there)] {
        let expected: BTreeSet<_> = told
            .iter()
            .map(|it| (it.name.clone(), it.get("outcome").to_owned()))
            .collect();
        until("our log tells of the same decisions", || {
            let lines = logged(space);
            // The API server may ask twice for one write.
            let found: BTreeSet<_> = lines.iter().map(name_and_outcome).collect();
            lines.len() >= told.len() && found == expected
        });
    }
    let log = cluster.installation().webhook().log();
    assert!(!log.contains(CANARY), "no value is logged");
}

/// Creates it by kubectl. Gives what kubectl said, and what is stored.
#[track_caller]
fn created(space: &Space<'_>, model: &Value) -> (Ran, Value) {
    let ran = space.kubectl_with(&model.to_string(), &["create", "-f", "-"]);
    assert_eq!(ran.code, Some(0), "the object is always allowed: {ran:?}");
    let stored = space.get(model["metadata"]["name"].as_str().unwrap());
    (ran, stored)
}

/// The warnings, and that they are as warnings should be: whole lines, short, ASCII, and nothing beside them.
#[track_caller]
fn fit(ran: &Ran) -> Vec<String> {
    let warnings = ran.warnings();
    // A line break of a value would make lines of its own.
    let lines = ran.stderr.split('\n').filter(|line| !line.is_empty());
    assert_eq!(lines.count(), warnings.len(), "short and ASCII: {ran:?}");
    for warning in &warnings {
        let printable = warning.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        assert!(
            printable && warning.len() < 120,
            "short and ASCII: {warning:?}"
        );
    }
    warnings
}

#[track_caller]
fn the_warning(ran: &Ran) -> String {
    let mut warnings = fit(ran);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings.remove(0)
}

/// What we told the audit log about a write.
#[derive(Debug)]
struct Told {
    name: String,
    entry: &'static str,
    annotations: Vec<(String, String)>,
}

/// That of an event, if we were asked.
fn ours(event: &Value) -> Option<Told> {
    let all = event["annotations"].as_object()?;
    let entry = ENTRIES
        .into_iter()
        .find(|entry| all.keys().any(|key| key.starts_with(entry)))?;
    let annotations = all.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix(entry)?;
        Some((key.to_owned(), value.as_str().unwrap().to_owned()))
    });
    // The name of an object that is created is not in its path.
    let named = [
        &event["objectRef"]["name"],
        &event["requestObject"]["metadata"]["name"],
    ];
    let name = named.into_iter().find_map(Value::as_str).unwrap();
    Some(Told {
        name: name.to_owned(),
        entry,
        annotations: annotations.collect(),
    })
}

impl Told {
    #[track_caller]
    fn get(&self, key: &str) -> &str {
        let found = self.annotations.iter().find(|(own, _)| own == key);
        found.map(|(_, value)| value.as_str()).unwrap()
    }

    /// Words of closed lists and small numbers, and nothing else.
    #[track_caller]
    fn is_clean(&self) {
        for (key, value) in &self.annotations {
            match key.as_str() {
                "outcome" => {
                    let outcomes = ["injected", "removed", "unchanged", "skipped"];
                    assert!(outcomes.contains(&value.as_str()), "{self:?}");
                }
                "reasons" => {
                    let known = |code| Reason::ALL.iter().any(|reason| reason.code() == code);
                    assert!(value.split(',').all(known), "{self:?}");
                }
                "targets" => {
                    let counts = value.split(',').filter_map(|it| it.split_once('='));
                    let counts: Vec<_> = counts.map(|(_, count)| count.parse::<u8>()).collect();
                    assert!(
                        !counts.is_empty() && counts.iter().all(Result::is_ok),
                        "{self:?}"
                    );
                }
                _ => panic!("an unknown annotation: {self:?}"),
            }
        }
    }
}

/// What our log says about a namespace. Every line of it is JSON.
fn logged(space: &Space<'_>) -> Vec<Value> {
    let log = space.cluster.installation().webhook().log();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["namespace"] == space.name.as_str())
        .collect()
}

fn name_and_outcome(line: &Value) -> (String, String) {
    let word = |key: &str| line[key].as_str().unwrap().to_owned();
    assert_eq!(line["message"], "reviewed", "{line}");
    (word("name"), word("outcome"))
}
