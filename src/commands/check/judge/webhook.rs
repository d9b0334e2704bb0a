//! The `MutatingWebhookConfiguration`.

use serde_json::Value;

use super::pods::{AGAIN, read_config};
use crate::cluster::ask::Asked;
use crate::cluster::names::{GROUP, MODELS, NAME, WEBHOOKS};
use crate::commands::check::item::{Checked, Finding, need};
use crate::commands::check::seen::{Seen, items, name, text};

/// The path that each entry calls.
const PATHS: [&str; 2] = ["/mutate", "/mutate/default-on"];

/// Our configuration, for a check that needs it.
fn configuration(seen: &Seen) -> Result<&Value, Finding> {
    need(&seen.configuration, || {
        let none = format!("there is no MutatingWebhookConfiguration {NAME}");
        Finding::not_checked(none)
    })
}

/// Our entries with their paths.
pub(super) fn entries_of(seen: &Seen) -> Result<Vec<(&Value, &'static str)>, Finding> {
    let entries = items(&configuration(seen)?["webhooks"]);
    let ours = WEBHOOKS.into_iter().zip(PATHS);
    let found: Vec<_> = ours
        .filter_map(|(name, path)| Some((entries.iter().find(|it| it["name"] == name)?, path)))
        .collect();
    if found.is_empty() {
        return Err(Finding::not_checked(format!(
            "the MutatingWebhookConfiguration {NAME} has none of the webhook's entries"
        )));
    }
    Ok(found)
}

pub(super) fn entries(seen: &Seen) -> Checked {
    let found = need(&seen.configuration, || {
        let text = format!(
            "there is no MutatingWebhookConfiguration {NAME}: the API server calls no webhook, and no model is traced"
        );
        Finding::wrong(text, AGAIN)
    })?;
    let entries = items(&found["webhooks"]);
    let is_there = |name: &&str| entries.iter().any(|it| it["name"] == **name);
    let missing: Vec<_> = WEBHOOKS.into_iter().filter(|it| !is_there(it)).collect();
    Ok(if missing.is_empty() {
        Finding::good(format!(
            "the MutatingWebhookConfiguration {NAME} has both entries"
        ))
    } else {
        let missing = missing.join(" and ");
        let text = format!("the MutatingWebhookConfiguration {NAME} has no entry {missing}");
        Finding::wrong(text, AGAIN)
    })
}

pub(super) fn calls(seen: &Seen) -> Checked {
    for (entry, path) in entries_of(seen)? {
        let name = text(&entry["name"]);
        let wrong = |what: String| Err(Finding::wrong(format!("{name} {what}"), AGAIN));
        let service = &entry["clientConfig"]["service"];
        if service.is_null() {
            return wrong(format!("calls a URL, and not the Service {NAME}"));
        }
        let called = [&service["namespace"], &service["name"], &service["path"]].map(text);
        let [of, service_name, called_path] = called;
        if (of, service_name) != (&seen.ours, NAME) {
            return wrong(format!(
                "calls the Service {of}/{service_name}, and not {}/{NAME}",
                seen.ours
            ));
        }
        if called_path != path {
            return wrong(format!("calls the path {called_path}, and not {path}"));
        }
        let port = &service["port"];
        let ports = seen.service.as_ref().map(|it| items(&it["spec"]["ports"]));
        if ports.is_ok_and(|ports| ports.iter().all(|it| it["port"] != *port)) {
            return wrong(format!(
                "calls port {port}, which the Service does not have"
            ));
        }
        let missed = ["CREATE", "UPDATE"]
            .into_iter()
            .find(|it| !covers(entry, it, Some("v1")));
        if let Some(operation) = missed {
            return wrong(format!(
                "has no rule for {operation} of seldondeployments.machinelearning.seldon.io/v1"
            ));
        }
    }
    Ok(Finding::good(
        "the webhook configuration calls the Service for CREATE and UPDATE of SeldonDeployments",
    ))
}

