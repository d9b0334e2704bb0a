//! The two entries of the webhook configuration.

use std::collections::BTreeSet;

use seldon_tracing::admission::Route;
use serde_json::{Value, json};

use crate::files::{texts, the};

pub(crate) fn entries() -> [Value; 2] {
    let webhooks = the("MutatingWebhookConfiguration")["webhooks"].clone();
    let list = webhooks.as_array().unwrap().clone();
    list.try_into().unwrap()
}

#[test]
fn the_names_are_those_in_metrics_and_audit_logs_for_good() {
    let [inject, default_on] = entries();
    assert_eq!(inject["name"], "inject.tracing.seldon.io");
    assert_eq!(default_on["name"], "default-on.tracing.seldon.io");
    let configuration = the("MutatingWebhookConfiguration");
    assert_eq!(configuration["metadata"]["name"], "seldon-tracing");
}

#[test]
fn the_entries_call_the_service_at_the_paths_that_are_answered() {
    let service = the("Service");
    for (entry, route) in entries().iter().zip([Route::Mutate, Route::DefaultOn]) {
        let expected = json!({"service": {
            "namespace": service["metadata"]["namespace"],
            "name": service["metadata"]["name"],
            "port": service["spec"]["ports"][0]["port"],
            "path": route.path(),
        }});
        assert_eq!(entry["clientConfig"], expected);
    }
    assert_eq!(Route::ALL.len(), 2, "a route that no entry names");
}

#[test]
fn the_entries_ask_for_what_the_webhook_promises() {
    for entry in entries() {
        let expected = [
            ("admissionReviewVersions", json!(["v1"])),
            ("failurePolicy", json!("Ignore")),
            ("matchPolicy", json!("Equivalent")),
            ("reinvocationPolicy", json!("IfNeeded")),
            ("sideEffects", json!("None")),
            ("timeoutSeconds", json!(3)),
            (
                "rules",
                json!([{
                    "apiGroups": ["machinelearning.seldon.io"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["seldondeployments"],
                    "scope": "Namespaced",
                }]),
            ),
        ];
        for (field, value) in expected {
            assert_eq!(entry[field], value, "{field}");
        }
        assert_eq!(entry.get("objectSelector"), None, "users could dodge it");
    }
}

/// The values of the expression about a key in a namespaceSelector, if the operator is this one.
#[track_caller]
fn values<'e>(entry: &'e Value, key: &str, operator: &str) -> BTreeSet<&'e str> {
    let expressions = entry["namespaceSelector"]["matchExpressions"].as_array();
    let mut found = expressions.unwrap().iter().filter(|one| one["key"] == key);
    let one = found.next().unwrap_or_else(|| panic!("nothing of {key}"));
    assert_eq!(
        (found.next(), &one["operator"]),
        (None, &json!(operator)),
        "{key}"
    );
    texts(&one["values"]).into_iter().collect()
}

#[test]
fn every_namespace_is_of_one_entry_at_most() {
    let [inject, default_on] = entries();
    let not = values(&inject, "tracing", "NotIn");
    let only = values(&default_on, "tracing", "In");
    assert_eq!(not, only);
    assert_eq!(only, BTreeSet::from(["enabled"]));
}

#[test]
fn both_entries_leave_out_the_system_ourselves_and_who_says_so() {
    let namespace = the("Namespace");
    let own = namespace["metadata"]["name"].as_str().unwrap();
    for entry in entries() {
        let names = values(&entry, "kubernetes.io/metadata.name", "NotIn");
        let expected = BTreeSet::from(["kube-system", "kube-public", "kube-node-lease", own]);
        assert_eq!(names, expected);
        let off = values(&entry, "tracing.seldon.io/disabled", "NotIn");
        assert_eq!(off, BTreeSet::from(["true"]));
        let selector = entry["namespaceSelector"].as_object().unwrap();
        assert_eq!(selector.len(), 1, "no matchLabels beside it");
        assert_eq!(selector["matchExpressions"].as_array().unwrap().len(), 3);
    }
    assert_eq!(
        namespace["metadata"]["labels"]["tracing.seldon.io/disabled"],
        "true"
    );
}
