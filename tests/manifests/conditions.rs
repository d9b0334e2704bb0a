//! The matchConditions as text. Only a real API server can run CEL, and its tests do.

use std::collections::BTreeSet;

use seldon_tracing::config::Config;
use seldon_tracing::inject::{RECORD, RESYNC};
use serde_json::{Value, json};

use crate::files::objects;
use crate::webhook::entries;

/// The expression of a condition, its blanks made one.
#[track_caller]
fn expression(entry: &Value, name: &str) -> String {
    let conditions = entry["matchConditions"].as_array().unwrap();
    let found = conditions.iter().find(|one| one["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no condition {name}"));
    let text = found["expression"].as_str().unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The conditions that ask for the trigger.
fn asking() -> [String; 2] {
    let [inject, default_on] = entries();
    [
        expression(&inject, "is-or-was-opted-in"),
        expression(&default_on, "is-not-opted-out"),
    ]
}

fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('\'').skip(1).step_by(2).collect()
}

#[test]
fn objects_that_are_being_deleted_do_not_depend_on_the_webhook() {
    for entry in entries() {
        let condition = expression(&entry, "not-being-deleted");
        assert_eq!(condition, "!has(object.metadata.deletionTimestamp)");
        assert_eq!(entry["matchConditions"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn the_conditions_name_the_trigger_the_record_and_the_request_and_no_other_annotation() {
    let config = Config::default();
    let [inject, default_on] = asking();
    let mut expected = BTreeSet::from(["UPDATE", RECORD, RESYNC, config.trigger.as_str()]);
    assert_eq!(quoted(&inject), expected);
    expected.insert("false");
    assert_eq!(quoted(&default_on), expected);
}

#[test]
fn the_trigger_is_looked_for_at_all_three_places_and_in_the_object_before() {
    let trigger = Config::default().trigger;
    let [inject, default_on] = asking();
    for place in [
        "o.metadata.annotations",
        "o.spec.annotations",
        "p.annotations",
    ] {
        assert!(
            inject.contains(&format!("'{trigger}' in {place}")),
            "{place}"
        );
    }
    for condition in [&inject, &default_on] {
        let both = "(request.operation == 'UPDATE' ? [object, oldObject] : [object]).exists(o,";
        assert!(condition.contains(both), "{condition}");
        for ours in [RECORD, RESYNC] {
            assert!(condition.contains(&format!("'{ours}' in o.metadata.annotations")));
        }
    }
    // Strongest first: a predictor that says true is traced though its object says false.
    assert!(default_on.contains(&format!("'{trigger}' in p.annotations")));
}

/// The path that ends where the text begins with something else.
fn path(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '.'));
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn the_guard_looks_at_the_objects_and_annotations_that_the_webhook_looks_at() {
    let [policy, binding]: [Value; 2] = objects("guard").try_into().unwrap();
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    // It never refuses a write.
    assert_eq!(
        binding["spec"]["validationActions"],
        json!(["Warn", "Audit"])
    );
    assert_eq!(policy["spec"]["failurePolicy"], "Ignore");

    let constraints = &policy["spec"]["matchConstraints"];
    let [inject, default_on] = entries();
    for entry in [&inject, &default_on] {
        assert_eq!(constraints["resourceRules"], entry["rules"]);
        assert_eq!(constraints["matchPolicy"], entry["matchPolicy"]);
        // All but the label by which the two divide the namespaces.
        let mut selected = entry["namespaceSelector"]["matchExpressions"].clone();
        selected.as_array_mut().unwrap().remove(0);
        let guarded = &constraints["namespaceSelector"]["matchExpressions"];
        assert_eq!(*guarded, selected);
        let condition = &policy["spec"]["matchConditions"][0];
        assert_eq!(*condition, entry["matchConditions"][0]);
    }
    let text = policy.to_string();
    let trigger = Config::default().trigger;
    assert!(text.contains(&format!("'{trigger}' in variables.annotations")));
    assert!(text.contains(&format!("'{RECORD}' in variables.annotations")));
}

#[test]
fn no_odd_type_can_make_an_error_which_would_be_a_silent_skip() {
    let mut guarded = 0;
    for condition in asking() {
        let mut guard = |what: &str| {
            assert!(condition.contains(what), "{condition}\nlacks {what}");
            guarded += 1;
        };
        for (at, _) in condition.match_indices("' in ") {
            guard(&format!("type({}) == map", path(&condition[at + 5..])));
        }
        for (at, _) in condition.match_indices("has(") {
            let path = path(&condition[at + 4..]);
            let (parent, _) = path.rsplit_once('.').unwrap();
            // An object, and the metadata of an object, are always maps.
            if parent.contains('.') && !parent.ends_with(".metadata") || parent == "p" {
                guard(&format!("type({parent}) == map"));
            }
        }
        for (at, _) in condition.match_indices(".predictors.exists(") {
            let start = condition[..at].rfind([' ', '(']).unwrap() + 1;
            let list = path(&condition[start..]).strip_suffix(".exists").unwrap();
            guard(&format!("type({list}) == list"));
            // Nor their number: what it costs to look at them has a limit in the API server.
            guard(&format!("size({list}) > 1000 || {list}.exists("));
        }
        // `string()` takes text of any kind, and annotations of metadata are text.
        assert_eq!(
            condition.matches(".lowerAscii()").count(),
            condition.matches("string(").count()
        );
    }
    assert!(guarded > 15, "{guarded}");
}