fn any(list: &Value, wanted: &str) -> bool {
    items(list).iter().any(|it| it == wanted || it == "*")
}

/// Whether some rule is for this operation of SeldonDeployments, in this version or in any.
fn covers(entry: &Value, operation: &str, version: Option<&str>) -> bool {
    items(&entry["rules"]).iter().any(|rule| {
        any(&rule["apiGroups"], GROUP)
            && version.is_none_or(|version| any(&rule["apiVersions"], version))
            && any(&rule["operations"], operation)
            && (any(&rule["resources"], MODELS) || any(&rule["resources"], "*/*"))
    })
}

pub(super) fn trigger(seen: &Seen) -> Checked {
    let entries = entries_of(seen)?;
    let config = read_config(seen)
        .map_err(|_| Finding::not_checked("the config in the cluster cannot be read"))?;
    let trigger = &config.trigger;
    let quoted = [format!("'{trigger}'"), format!("\"{trigger}\"")];
    let looks = |entry: &Value| {
        let conditions = items(&entry["matchConditions"]);
        let mut expressions = conditions.iter().map(|it| text(&it["expression"]));
        let has = |text: &str| quoted.iter().any(|key| text.contains(key));
        // Without conditions every object is sent.
        conditions.is_empty() || expressions.any(has)
    };
    Ok(match entries.iter().find(|(entry, _)| !looks(entry)) {
        None => Finding::good(format!(
            "matchConditions look for the trigger of the config, {trigger}"
        )),
        Some((entry, _)) => Finding::wrong(
            format!(
                "the trigger of the config is {trigger}, and matchConditions of {} do not look for it",
                text(&entry["name"])
            ),
            "Write the same key into both: trigger of config.yaml, and webhook.yaml of the manifests.",
        ),
    })
}

pub(super) fn failure_policy(seen: &Seen) -> Checked {
    let entries = entries_of(seen)?;
    let policy = |entry: &Value| text(&entry["failurePolicy"]).to_owned();
    let strict = entries.iter().find(|it| policy(it.0) != "Ignore");
    Ok(match strict {
        None => Finding::good("while no pod answers, models are written untraced (Ignore)"),
        Some((entry, _)) => Finding::warning(
            format!(
                "failurePolicy of {} is {}: while no pod answers, models that ask for tracing cannot be written",
                text(&entry["name"]),
                policy(entry)
            ),
            "Set it to Ignore, unless that is what you want.",
        ),
    })
}

pub(super) fn other_webhooks(all: &Asked<Vec<Value>>) -> Checked {
    let all = need(all, || Finding::good(""))?;
    let others = all.iter().filter(|it| name(it) != NAME);
    let traces: Vec<_> = others
        .filter(|it| items(&it["webhooks"]).iter().any(|entry| traces(it, entry)))
        .map(name)
        .collect();
    Ok(if traces.is_empty() {
        Finding::good("no other webhook adds tracing to SeldonDeployments")
    } else {
        let names = traces.join(", ");
        Finding::warning(
            format!("another MutatingWebhookConfiguration seems to add tracing too: {names}"),
            "Delete it if it is of an older installation: kubectl delete mutatingwebhookconfiguration NAME",
        )
    })
}

/// Whether an entry is for SeldonDeployments and of tracing, by its names.
fn traces(configuration: &Value, entry: &Value) -> bool {
    let service = &entry["clientConfig"]["service"];
    let own = text(&entry["name"]);
    let services = [&service["name"], &service["namespace"]].map(text);
    let mut names = [name(configuration), own].into_iter().chain(services);
    let says = names.any(|it| it.contains("tracing") || it.contains("jaeger"));
    let is_ours = WEBHOOKS.contains(&own);
    let mut operations = ["CREATE", "UPDATE"].into_iter();
    (says || is_ours) && operations.any(|it| covers(entry, it, None))
}
