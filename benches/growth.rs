//! How the cost of an answer grows with what is in the request: instructions counted by callgrind, which do not depend on what else the
//! machine does.
//!
//! `cargo bench --bench growth` grows each dimension from 10 to 10 000 and fails where the instructions grow more than 1.2 times as much as
//! the dimension. Beyond the bounds of `src/inject/bounds.rs` an object is left as it is, which costs less.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a benchmark that cannot go on says where, and its objects are made where they are used"
)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode};

use seldon_tracing::admission::{Route, answer};
use seldon_tracing::config::Config;
use seldon_tracing::inject::{Context, SeldonDeployment, plan};
use serde_json::{Map, Value, json};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// From one size to the next.
const GROWTH: f64 = 10.0;

/// The most that the cost may grow, as a multiple of what the dimension grows.
const MOST: f64 = 1.2;

/// The functions that callgrind counts in.
#[inline(never)]
fn answer_once(body: &[u8], config: &Config) -> usize {
    answer(body, Route::Mutate, config).map_or(0, |answer| answer.body.len())
}

#[inline(never)]
fn read_once(text: &str) -> usize {
    Config::read(text).map_or(0, |config| config.namespaces.len())
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if let (Some(what), Some(path)) = (arguments.next(), arguments.next()) {
        let body = fs::read(path).unwrap();
        let done = match what.as_str() {
            "answer_once" => answer_once(&body, &Config::default()),
            _ => read_once(str::from_utf8(&body).unwrap()),
        };
        return ExitCode::from(u8::from(done == 0));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.json");
    let mut worst = 0.0;
    let [a, b, c, d] = SIZES;
    println!("{:42} thousands of instructions for", "");
    println!("{:42} {a:>10} {b:>10} {c:>10} {d:>10}", "what grows");
    let answers = DIMENSIONS.map(|(name, build)| ("answer_once", name, build));
    let config = ("read_once", "namespaces of the config file", CONFIG);
    for (function, name, build) in answers.into_iter().chain([config]) {
        let mut line = format!("{name:42}");
        let mut before = None;
        for size in SIZES {
            fs::write(&path, build(size)).unwrap();
            let Some(cost) = instructions(function, &path) else {
                eprintln!(
                    "cannot count instructions: install valgrind, as in apt-get install valgrind"
                );
                return ExitCode::FAILURE;
            };
            let _ = write!(line, " {:>10.0}", cost / 1000.0);
            if let Some(before) = before.replace(cost) {
                let growth = cost / before / GROWTH;
                worst = f64::max(worst, growth);
                if growth > MOST {
                    let _ = write!(line, " (x {growth:.2})");
                }
            }
        }
        println!("{line}");
    }
    println!("worst growth: {worst:.2} of proportional; at most {MOST}");
    ExitCode::from(u8::from(worst > MOST))
}

/// The instructions of one call of a function with that file; nothing where callgrind cannot be run.
fn instructions(function: &str, file: &std::path::Path) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect=*{function}*"))
        .arg(env::current_exe().ok()?)
        .args([function.as_ref(), file.as_os_str()])
        .output()
        .ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = text
        .lines()
        .find_map(|line| line.split_once("Collected : "))?;
    collected.1.trim().parse().ok()
}

type Build = fn(usize) -> String;

const CONFIG: Build = |n| {
    (0..n).fold("namespaces:\n".to_owned(), |text, at| {
        text + &format!("  n{at}:\n")
    })
};

