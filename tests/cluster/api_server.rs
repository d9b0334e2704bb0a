//! What the API server itself makes of us: what it counts, and the time that we cost it.

use std::time::{Duration, Instant};

use kube::api::PostParams;
use serde_json::{Value, json};

use crate::models::{self, essence, is_traced};
use crate::rig::metrics::sum_of;
use crate::rig::space::create;
use crate::rig::{Cluster, Space};

tests![
    the_api_server_has_no_complaint_whatever_is_written_and_asks_us_of_nothing_that_did_not_ask,
    the_time_that_tracing_adds_to_a_write_is_measured,
];

/// The entries of our configuration.
const ENTRIES: [&str; 2] = ["inject.tracing.seldon.io", "default-on.tracing.seldon.io"];

/// Writes of each kind whose time is taken.
const MEASURED: usize = 300;

fn the_api_server_has_no_complaint_whatever_is_written_and_asks_us_of_nothing_that_did_not_ask(
    cluster: &Cluster,
) {
    let before = metrics(cluster);
    let space = cluster.space("types");
    let default_on = cluster.default_on_space("types-by-default");
    let apart = cluster.apart("types-apart");
    let mut refused = 0;
    for (what, object) in odd() {
        let without = answer(&apart, &object);
        refused += usize::from(without.is_err());
        assert_eq!(answer(&space, &object), without, "{what}");
        // There it may be traced.
        let by_default = answer(&default_on, &object).err();
        assert_eq!(by_default, without.err(), "{what}, by default");
    }
    let asked = metrics(cluster);
    for number in 0..7 {
        let stored = answer(&space, &models::untraced(&format!("untraced-{number}")));
        assert!(!is_traced(&stored.unwrap()));
    }
    let after = metrics(cluster);
    eprintln!(
        "cluster: {refused} of {} odd objects were refused by the API server, as without us",
        odd().len()
    );

    let label = |entry: &str| format!(r#"name="{entry}""#);
    let delta = |name: &str, entry: &str, from: &str, to: &str| {
        let sum = |text: &str| sum_of(text, name, &[&label(entry)]);
        sum(to) - sum(from)
    };
    for entry in ENTRIES {
        for name in [
            "apiserver_admission_webhook_fail_open_count",
            "apiserver_admission_webhook_rejection_count",
        ] {
            assert_none(name, delta(name, entry, &before, &after));
        }
        // Of all that these tests have written.
        let name = "apiserver_admission_match_condition_evaluation_errors_total";
        assert_none(name, sum_of(&after, name, &[&label(entry)]));
        let name = "apiserver_admission_webhook_request_total";
        assert_none(name, delta(name, entry, &asked, &after));
    }
    let name = "apiserver_admission_match_condition_exclusions_total";
    let excluded = delta(name, ENTRIES[0], &asked, &after);
    assert!((excluded - 7.0).abs() < 0.5, "{excluded}");
    for name in [
        "apiserver_webhooks_x509_missing_san_total",
        "apiserver_webhooks_x509_insecure_sha1_total",
    ] {
        assert!(after.contains(name), "the API server counts no {name}");
        assert_none(name, sum_of(&after, name, &[]));
    }
}

/// Nothing is asserted about time, for the machine may be busy with other things.
fn the_time_that_tracing_adds_to_a_write_is_measured(cluster: &Cluster) {
    let space = cluster.space("latency");
    // The connections are there when it begins.
    for number in 0..20 {
        timed(&space, &models::model(&format!("warm-{number}")));
        timed(
            &space,
            &models::untraced(&format!("warm-untraced-{number}")),
        );
    }
    let (mut traced, mut untraced) = (Vec::new(), Vec::new());
    for number in 0..MEASURED {
        let (took, model) = timed(&space, &models::model(&format!("traced-{number}")));
        assert!(is_traced(&model), "{model}");
        traced.push(took);
        let (took, model) = timed(&space, &models::untraced(&format!("untraced-{number}")));
        assert!(!is_traced(&model), "{model}");
        untraced.push(took);
    }
    for (what, times) in [("with the webhook", traced), ("without it", untraced)] {
        let (middle, high) = percentiles(times);
        eprintln!("cluster: {MEASURED} creates {what}: p50 {middle:.2?}, p99 {high:.2?}");
    }
}

fn metrics(cluster: &Cluster) -> String {
    cluster.kubectl(&["get", "--raw", "/metrics"]).ok()
}

#[track_caller]
fn assert_none(name: &str, count: f64) {
    assert!(count.abs() < 0.5, "{name}: {count}");
}

/// What the API server answers, without what differs from namespace to namespace.
fn answer(space: &Space<'_>, object: &Value) -> Result<Value, String> {
    let created = create(space.cluster.client(), space.name.clone(), object.clone());
    match space.cluster.block_on(created) {
        Ok(stored) => {
            let mut essence = essence(&stored);
            essence["metadata"]["namespace"] = json!("here");
            Ok(essence)
        }
        Err(refusal) => Err(refusal.replace(&space.name, "here")),
    }
}

/// Objects of odd types. None of them asks for tracing in words that we know.
fn odd() -> Vec<(String, Value)> {
    let specs = [
        ("no spec", json!("absent")),
        ("spec null", json!(null)),
        ("spec a string", json!("x")),
        ("spec a list", json!([])),
        ("spec empty", json!({})),
        (
            "spec annotations null",
            json!({"annotations": null, "predictors": []}),
        ),
        (
            "spec annotations a string",
            json!({"annotations": "x", "predictors": []}),
        ),
        ("predictors null", json!({"predictors": null})),
        ("predictors a string", json!({"predictors": "x"})),
        ("predictors of null", json!({"predictors": [null]})),
        (
            "predictors of strings",
            json!({"predictors": ["x", 1, true]}),
        ),
        (
            "predictor annotations a list",
            json!({"predictors": [{"name": "p", "annotations": [1]}]}),
        ),
        (
            "predictor annotations null",
            json!({"predictors": [{"name": "p", "annotations": null}]}),
        ),
    ];
    let annotations = [
        ("no annotations", json!("absent")),
        ("annotations null", json!(null)),
        ("annotations of null", json!({"tracing": null})),
        ("the trigger false", json!({"tracing": "false"})),
        ("the trigger a number", json!({"tracing": 1})),
        ("annotations a string", json!("x")),
    ];
    let mut all = Vec::new();
    for (spec_name, spec) in &specs {
        for (annotations_name, annotations) in &annotations {
            let mut object = models::untraced(&format!("odd-{}", all.len()));
            put(&mut object, "spec", spec);
            put(&mut object["metadata"], "annotations", annotations);
            all.push((format!("{spec_name}, {annotations_name}"), object));
        }
    }
    all
}

fn put(holder: &mut Value, key: &str, value: &Value) {
    let holder = holder.as_object_mut().unwrap();
    if value == "absent" {
        holder.remove(key);
    } else {
        holder.insert(key.to_owned(), value.clone());
    }
}

/// Creates it, and says how long that took.
fn timed(space: &Space<'_>, model: &Value) -> (Duration, Value) {
    let object = serde_json::from_value(model.clone()).unwrap();
    let (models, parameters) = (space.models(), PostParams::default());
    space.cluster.block_on(async {
        let began = Instant::now();
        let created = models.create(&parameters, &object).await;
        let took = began.elapsed();
        (took, serde_json::to_value(created.unwrap()).unwrap())
    })
}

/// Half of the times are below the first, all but one in a hundred below the second.
fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
