//! The webhook's answers, from the body of a request to the body of the answer, without a network.

use std::thread;

use proptest::prelude::*;
use seldon_tracing::admission::{MAX_UID, Malformed, Operation, Route, answer, uid_of};
use seldon_tracing::apiserver::question::Operation as Asked;
use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, Outcome, Setting, Task};
use seldon_tracing::offline;
use serde_json::{Value, json};

use crate::support::checked::{Seen, UID, create, look, model, question, see, update};
use crate::support::common;
use crate::support::forms::without_nulls;
use crate::support::generate::{Situation, anything, deployment, situation};

/// The variables of the first container.
fn env(object: &Value) -> &Value {
    &object["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["env"]
}

fn is_traced(object: &Value) -> bool {
    let is_tracing = |entry: &Value| *entry == json!({"name": "TRACING", "value": "1"});
    env(object)
        .as_array()
        .is_some_and(|env| env.iter().any(is_tracing))
}

/// What the offline engine makes of the same object.
fn offline(object: &Value) -> Value {
    let context = Context {
        namespace: Some("models"),
        ..Context::default()
    };
    let text = object.to_string();
    let done = offline::run(&text, &Config::default(), &context).unwrap();
    serde_json::from_str(&done.text.unwrap_or(text)).unwrap()
}

/// Allowed as it is, as a request that is none of ours.
#[track_caller]
fn is_other(seen: &Seen) {
    assert!(seen.is_left(), "{seen:?}");
    assert_eq!(seen.outcome, Outcome::Skipped);
    assert_eq!(seen.audit("outcome"), "skipped");
    assert_eq!(seen.audit("reasons"), "other-request");
    assert_eq!(seen.verified.warnings, Vec::<String>::new());
}

#[test]
fn a_create_is_injected_as_offline() {
    let seen = see(&create(&model()));
    let result = seen.result.as_ref().unwrap();
    assert!(is_traced(result));
    assert_eq!(*result, offline(&model()), "as offline");
    assert_eq!((seen.uid.as_str(), seen.outcome), (UID, Outcome::Injected));
    assert_eq!(seen.operation, Operation::Create);
    assert_eq!(seen.name.as_deref(), Some("model"));
    assert_eq!(seen.namespace.as_deref(), Some("models"));
    assert_eq!(seen.audit("outcome"), "injected");
    assert!(
        seen.targets.iter().sum::<usize>() >= 2,
        "{:?}",
        seen.targets
    );
    assert_eq!(seen.verified.warnings, Vec::<String>::new());
    assert!(!seen.dry_run);
}

#[test]
fn the_second_call_has_no_patch() {
    let stored = see(&create(&model())).result.unwrap();
    for again in [
        create(&stored),
        update(&stored, &stored),
        update(&stored, &model()),
    ] {
        let seen = see(&again);
        assert!(seen.is_left(), "{seen:?}");
        assert_eq!(seen.outcome, Outcome::Unchanged);
        let text = String::from_utf8(seen.bytes).unwrap();
        assert!(
            !text.contains("patch"),
            "neither patch nor its type: {text}"
        );
    }
}

#[test]
fn an_update_sticks_to_what_is_stored() {
    let stored = see(&create(&model())).result.unwrap();
    let mut other = Config::default();
    other.defaults.set(Setting::AgentPort, "6999");
    let ask =
        |question: &Value| look(question.to_string().as_bytes(), Route::Mutate, &other).unwrap();
    // Another configuration, and a change outside of what the pods are made of: the variables stay what they were.
    let mut labelled = stored.clone();
    labelled["metadata"]["labels"] = json!({"team": "shop"});
    let seen = ask(&update(&labelled, &stored));
    let env_after = env(seen.result.as_ref().unwrap());
    assert_eq!(env_after, env(&stored), "sticky");
    // The manifest is applied again, without what is ours: it comes back as it was.
    let mut applied = model();
    applied["metadata"]["annotations"] = stored["metadata"]["annotations"].clone();
    let seen = ask(&update(&applied, &stored));
    assert_eq!(env(seen.result.as_ref().unwrap()), env(&stored), "sticky");
}

#[test]
fn what_was_there_before_a_create_is_of_no_interest() {
    let stored = see(&create(&model())).result.unwrap();
    let mut odd = create(&model());
    odd["request"]["oldObject"] = stored;
    assert_eq!(see(&odd).bytes, see(&create(&model())).bytes);
}

#[test]
fn an_update_without_the_trigger_takes_it_out() {
    let stored = see(&create(&model())).result.unwrap();
    let mut off = stored.clone();
    off["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .shift_remove("tracing");
    let seen = see(&update(&off, &stored));
    assert_eq!(seen.outcome, Outcome::Removed);
    assert!(!is_traced(seen.result.as_ref().unwrap()));
}

#[test]
fn other_requests_are_allowed_as_they_are() {
    is_other(&see(&question(Asked::Delete, None, Some(&model()))));
    let changed = |path: &str, value: Value| {
        let mut changed = create(&model());
        *changed.pointer_mut(path).unwrap() = value;
        changed
    };
    is_other(&see(&changed("/request/operation", json!("CONNECT"))));
    is_other(&see(&changed("/request/operation", json!("create"))));
    is_other(&see(&changed("/request/operation", json!("\u{1f980}"))));
    is_other(&see(&changed("/request/kind/kind", json!("Deployment"))));
    is_other(&see(&changed("/request/kind/group", json!("apps"))));
    is_other(&see(&changed("/request/kind", json!({}))));
    for sub in ["status", "scale", "something"] {
        let mut question = create(&model());
        question["request"]["subResource"] = json!(sub);
        is_other(&see(&question));
    }
    let mut whole = create(&model());
    whole["request"]["subResource"] = json!("");
    assert_eq!(see(&whole).outcome, Outcome::Injected, "none is none");
}

/// The request without a field.
fn without(question: &mut Value, key: &str) {
    let request = question["request"].as_object_mut().unwrap();
    request.shift_remove(key);
}

#[test]
fn what_may_be_missing_or_more() {
    let expected = see(&create(&model()));
    let same = |change: &dyn Fn(&mut Value)| {
        let mut question = create(&model());
        change(&mut question);
        let seen = see(&question);
        assert_eq!(seen.bytes, expected.bytes, "{question}");
        seen
    };
    assert!(same(&|it| it["request"]["dryRun"] = json!(true)).dry_run);
    assert!(!same(&|it| it["request"]["dryRun"] = json!(null)).dry_run);
    same(&|it| drop(it["request"].as_object_mut().unwrap().shift_remove("name")));
    same(&|it| it["request"]["name"] = json!(null));
    same(&|it| it["request"]["name"] = json!(""));
    same(&|it| without(it, "namespace"));
    same(&|it| it["request"]["oldObject"] = json!(null));
    same(&|it| without(it, "oldObject"));
    same(&|it| without(it, "userInfo"));
    same(&|it| without(it, "options"));
    same(&|it| it["request"]["object"]["metadata"]["labels"] = json!(null));
    same(&|it| it["request"]["object"]["status"] = json!({"state": "Available"}));
    // Fields that a later API server may send.
    same(&|it| it["more"] = json!({"a": [1, {"b": null}]}));
    same(&|it| it["request"]["more"] = json!([[], {}, 1e300]));
    same(&|it| it["request"]["kind"]["more"] = json!(1));
    same(&|it| it["response"] = json!({"uid": "another", "allowed": false}));
}

#[test]
fn null_annotations_and_no_name() {
    let mut object = model();
    object["metadata"]["annotations"] = json!(null);
    let seen = see(&create(&object));
    // The API server sends no such null; it says what no annotations say.
    assert!(seen.is_left(), "{seen:?}");
    assert_eq!(seen.audit("reasons"), "no-trigger");
    object["metadata"] = json!({"generateName": "model-", "annotations": {"tracing": "true"}});
    let mut question = create(&object);
    question["request"]["name"] = json!("");
    let seen = see(&question);
    assert!(is_traced(seen.result.as_ref().unwrap()));
    assert_eq!(seen.name.as_deref(), Some("model"));
}

#[test]
fn older_versions_are_injected_too() {
    for version in ["v1alpha2", "v1alpha3"] {
        let mut object = model();
        object["apiVersion"] = json!(format!("machinelearning.seldon.io/{version}"));
        let mut question = create(&object);
        question["request"]["kind"]["version"] = json!(version);
        let seen = see(&question);
        let result = seen.result.unwrap();
        assert!(is_traced(&result));
        assert_eq!(result, offline(&object));
    }
}

#[test]
fn what_is_being_deleted_stays_as_it_is() {
    let mut object = model();
    object["metadata"]["deletionTimestamp"] = json!("2026-11-01T10:00:00Z");
    for question in [create(&object), update(&object, &model())] {
        let seen = see(&question);
        assert!(seen.is_left());
        assert_eq!(seen.audit("reasons"), "being-deleted");
    }
}

#[test]
fn the_path_decides_for_objects_without_a_trigger() {
    let mut object = model();
    object["metadata"]["annotations"] = json!({});
    let body = create(&object).to_string();
    let ask = |route| look(body.as_bytes(), route, &Config::default()).unwrap();
    assert!(ask(Route::Mutate).is_left());
    assert!(is_traced(ask(Route::DefaultOn).result.as_ref().unwrap()));
    // A no is a no there too.
    object["metadata"]["annotations"] = json!({"tracing": "false"});
    let body = create(&object).to_string();
    let seen = look(body.as_bytes(), Route::DefaultOn, &Config::default()).unwrap();
    assert!(seen.is_left());
}

#[test]
fn a_bad_annotation_is_allowed_with_one_warning() {
    let cases = [
        ("tracing.seldon.io/agent-port", json!("high\u{7}\u{202e}\n")),
        ("tracing.seldon.io/agent-port", json!("x".repeat(100_000))),
        (
            "tracing.seldon.io/sampler-type",
            json!("\u{1f980}".repeat(500)),
        ),
        ("tracing.seldon.io/nonsense", json!("x")),
        ("tracing", json!("maybe")),
        ("tracing", json!(true)),
        ("tracing.seldon.io/injected", json!("{forged")),
    ];
    for (key, value) in cases {
        let mut object = model();
        object["metadata"]["annotations"][key] = value;
        let seen = see(&create(&object));
        assert_eq!(
            seen.verified.warnings.len(),
            1,
            "{key}: {:?}",
            seen.verified.warnings
        );
    }
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    let body = create(&model()).to_string();
    let ask = || {
        let answer = answer(body.as_bytes(), Route::Mutate, &Config::default());
        answer.unwrap().body
    };
    let first = ask();
    thread::scope(|scope| {
        let threads = [0, 1].map(|_| scope.spawn(|| (0..50).map(|_| ask()).collect::<Vec<_>>()));
        for thread in threads {
            assert!(thread.join().unwrap().iter().all(|bytes| *bytes == first));
        }
    });
}

#[test]
fn the_uid_is_repeated_whatever_it_is() {
    let with = |uid: &str| {
        let mut question = create(&model());
        question["request"]["uid"] = json!(uid);
        question.to_string()
    };
    for uid in [
        "x",
        "\"quoted\"\\",
        "\u{0}\u{1f980}\n",
        &"u".repeat(MAX_UID),
    ] {
        let body = with(uid);
        let seen = look(body.as_bytes(), Route::Mutate, &Config::default()).unwrap();
        assert_eq!(seen.uid, uid);
        assert_eq!(uid_of(body.as_bytes()).as_deref(), Some(uid));
    }
    let refused = |uid: &str| {
        let body = with(uid);
        assert_eq!(uid_of(body.as_bytes()), None);
        look(body.as_bytes(), Route::Mutate, &Config::default()).unwrap_err()
    };
    assert_eq!(refused(""), Malformed::Missing("request.uid"));
    assert_eq!(refused(&"u".repeat(MAX_UID + 1)), Malformed::LongUid);
}

fn context(situation: &Situation) -> Context<'_> {
    Context {
        namespace: situation.namespace,
        namespace_default: situation.namespace_default,
        task: Task::Follow,
        nulls: None,
    }
}

/// The answer and the engine come to the same; gives the result.
fn holds(object: &Value, old: Option<&Value>, situation: &Situation) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.insert("kind".to_owned(), json!("SeldonDeployment"));
    }
    let mut question = match old {
        Some(old) => update(&object, old),
        None => create(&object),
    };
    question["request"]["namespace"] = json!(situation.namespace);
    let route = if situation.namespace_default {
        Route::DefaultOn
    } else {
        Route::Mutate
    };
    let body = question.to_string();
    let seen = look(body.as_bytes(), route, &situation.config).unwrap();
    let again = look(body.as_bytes(), route, &situation.config).unwrap();
    assert_eq!(seen.bytes, again.bytes, "deterministic");
    let (expected, outcome) = common::run(
        &object,
        old,
        &situation.config,
        &context(situation),
        |plan| plan.outcome,
    );
    assert_eq!(seen.outcome, outcome);
    // A null that the engine gives back is absent in the answer of the webhook.
    let result = seen.result.unwrap_or_else(|| object.clone());
    assert_eq!(without_nulls(&result), without_nulls(&expected));
    result
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_taken_and_is_what_the_engine_decides(object in deployment(), situation in situation()) {
        let stored = holds(&object, None, &situation);
        prop_assert_eq!(&holds(&stored, Some(&stored), &situation), &stored, "idempotent");
        holds(&object, Some(&stored), &situation);
    }

    #[test]
    fn anything_in_the_place_of_an_object_is_answered(object in anything(), old in anything(), situation in situation()) {
        prop_assume!(!object.is_null());
        holds(&object, None, &situation);
        holds(&object, Some(&old), &situation);
    }
}
