//! The `MutatingWebhookConfiguration`.

use super::pods::read_config;
use crate::cluster::ask::Asked;
use crate::cluster::names::{NAME, WEBHOOKS};
use crate::commands::check::item::{Checked, Finding, need};
use crate::commands::check::seen::{Configuration, Entry, Seen};

/// The path that each entry calls.
const PATHS: [&str; 2] = ["/mutate", "/mutate/default-on"];

const AGAIN: &str = "Apply the manifests again: docs/install.md says how.";

/// Our configuration, for a check that needs it.
fn configuration(seen: &Seen) -> Result<&Configuration, Finding> {
    need(&seen.configuration, || {
        let none = format!("there is no MutatingWebhookConfiguration {NAME}");
        Finding::not_checked(none)
    })
}

/// Our entries with their paths.
pub(super) fn entries_of(seen: &Seen) -> Result<Vec<(&Entry, &'static str)>, Finding> {
    let entries = &configuration(seen)?.webhooks;
    let ours = WEBHOOKS.into_iter().zip(PATHS);
    let found: Vec<_> = ours
        .filter_map(|(name, path)| Some((entries.iter().find(|it| it.name == name)?, path)))
        .collect();
    if found.is_empty() {
        return Err(Finding::not_checked("no entry of the webhook is there"));
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
    let is_there = |name: &&str| found.webhooks.iter().any(|it| it.name == **name);
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
        let name = &entry.name;
        let wrong = |what: String| Err(Finding::wrong(format!("{name} {what}"), AGAIN));
        let Some(service) = &entry.client_config.service else {
            return wrong(format!("calls a URL, and not the Service {NAME}"));
        };
        if (service.namespace.as_str(), service.name.as_str()) != (&seen.ours, NAME) {
            let called = format!("{}/{}", service.namespace, service.name);
            return wrong(format!(
                "calls the Service {called}, and not {}/{NAME}",
                seen.ours
            ));
        }
        if service.path != path {
            return wrong(format!("calls the path {}, and not {path}", service.path));
        }
        let ports = seen.service.found().map(|it| &it.spec.ports);
        if ports.is_some_and(|ports| ports.iter().all(|it| it.port != service.port)) {
            let port = service.port;
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
        "it calls the Service for CREATE and UPDATE of SeldonDeployments",
    ))
}

fn any(list: &[String], wanted: &str) -> bool {
    list.iter().any(|it| it == wanted || it == "*")
}

/// Whether some rule is for this operation of SeldonDeployments, in this version or in any.
fn covers(entry: &Entry, operation: &str, version: Option<&str>) -> bool {
    entry.rules.iter().any(|rule| {
        any(&rule.api_groups, "machinelearning.seldon.io")
            && version.is_none_or(|version| any(&rule.api_versions, version))
            && any(&rule.operations, operation)
            && (any(&rule.resources, "seldondeployments") || any(&rule.resources, "*/*"))
    })
}

pub(super) fn trigger(seen: &Seen) -> Checked {
    let entries = entries_of(seen)?;
    let config = read_config(seen)
        .map_err(|_| Finding::not_checked("the config of the cluster is not known"))?;
    let trigger = &config.trigger;
    let quoted = [format!("'{trigger}'"), format!("\"{trigger}\"")];
    let looks = |entry: &Entry| {
        let mut expressions = entry.match_conditions.iter().map(|it| &it.expression);
        let has = |text: &String| quoted.iter().any(|key| text.contains(key));
        // Without conditions every object is sent.
        entry.match_conditions.is_empty() || expressions.any(has)
    };
    Ok(match entries.iter().find(|(entry, _)| !looks(entry)) {
        None => Finding::good(format!(
            "matchConditions look for the trigger of the config, {trigger}"
        )),
        Some((entry, _)) => Finding::wrong(
            format!(
                "the trigger of the config is {trigger}, and matchConditions of {} do not look for it",
                entry.name
            ),
            "Write the same key into both: trigger of config.yaml, and webhook.yaml of the manifests.",
        ),
    })
}

pub(super) fn failure_policy(seen: &Seen) -> Checked {
    let entries = entries_of(seen)?;
    let strict = entries.iter().find(|it| it.0.failure_policy != "Ignore");
    Ok(match strict {
        None => Finding::good("while no pod answers, models are written untraced (Ignore)"),
        Some((entry, _)) => Finding::warning(
            format!(
                "failurePolicy of {} is {}: while no pod answers, models that ask for tracing cannot be written",
                entry.name, entry.failure_policy
            ),
            "Set it to Ignore, unless that is what you want.",
        ),
    })
}

pub(super) fn other_webhooks(all: &Asked<Vec<Configuration>>) -> Checked {
    let all = need(all, || Finding::good(""))?;
    let others = all.iter().filter(|it| it.metadata.name != NAME);
    let traces: Vec<_> = others
        .filter(|it| it.webhooks.iter().any(|entry| traces(it, entry)))
        .map(|it| it.metadata.name.as_str())
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
fn traces(configuration: &Configuration, entry: &Entry) -> bool {
    let service = entry.client_config.service.as_ref();
    let names = [
        Some(&configuration.metadata.name),
        Some(&entry.name),
        service.map(|it| &it.name),
        service.map(|it| &it.namespace),
    ];
    let says = names
        .into_iter()
        .flatten()
        .any(|it| it.contains("tracing") || it.contains("jaeger"));
    let is_ours = WEBHOOKS.contains(&entry.name.as_str());
    let mut operations = ["CREATE", "UPDATE"].into_iter();
    (says || is_ours) && operations.any(|it| covers(entry, it, None))
}