const DIMENSIONS: [(&str, Build); 19] = [
    ("containers", |n| {
        create(&object(&[], json!({}), vec![pod(containers(n))]))
    }),
    ("containers, each with tags of its own", |n| {
        create(&object(
            &[("tags", "c={container}".into())],
            json!({}),
            vec![pod(containers(n))],
        ))
    }),
    ("containers of an update", |n| {
        update(object(&[], json!({}), vec![pod(containers(n))]))
    }),
    ("containers, with a ConfigMap", |n| {
        update(object(
            &[("config-map", "jaeger".into())],
            json!({}),
            vec![pod(containers(n))],
        ))
    }),
    ("MLServers", |n| {
        let mut object = object(
            &[("otlp-endpoint", "otel:4317".into())],
            json!({}),
            vec![nodes(n)],
        );
        object["spec"]["protocol"] = json!("v2");
        create(&object)
    }),
    ("predictors", |n| {
        create(&object(&[], json!({}), vec![json!({}); n]))
    }),
    ("predictors, with 100 excluded names", |n| {
        create(&object(
            &[("exclude-containers", names(100))],
            json!({}),
            vec![json!({}); n],
        ))
    }),
    ("predictors, with 1000 engine annotations", |n| {
        create(&object(&[], engine(1_000), vec![json!({}); n]))
    }),
    ("predictors, each with a trigger", |n| {
        let predictor = json!({"annotations": {"tracing": "yes"}});
        create(&object(&[], json!({}), vec![predictor; n]))
    }),
    ("predictors of an update", |n| {
        let predictors = (0..n).map(|at| json!({"name": format!("p{at}")}));
        update(object(&[], json!({}), predictors.collect()))
    }),
    ("nodes", |n| create(&object(&[], json!({}), vec![nodes(n)]))),
    ("annotations", |n| {
        let mut object = object(&[], json!({}), vec![pod(containers(3)); 100]);
        for at in 0..n {
            object["metadata"]["annotations"][format!("a{at}")] = json!("");
        }
        create(&object)
    }),
    ("settings", |n| {
        let mut object = object(&[], json!({}), vec![json!({}); 100]);
        for at in 0..n {
            object["metadata"]["annotations"][format!("tracing.seldon.io/s{at}")] = json!("");
        }
        update(object)
    }),
    ("tags", |n| {
        let tags: Vec<String> = (0..n).map(|at| format!("a{at}={{name}}")).collect();
        create(&object(
            &[("tags", tags.join(","))],
            json!({}),
            vec![pod(containers(100))],
        ))
    }),
    ("excluded names", |n| {
        create(&object(
            &[("exclude-containers", names(n))],
            json!({}),
            vec![json!({}); 100],
        ))
    }),
    ("engine annotations", |n| {
        create(&object(&[], engine(n), vec![json!({}); 100]))
    }),
    ("variables of the user", |n| {
        let env: Vec<Value> = (0..n)
            .map(|at| json!({"name": format!("JAEGER_{at}"), "value": "x"}))
            .collect();
        update(object(
            &[],
            json!({}),
            vec![pod(vec![json!({"name": "c", "env": env})])],
        ))
    }),
    ("record entries that fit nothing", |n| {
        let mut object = object(&[], json!({}), vec![pod(containers(n))]);
        let entries = (0..n).map(|at| (format!("x{at}"), json!({"set": 0})));
        let record = json!({"v": 1, "sets": [{"TRACING": "1"}], "predictors": {"": {"containers": entries.collect::<Map<_, _>>()}}});
        object["metadata"]["annotations"]["tracing.seldon.io/injected"] = json!(record.to_string());
        review("UPDATE", &object, &object)
    }),
    ("keys in another order", |n| {
        let stored = injected(object(&[], json!({}), vec![json!({})]));
        let (mut one, mut other) = (stored.clone(), stored);
        for at in 0..n {
            one["spec"][format!("k{at}")] = json!(at);
            other["spec"][format!("k{}", n - 1 - at)] = json!(n - 1 - at);
        }
        review("UPDATE", &one, &other)
    }),
];

fn object(settings: &[(&str, String)], spec_annotations: Value, predictors: Vec<Value>) -> Value {
    let mut annotations = Map::from_iter([("tracing".to_owned(), json!("true"))]);
    for (name, value) in settings {
        annotations.insert(format!("tracing.seldon.io/{name}"), json!(value));
    }
    json!({
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "model", "namespace": "models", "annotations": annotations},
        "spec": {"annotations": spec_annotations, "predictors": predictors},
    })
}

fn containers(count: usize) -> Vec<Value> {
    (0..count)
        .map(|at| json!({"name": format!("model-{at}"), "image": "registry.example.com/team/model:1.4.0"}))
        .collect()
}

fn pod(containers: Vec<Value>) -> Value {
    json!({"componentSpecs": [{"spec": {"containers": containers}}]})
}

fn nodes(count: usize) -> Value {
    let nodes: Vec<Value> = (0..count)
        .map(|at| json!({"name": format!("node-{at}"), "implementation": "SKLEARN_SERVER"}))
        .collect();
    json!({"graph": {"name": "root", "children": nodes}})
}

fn names(count: usize) -> String {
    (0..count)
        .map(|at| format!("c{at}"))
        .collect::<Vec<_>>()
        .join(",")
}

fn engine(count: usize) -> Value {
    let entries = (0..count).map(|at| (format!("seldon.io/engine-jaeger-x{at}"), json!("")));
    Value::Object(entries.collect())
}

fn injected(mut object: Value) -> Value {
    let json = object.to_string();
    let view = SeldonDeployment::from_json(json.as_bytes()).unwrap();
    let config = Config::default();
    let patch = plan(&view, None, &config, &Context::default())
        .patch()
        .unwrap();
    json_patch::patch(&mut object, &patch).unwrap();
    object
}

fn review(operation: &str, object: &Value, old: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "u",
            "kind": {"group": "machinelearning.seldon.io", "version": "v1", "kind": "SeldonDeployment"},
            "operation": operation,
            "object": object,
            "oldObject": old,
        },
    })
    .to_string()
}

fn create(object: &Value) -> String {
    review("CREATE", object, &Value::Null)
}

/// The manifest is applied again over what was injected.
fn update(object: Value) -> String {
    let stored = injected(object.clone());
    review("UPDATE", &object, &stored)
}
