//! The sampler: of the orchestrator, for the graph behind it, and of the Python wrapper by a ConfigMap.

use serde_json::{Value, json};

use crate::models::{annotate, component, example};
use crate::predictions::{BY_GRPC, BY_REST};
use crate::rig::Rig;

tests![
    the_sampler_of_a_profile_decides_what_of_a_graph_is_traced,
    a_config_map_makes_the_sampler_hold_for_python_where_there_is_no_orchestrator,
];

/// Many enough that half of them is less than a third or more than two thirds once in a million runs. No multiple of ten, which is how
/// many the Python client sends at once: the rest has to arrive too.
const MANY: usize = 207;

/// A few by gRPC too, each of which takes longer.
const GRPC: usize = 3;

/// About half of many.
fn is_about_half(count: usize) -> bool {
    (MANY / 3..=MANY * 2 / 3).contains(&count)
}

/// The ConfigMap `jaeger-client` with a sampler, as a user writes it.
pub(crate) fn config_map(kind: &str, param: &str) -> Value {
    let file = match kind {
        // Without a sampler in its file, the Python client uses the remote one.
        "remote" => "{}\n".to_owned(),
        _ => format!("sampler:\n  type: {kind}\n  param: {param}\n"),
    };
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "jaeger-client"}, "data": {"tracing.yml": file}})
}

fn the_sampler_of_a_profile_decides_what_of_a_graph_is_traced(rig: &Rig) {
    for (profile, class) in [
        ("all", "ProfileAll"),
        ("half", "ProfileHalf"),
        ("none", "ProfileNone"),
    ] {
        let mut manifest = example("own-container.yaml");
        annotate(&mut manifest, "tracing", profile);
        let name = format!("orchestrator-{profile}");
        annotate(&mut manifest, "tracing.seldon.io/service-name", &name);
        let stored = rig.webhook.create(&manifest).object;
        let mut model = rig.run(&stored, "churn-model", class);
        // The orchestrator waits for nobody.
        model.predict(1);
        rig.spans(class, 1);
        let ids = rig.orchestrate(&stored, "default", MANY, &[&model]);
        rig.settle();
        // Each request is two spans of the orchestrator and one of the model, or nothing.
        let traced = rig.arrived(class).len() - 1;
        assert_eq!(ids.len(), traced, "{profile}");
        assert_eq!(rig.arrived(&name).len(), traced * 2, "{profile}");
        match profile {
            "all" => assert_eq!(traced, MANY),
            "half" => assert!(is_about_half(traced), "{traced}"),
            _ => assert_eq!(traced, 0),
        }
    }
}

fn a_config_map_makes_the_sampler_hold_for_python_where_there_is_no_orchestrator(rig: &Rig) {
    let rows = [
        // Without a ConfigMap the wrapper does not look at the sampler that it is given.
        ("true", Some("0"), None, "PythonUnread"),
        ("true", Some("0"), Some("jaeger-client"), "PythonNone"),
        ("true", Some("0.5"), Some("jaeger-client"), "PythonHalf"),
        ("true", Some("1"), Some("jaeger-client"), "PythonAll"),
        // For a profile, the user writes its sampler into the file.
        ("none", None, Some("jaeger-client"), "PythonProfileNone"),
        ("half", None, Some("jaeger-client"), "PythonProfileHalf"),
    ];
    // They live until all has arrived: a process that is ended takes with it what it has not sent.
    let mut models = Vec::new();
    for (profile, param, map, class) in rows {
        let mut manifest = example("own-container.yaml");
        manifest["spec"]["predictors"][0]["annotations"] = json!({"seldon.io/no-engine": "true"});
        annotate(&mut manifest, "tracing", profile);
        for (key, value) in [
            ("sampler-type", param.map(|_| "probabilistic")),
            ("sampler-param", param),
            ("config-map", map),
        ] {
            if let Some(value) = value {
                annotate(&mut manifest, &format!("tracing.seldon.io/{key}"), value);
            }
        }
        let stored = rig.webhook.create(&manifest);
        assert_eq!(stored.warnings, [""; 0]);
        let (kind, param) = match param {
            Some(param) => ("probabilistic", param),
            None if profile == "half" => ("probabilistic", "0.5"),
            None => ("const", "0"),
        };
        let maps: Vec<Value> = map.iter().map(|_| config_map(kind, param)).collect();
        let place = component(&stored.object, "churn-model");
        let mut env = place.container["env"].as_array().unwrap().iter();
        let told = env.any(|entry| entry["name"] == "JAEGER_SAMPLER_PARAM");
        assert_eq!(told, map.is_none());
        let mut model = rig.run_on(rig.node, &maps, place, class);
        model.predict(MANY);
        model.predict_by_grpc(GRPC, None);
        models.push(model);
    }
    rig.settle();
    let counts = |class| {
        let spans = rig.arrived(class);
        let count = |name| spans.iter().filter(|it| it.operation == name).count();
        (count(BY_REST), count(BY_GRPC))
    };
    assert_eq!(counts("PythonUnread"), (MANY, GRPC));
    assert_eq!(counts("PythonAll"), (MANY, GRPC));
    for class in ["PythonNone", "PythonProfileNone"] {
        assert_eq!(counts(class), (0, 0), "{class}");
    }
    for class in ["PythonHalf", "PythonProfileHalf"] {
        let (rest, grpc) = counts(class);
        assert!(
            is_about_half(rest) && grpc <= GRPC,
            "{class}: {rest}, {grpc}"
        );
    }
}
