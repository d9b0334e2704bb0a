//! Properties of the engine over generated `SeldonDeployments`. `PROPTEST_CASES` scales how many are tried.

use proptest::prelude::*;
use seldon_tracing::inject::{Context, Outcome, Plan, RECORD, RESYNC, Setting, Task};
use serde_json::{Value, json};

use crate::support::common;
use crate::support::forms::{check_injection, container_names, sorted, stripped};
use crate::support::generate::{Situation, anything, deployment, plain, situation};
use crate::support::mutate::{accidents, mutate};

fn context<'c>(situation: &'c Situation, task: Task<'c>) -> Context<'c> {
    Context {
        namespace: situation.namespace,
        namespace_default: situation.namespace_default,
        task,
        nulls: None,
    }
}

/// The object after what `task` says was done with it.
fn after(object: &Value, old: Option<&Value>, situation: &Situation, task: Task<'_>) -> Value {
    common::run(
        object,
        old,
        &situation.config,
        &context(situation, task),
        |_| (),
    )
    .0
}

fn inject(object: &Value, situation: &Situation) -> Value {
    after(object, None, situation, Task::Follow)
}

fn uninject(object: &Value, situation: &Situation) -> Value {
    after(object, None, situation, Task::Uninject)
}

fn is_settled(object: &Value, old: Option<&Value>, situation: &Situation) -> bool {
    common::run(
        object,
        old,
        &situation.config,
        &context(situation, Task::Follow),
        |plan: &Plan<'_>| plan.is_empty(),
    )
    .1
}

/// The object with its record replaced, or without it.
fn with_record(object: &Value, record: Option<&Value>) -> Value {
    let mut object = object.clone();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return object;
    };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.shift_remove(RECORD);
        annotations.extend(record.map(|record| (RECORD.to_owned(), record.clone())));
    }
    object
}

fn record(object: &Value) -> Option<&Value> {
    object["metadata"].get("annotations")?.get(RECORD)
}

/// The object without the trigger, wherever it stood.
fn without_trigger(object: &Value) -> Value {
    let mut object = object.clone();
    let drop_from = |holder: &mut Value| {
        if let Some(annotations) = holder.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.shift_remove("tracing");
        }
    };
    for key in ["metadata", "spec"] {
        object.get_mut(key).into_iter().for_each(drop_from);
    }
    let predictors = object
        .pointer_mut("/spec/predictors")
        .and_then(Value::as_array_mut);
    predictors.into_iter().flatten().for_each(drop_from);
    object
}

