//! All that the validation lets through starts, in the wrapper and in the orchestrator.

use crate::models::{annotate, component, example, predictor};
use crate::rig::Rig;
use crate::rig::kubelet::{Environment, environment, mount};
use crate::samplers::config_map;

tests![every_value_that_we_let_through_starts];

const HOSTS: [&str; 6] = [
    "status.hostIP",
    "jaeger-agent",
    "jaeger-agent.observability.svc.",
    "10.0.0.1",
    "[::1]",
    "[fe80:0:0:0::1]",
];
const PORTS: [&str; 4] = ["1", "5775", "6831", "65535"];
const SAMPLERS: [(&str, &str); 9] = [
    ("const", "0"),
    ("const", "1"),
    ("probabilistic", "0"),
    ("probabilistic", "00.50"),
    ("probabilistic", "1.000000000"),
    ("ratelimiting", "0"),
    ("ratelimiting", "010.5"),
    ("ratelimiting", "999999999.999999999"),
    ("remote", "0.25"),
];
const TAGS: [&str; 7] = [
    "a=b",
    "team=shop,model={name}",
    "place={namespace}/{predictor}",
    "empty=",
    "zone=${ZONE:unknown},a=${NONE:}",
    " spaced = out , words = two words",
    "sign=%&\"'\\",
];
const NAMES: [&str; 5] = ["{name}-{predictor}", "A.b_c/d:e", "{namespace}", "0", "-"];

/// Each row is a model with a value of each list; each value is in some row, and the lists are of different lengths, so that
/// no value is always in the same company. Half of the models read the sampler from a ConfigMap.
fn every_value_that_we_let_through_starts(rig: &Rig) {
    let mut environments = Vec::new();
    for row in 0..18 {
        let mut model = example("own-container.yaml");
        let (kind, param) = SAMPLERS[row % SAMPLERS.len()];
        let settings = [
            ("agent-host", HOSTS[row % HOSTS.len()]),
            ("agent-port", PORTS[row % PORTS.len()]),
            ("sampler-type", kind),
            ("sampler-param", param),
            ("tags", TAGS[row % TAGS.len()]),
            ("service-name", NAMES[row % NAMES.len()]),
        ];
        for (key, value) in settings {
            annotate(&mut model, &format!("tracing.seldon.io/{key}"), value);
        }
        if row >= SAMPLERS.len() {
            annotate(&mut model, "tracing.seldon.io/config-map", "jaeger-client");
        }
        let stored = rig.webhook.create(&model);
        assert_eq!(stored.warnings, [""; 0], "{settings:?}");
        let stored = stored.object;

        let orchestrator = &predictor(&stored, "default")["svcOrchSpec"]["env"];
        let start = rig.orchestrator_starts(&environment(orchestrator, rig.node));
        assert!(start.started, "{settings:?}: {start:?}");

        let place = component(&stored, "churn-model");
        let mut environment = environment(&place.container["env"], rig.node);
        let map = (row >= SAMPLERS.len()).then(|| config_map(kind, param));
        let root = rig.folder("root");
        mount(
            place.pod,
            place.container,
            map.as_slice(),
            &root,
            &mut environment,
        );
        environments.push((environment, settings));
    }
    let all: Vec<Environment> = environments.iter().map(|it| it.0.clone()).collect();
    for (start, (_, settings)) in rig.wrappers_start(&all).iter().zip(environments) {
        assert!(start.started, "{settings:?}: {start:?}");
    }
}
