//! The custom configuration of Seldon's documentation: a file of the Jaeger client in a ConfigMap.

use serde_json::{Value, json};

use crate::models::{component, examples, model, objects};
use crate::rig::Rig;

tests![
    the_config_map_that_we_mount_decides_the_sampler,
    a_file_of_the_users_own_is_all_that_the_wrapper_reads,
];

fn the_config_map_that_we_mount_decides_the_sampler(rig: &Rig) {
    let mut documents = examples("config-map.yaml");
    let stored = rig.webhook.create(model(&documents)).object;
    let place = component(&stored, "search-model");
    for (param, class, count) in [("0", "MountedNone", 0), ("1", "MountedAll", 4)] {
        let text = documents[0]["data"]["tracing.yml"].as_str().unwrap();
        let line = text.lines().find(|line| line.contains("param:")).unwrap();
        let file = text.replace(line, &format!("  param: {param}"));
        documents[0]["data"]["tracing.yml"] = Value::from(file);
        let mut search = rig.run_on(rig.node, &documents, place, class);
        search.predict(3);
        search.predict_by_grpc(1, None);
        rig.settle();
        // It names no agent: where to report comes from the variables that we set.
        rig.spans(class, count);
    }
}

/// Written as Seldon's documentation has it: the file is mounted by hand and says all.
const BY_HAND: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: tracing-config}
data:
  tracing.yml: |
    sampler: {type: const, param: PARAM}
    local_agent: {reporting_host: HOST, reporting_port: 6831}
    service_name: SERVICE
    logging: true
---
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata:
  name: by-hand
  annotations: {tracing: 'true'}
spec:
  predictors:
  - name: default
    graph: {name: classifier, type: MODEL}
    componentSpecs:
    - spec:
        containers:
        - name: classifier
          image: registry.example.com/classifier:1.0.0
          env:
          - {name: JAEGER_CONFIG_PATH, value: /etc/tracing/config/tracing.yml}
          volumeMounts:
          - {name: tracing-config, mountPath: /etc/tracing/config}
        volumes:
        - name: tracing-config
          configMap: {name: tracing-config}
";

fn a_file_of_the_users_own_is_all_that_the_wrapper_reads(rig: &Rig) {
    for (param, service, count) in [("0", "by-hand-none", 0), ("1", "by-hand-all", 2)] {
        let text = BY_HAND
            .replace("PARAM", param)
            .replace("HOST", &rig.node.0.to_string())
            .replace("SERVICE", service);
        let documents = objects(&text);
        let stored = rig.webhook.create(model(&documents)).object;
        let place = component(&stored, "classifier");
        let expected = json!([
            {"name": "JAEGER_CONFIG_PATH", "value": "/etc/tracing/config/tracing.yml"},
            {"name": "TRACING", "value": "1"},
        ]);
        assert_eq!(place.container["env"], expected);
        let mut classifier = rig.run_on(rig.node, &documents, place, "ByHand");
        classifier.predict(2);
        rig.settle();
        rig.spans(service, count);
        rig.spans("ByHand", 0);
    }
}