fn cases() -> ProptestConfig {
    // A failure that matters becomes a test with a name, not a line in a file of seeds.
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn an_injection_only_adds_and_settles(object in deployment(), situation in situation()) {
        let context = context(&situation, Task::Follow);
        let (result, (outcome, only_adds)) = common::run(&object, None, &situation.config, &context, |plan| {
            let patch = serde_json::to_value(plan.patch().unwrap()).unwrap();
            (plan.outcome, patch.as_array().unwrap().iter().all(|operation| operation["op"] == "add"))
        });
        prop_assert!(only_adds);
        prop_assert_eq!(record(&result).is_some(), outcome == Outcome::Injected);
        check_injection(&object, &result);
        check_mlservers(&object, &result);
        prop_assert!(is_settled(&result, None, &situation), "injecting twice is injecting once");
    }

    #[test]
    fn what_was_put_in_can_be_taken_out(object in deployment(), situation in situation()) {
        let result = inject(&object, &situation);
        prop_assert_eq!(&uninject(&result, &situation), &object);
        prop_assert_eq!(&uninject(&object, &situation), &object);
    }

    #[test]
    fn a_trigger_that_was_put_in_goes_too(object in deployment(), situation in situation(), value in prop::sample::select(vec!["true", "sampled", "false"])) {
        let object = without_trigger(&object);
        let result = after(&object, None, &situation, Task::Trigger(value));
        prop_assert!(is_settled(&result, None, &situation));
        prop_assert_eq!(&after(&result, None, &situation, Task::Trigger(value)), &result);
        prop_assert_eq!(&uninject(&result, &situation), &object);
    }

    #[test]
    fn without_its_trigger_an_object_loses_all_of_ours(object in deployment(), mut situation in situation()) {
        let result = inject(&object, &situation);
        situation.namespace_default = false;
        let opted_out = inject(&without_trigger(&result), &situation);
        prop_assert_eq!(&opted_out, &without_trigger(&object));
        let opted_out = after(&without_trigger(&result), Some(&result), &situation, Task::Follow);
        prop_assert_eq!(&opted_out, &without_trigger(&object));
    }

    #[test]
    fn an_update_that_changes_nothing_else_gets_back_what_was_there(object in deployment(), one in situation(), mut other in situation()) {
        // What is not of the type that it should be is never taken for the same.
        let object = plain(&object);
        let result = inject(&object, &one);
        other.namespace_default = one.namespace_default;
        // An object without our annotation is not known to us: it gets what the new config says.
        if record(&result).is_none() {
            return Ok(());
        }
        prop_assert!(is_settled(&result, Some(&result), &other), "sticky");
        for reapplied in [object.clone(), with_record(&object, record(&result))] {
            prop_assert_eq!(&after(&reapplied, Some(&result), &other, Task::Follow)["spec"], &result["spec"]);
        }
    }

    #[test]
    fn a_new_configuration_gives_what_it_would_have_given(object in deployment(), one in situation(), mut other in situation()) {
        other.namespace_default = one.namespace_default;
        let moved = inject(&inject(&object, &one), &other);
        prop_assert_eq!(sorted(&moved), sorted(&inject(&object, &other)));
        prop_assert!(is_settled(&moved, None, &other));
        prop_assert_eq!(&uninject(&moved, &other), &object);
    }

    #[test]
    fn a_request_brings_the_new_configuration_to_an_object_that_has_not_changed(object in deployment(), one in situation(), mut other in situation()) {
        other.namespace_default = one.namespace_default;
        let stored = inject(&object, &one);
        if !stored["metadata"]["annotations"].is_object() {
            return Ok(());
        }
        let mut asks = stored.clone();
        asks["metadata"]["annotations"][RESYNC] = json!("now");
        let anew = after(&asks, Some(&stored), &other, Task::Follow);
        let mut expected = inject(&stored, &other);
        // Where the record was alone, the annotations go with it.
        expected["metadata"]["annotations"][RESYNC] = json!("now");
        prop_assert_eq!(sorted(&anew), sorted(&expected), "the engine leaves the request itself");
    }

    #[test]
    fn one_predictor_opts_out_alone(object in deployment(), situation in situation()) {
        let result = inject(&object, &situation);
        if items(&result).len() < 2 || !items(&result)[0].is_object() {
            return Ok(());
        }
        let opt_out = |object: &Value| {
            let mut object = object.clone();
            let annotations = &mut object["spec"]["predictors"][0]["annotations"];
            if !annotations.is_object() {
                *annotations = json!({});
            }
            annotations["tracing"] = json!("false");
            object
        };
        let left = inject(&opt_out(&result), &situation);
        let never = opt_out(&object);
        prop_assert_eq!(&items(&left)[0], &items(&never)[0]);
        prop_assert_eq!(&items(&left)[1..], &items(&result)[1..]);
    }

    #[test]
    fn anything_can_be_read(object in anything(), old in proptest::option::of(anything()), situation in situation()) {
        for task in [Task::Follow, Task::Trigger("true"), Task::Uninject] {
            after(&object, old.as_ref(), &situation, task);
        }
    }

    #[test]
    fn whatever_happens_to_an_object_only_ours_is_taken_out(
        object in deployment(), situation in situation(), accidents in accidents(), task in tasks(),
    ) {
        let mut hurt = inject(&object, &situation);
        mutate(&mut hurt, &accidents);
        check_loss(&hurt, None, &situation, task);
        check_loss(&hurt, Some(&inject(&object, &situation)), &situation, task);
    }

    #[test]
    fn a_forged_record_takes_out_nothing_but_what_we_write(
        object in deployment(), injected in deployment(), situation in situation(), accidents in accidents(), task in tasks(),
    ) {
        // A record of another object, and what accidents make of it.
        let Some(text) = record(&inject(&injected, &situation)).and_then(Value::as_str).map(str::to_owned) else { return Ok(()) };
        let mut forged: Value = serde_json::from_str(&text).unwrap();
        mutate(&mut forged, &accidents);
        for text in [text, forged.to_string()] {
            let object = with_record(&object, Some(&json!(text)));
            let old = with_record(&injected, Some(&json!(text)));
            check_loss(&object, None, &situation, task);
            check_loss(&object, Some(&old), &situation, task);
            check_loss(&object, Some(&object), &situation, task);
        }
    }
}

