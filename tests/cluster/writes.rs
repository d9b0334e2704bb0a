//! Writes as people make them, and what is said about them.

use serde_json::{Value, json};

use crate::models::RECORD;
use crate::rig::Space;
use crate::rig::kubectl::Ran;

pub(crate) fn create(space: &Space<'_>, model: &Value) -> Ran {
    space.kubectl_with(&model.to_string(), &["create", "-f", "-"])
}

/// Applies all of these at once, as a person does.
pub(crate) fn apply(space: &Space<'_>, models: &[Value]) -> Ran {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": models});
    space.kubectl_with(&list.to_string(), &["apply", "-f", "-"])
}

/// Applies it as tools that sync from Git do: the request is sent whatever is stored.
pub(crate) fn server_side(space: &Space<'_>, model: &Value) -> Ran {
    let apply = ["apply", "--server-side", "-f", "-"];
    space.kubectl_with(&model.to_string(), &apply)
}

/// kubectl said that it went well, and had nothing to warn of.
#[track_caller]
pub(crate) fn quietly(ran: Ran) {
    assert!(ran.warnings().is_empty(), "{ran:?}");
    ran.ok();
}

/// It went well, with one warning that begins with this code of `docs/reasons.md`.
#[track_caller]
pub(crate) fn warned(ran: Ran, code: &str) {
    let warnings = ran.warnings();
    let right = warnings.len() == 1 && warnings[0].starts_with(&format!("{code}: "));
    assert!(right, "{code}: {ran:?}");
    ran.ok();
}

/// The record of what was injected, or null.
pub(crate) fn record(object: &Value) -> &Value {
    &object["metadata"]["annotations"][RECORD]
}

/// What the audit log has about the last write of a model, tries apart.
#[track_caller]
pub(crate) fn audited(space: &Space<'_>, name: &str) -> Value {
    let events = space.cluster.plane().audit();
    let event = events.iter().rev().find(|event| {
        let object = &event["objectRef"];
        let is_tried = event["requestURI"].as_str().unwrap().contains("dryRun=");
        object["namespace"] == space.name && object["name"] == name && !is_tried
    });
    event.unwrap()["annotations"].clone()
}

/// Names of webhooks that were passed over at that write because they failed.
#[track_caller]
pub(crate) fn failed_open(space: &Space<'_>, name: &str) -> Vec<String> {
    let annotations = audited(space, name);
    let failed = annotations.as_object().unwrap().iter();
    failed
        .filter(|(key, _)| key.starts_with("failed-open."))
        .map(|(_, webhook)| webhook.as_str().unwrap().to_owned())
        .collect()
}
