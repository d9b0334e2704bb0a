//! The request for a new decision: it is answered in one write, and never stored.

use seldon_tracing::admission::Route;
use seldon_tracing::config::Config;
use seldon_tracing::inject::{Outcome, RECORD, RESYNC, Setting};
use serde_json::{Value, json};

use crate::support::checked::{Seen, create, look, model, see, update};
use crate::support::forms::sorted;

fn other() -> Config {
    let mut config = Config::default();
    config.defaults.set(Setting::AgentPort, "6831");
    config
}

fn see_as(question: &Value, route: Route) -> Seen {
    look(question.to_string().as_bytes(), route, &other()).unwrap()
}

fn asking(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"]["annotations"][RESYNC] = json!("2026-01-01T00:00:00Z");
    object
}

fn port(object: &Value) -> &str {
    let env = &object["spec"]["predictors"][0]["svcOrchSpec"]["env"];
    let entry = env.as_array().unwrap().iter();
    let mut ports = entry.filter(|entry| entry["name"] == "JAEGER_AGENT_PORT");
    ports.next().unwrap()["value"].as_str().unwrap()
}

#[test]
fn the_request_brings_the_new_config_and_is_gone_in_the_same_write() {
    let stored = see(&create(&model())).result.unwrap();
    let sticky = see_as(&update(&stored, &stored), Route::Mutate);
    assert!(sticky.is_left());

    let seen = see_as(&update(&asking(&stored), &stored), Route::Mutate);
    let result = seen.result.clone().unwrap();
    assert_eq!((port(&stored), port(&result)), ("5775", "6831"));
    assert_eq!(result["metadata"]["annotations"].get(RESYNC), None);
    assert_eq!(seen.audit("reasons"), "injected,resync");
    assert_eq!(seen.verified.warnings, [""; 0]);
    // The API server may call again for the same write, and a later write keeps what is there now.
    for old in [&stored, &asking(&stored), &result] {
        assert!(see_as(&update(&result, old), Route::Mutate).is_left());
    }
    // As if the model had just been created.
    let created = see_as(&create(&asking(&model())), Route::Mutate);
    let created = created.result.unwrap();
    assert_eq!(sorted(&created["spec"]), sorted(&result["spec"]));
}

#[test]
fn a_request_that_was_stored_while_the_webhook_was_down_is_answered_by_the_next_write_or_taken_back()
 {
    let stored = see(&create(&model())).result.unwrap();
    let pending = asking(&stored);
    let seen = see_as(&update(&pending, &pending), Route::Mutate);
    let result = seen.result.unwrap();
    assert_eq!(port(&result), "6831");
    assert_eq!(result["metadata"]["annotations"].get(RESYNC), None);
    assert!(see_as(&update(&stored, &pending), Route::Mutate).is_left());
}

#[test]
fn the_request_goes_from_every_object_that_may_be_changed_and_does_nothing_else_to_it() {
    let mut untraced = model();
    untraced["metadata"]["annotations"] = json!({"team": "a"});
    let mut opted_out = model();
    opted_out["metadata"]["annotations"]["tracing"] = json!("false");
    let mut unclear = model();
    unclear["metadata"]["annotations"]["tracing"] = json!("yes");
    let stored = see_as(&create(&model()), Route::Mutate).result.unwrap();
    for (object, route) in [
        (&untraced, Route::Mutate),
        (&opted_out, Route::DefaultOn),
        (&unclear, Route::Mutate),
        (&stored, Route::Mutate),
    ] {
        let asks = asking(object);
        for question in [create(&asks), update(&asks, object), update(&asks, &asks)] {
            let seen = see_as(&question, route);
            assert_eq!(seen.result.as_ref(), Some(object));
            assert_eq!(seen.operations, 1);
            assert_ne!(seen.outcome, Outcome::Injected);
        }
    }
    let mut deleted = asking(&stored);
    deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert!(see_as(&update(&deleted, &deleted), Route::Mutate).is_left());
}

#[test]
fn what_is_no_longer_asked_for_goes_with_the_request() {
    let stored = see(&create(&model())).result.unwrap();
    let mut off = asking(&stored);
    off["metadata"]["annotations"]["tracing"] = json!("false");
    let seen = see_as(&update(&off, &stored), Route::Mutate);
    assert_eq!(seen.outcome, Outcome::Removed);
    let annotations = &seen.result.unwrap()["metadata"]["annotations"];
    assert_eq!(
        (annotations.get(RESYNC), annotations.get(RECORD)),
        (None, None)
    );
}