/// The names of the nodes that run in `MLServer`: by Seldon's table of servers, and the user's own where an annotation gives an endpoint.
fn mlservers(node: &Value, with_own: bool, found: &mut Vec<Value>) {
    let others = [
        "SIMPLE_MODEL",
        "SIMPLE_ROUTER",
        "RANDOM_ABTEST",
        "AVERAGE_COMBINER",
        "UNKNOWN_IMPLEMENTATION",
        "TRITON_SERVER",
        "TENSORFLOW_SERVER",
    ];
    if match node["implementation"].as_str() {
        None | Some("") => with_own && node.is_object(),
        Some(server) => !others.contains(&server),
    } {
        found.push(node["name"].clone());
    }
    for child in node["children"].as_array().into_iter().flatten() {
        mlservers(child, with_own, found);
    }
}

/// Whether the strongest annotation that can be used gives an endpoint.
fn has_endpoint_annotation(object: &Value, predictor: &Value) -> bool {
    [predictor, &object["metadata"], &object["spec"]]
        .iter()
        .filter_map(|holder| holder["annotations"]["tracing.seldon.io/otlp-endpoint"].as_str())
        .find(|text| Setting::OtlpEndpoint.accepts(text))
        .is_some_and(|text| !text.is_empty())
}

/// Checks that `MLServer` gets its own variable and nothing else, and that nobody else gets that one.
fn check_mlservers(before: &Value, after: &Value) {
    for (at, predictor) in items(after).iter().enumerate() {
        let mut names = Vec::new();
        if ["v2", "kfserving"]
            .map(Value::from)
            .contains(&after["spec"]["protocol"])
        {
            let with_own = has_endpoint_annotation(after, predictor);
            mlservers(&predictor["graph"], with_own, &mut names);
        }
        let components = predictor["componentSpecs"].as_array();
        for (component, spec) in components.into_iter().flatten().enumerate() {
            let containers = spec["spec"]["containers"].as_array();
            for (index, container) in containers.into_iter().flatten().enumerate() {
                let users = format!(
                    "/spec/predictors/{at}/componentSpecs/{component}/spec/containers/{index}/env"
                );
                let users = before
                    .pointer(&users)
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                let name = container["name"].as_str().unwrap_or_default();
                let is_mlserver = !name.is_empty() && names.contains(&container["name"]);
                for entry in container["env"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .skip(users)
                {
                    let is_its_own = entry["name"] == "MLSERVER_TRACING_SERVER";
                    assert_eq!(is_its_own, is_mlserver, "{container} {names:?}");
                }
            }
        }
    }
}

fn tasks() -> BoxedStrategy<Task<'static>> {
    prop::sample::select(vec![
        Task::Follow,
        Task::Follow,
        Task::Trigger("true"),
        Task::Uninject,
    ])
    .boxed()
}

fn items(object: &Value) -> &[Value] {
    object["spec"]["predictors"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

/// Checks that a plan takes nothing out that could not be ours, and settles.
fn check_loss(object: &Value, old: Option<&Value>, situation: &Situation, task: Task<'_>) {
    let result = after(object, old, situation, task);
    if !matches!(task, Task::Trigger(_)) {
        assert_eq!(stripped(object), stripped(&result));
    }
    let mut left = container_names(&result, false);
    for name in container_names(object, true) {
        let at = left.iter().position(|other| *other == name);
        assert!(at.is_some(), "the container {name} is gone");
        left.swap_remove(at.unwrap_or_default());
    }
    if task != Task::Uninject {
        // A record that was forged is trusted for one update at most.
        let settled = after(&result, old.map(|_| &result), situation, Task::Follow);
        assert!(old.is_some() || settled == result);
        assert!(is_settled(&settled, old.map(|_| &settled), situation));
    }
}
