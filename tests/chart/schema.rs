//! A wrong value is refused, and the message says where and what.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::helm::{Helm, chart};
use crate::readme::described;
use crate::support::fixtures::documents;

tests![
    a_wrong_value_is_refused_with_its_place,
    every_leaf_of_the_schema_has_a_wrong_value,
    what_may_be_null_leaves_no_hole,
    what_does_not_go_together_is_refused
];

/// Values, and what is said about them.
const WRONG: &[(&str, &str)] = &[
    ("replica: 2", "additional properties 'replica' not allowed"),
    ("replicas: two", "at '/replicas': got string, want integer"),
    ("replicas: 0", "at '/replicas': minimum: got 0, want 1"),
    (
        "image: {name: x}",
        "at '/image': additional properties 'name' not allowed",
    ),
    (
        "image: {repository: ''}",
        "at '/image/repository': minLength: got 0, want 1",
    ),
    (
        "image: {tag: 'a b'}",
        "at '/image/tag': 'a b' does not match pattern",
    ),
    (
        "image: {tag: 1.0}",
        "at '/image/tag': got number, want string",
    ),
    (
        "image: {digest: abc}",
        "at '/image/digest': 'abc' does not match pattern",
    ),
    (
        "image: {pullPolicy: always}",
        "at '/image/pullPolicy': value must be one of 'IfNotPresent', 'Always', 'Never'",
    ),
    (
        "imagePullSecrets: [registry]",
        "at '/imagePullSecrets/0': got string, want object",
    ),
    (
        "certificates: {mode: vault}",
        "at '/certificates/mode': value must be one of 'self', 'cert-manager', 'external'",
    ),
    (
        "failurePolicy: fail",
        "at '/failurePolicy': value must be one of 'Ignore', 'Fail'",
    ),
    (
        "port: 70000",
        "at '/port': maximum: got 70,000, want 65,535",
    ),
    (
        "adminPort: '8080'",
        "at '/adminPort': got string, want integer",
    ),
    (
        "hostNetwork: 'yes'",
        "at '/hostNetwork': got string, want boolean",
    ),
    (
        "resources: {cpu: 1}",
        "at '/resources': additional properties 'cpu' not allowed",
    ),
    (
        "priorityClassName: 1",
        "at '/priorityClassName': got number, want string",
    ),
    (
        "nodeSelector: {gpu: true}",
        "at '/nodeSelector/gpu': got boolean, want string",
    ),
    (
        "affinity: {node: {}}",
        "at '/affinity': additional properties 'node' not allowed",
    ),
    (
        "tolerations: [{operator: Is}]",
        "at '/tolerations/0/operator': value must be one of",
    ),
    (
        "topologySpreadConstraints: [{maxSkew: 1}]",
        "at '/topologySpreadConstraints/0': missing properties 'topologyKey', 'whenUnsatisfiable'",
    ),
    (
        "podLabels: {app.kubernetes.io/name: mine}",
        "at '/podLabels/app.kubernetes.io~1name': false schema",
    ),
    (
        "podAnnotations: {a: 1}",
        "at '/podAnnotations/a': got number, want string",
    ),
    (
        "serviceLabels: {app.kubernetes.io/part-of: x}",
        "at '/serviceLabels/app.kubernetes.io~1part-of': false schema",
    ),
    (
        "serviceAnnotations: {a: true}",
        "at '/serviceAnnotations/a': got boolean, want string",
    ),
    (
        "extraArgs: [log-level=debug]",
        "at '/extraArgs/0': 'log-level=debug' does not match",
    ),
    (
        "repair: {enabled: 'no'}",
        "at '/repair/enabled': got string, want boolean",
    ),
    (
        "guard: {enabled: 1}",
        "at '/guard/enabled': got number, want boolean",
    ),
    ("repair: false", "at '/repair': got boolean, want object"),
    (
        "guard: {active: true}",
        "at '/guard': additional properties 'active' not allowed",
    ),
    (
        "controller: {replicas: 2}",
        "at '/controller': additional properties 'replicas' not",
    ),
    (
        "controller: {resources: null}",
        "at '/controller': missing property 'resources'",
    ),
    (
        "controller: {resources: {memory: 1Gi}}",
        "at '/controller/resources': additional properties 'memory'",
    ),
    (
        "controller: {priorityClassName: [high]}",
        "at '/controller/priorityClassName': got array, want string",
    ),
    (
        "controller: {nodeSelector: [infra]}",
        "at '/controller/nodeSelector': got array, want object",
    ),
    (
        "controller: {affinity: {pool: infra}}",
        "at '/controller/affinity': additional properties 'pool' not allowed",
    ),
    (
        "controller: {tolerations: {key: gpu}}",
        "at '/controller/tolerations': got object, want array",
    ),
    (
        "controller: {podLabels: {app.kubernetes.io/component: mine}}",
        "at '/controller/podLabels/app.kubernetes.io~1component': false schema",
    ),
    (
        "controller: {podAnnotations: {a: 1}}",
        "at '/controller/podAnnotations/a': got number, want string",
    ),
    (
        "controller: {extraArgs: --log-level=debug}",
        "at '/controller/extraArgs': got string, want array",
    ),
    (
        "collector: {enabled: 'true'}",
        "at '/collector/enabled': got string, want boolean",
    ),
    (
        "collector: {otlpInsecure: 'true'}",
        "at '/collector/otlpInsecure': got string, want boolean",
    ),
    (
        "collector: {image: {repository: ''}}",
        "at '/collector/image/repository': minLength: got 0, want 1",
    ),
    (
        "collector: {image: {repository: null}}",
        "at '/collector/image': missing property 'repository'",
    ),
    (
        "collector: {image: {tag: a/b}}",
        "at '/collector/image/tag': 'a/b' does not match pattern",
    ),
    (
        "collector: {image: {tag: null}}",
        "at '/collector/image': missing property 'tag'",
    ),
    (
        "collector: {tolerations: [{effect: Stay}]}",
        "at '/collector/tolerations/0/effect': value must be one of",
    ),
    (
        "networkPolicy: {enabled: 1}",
        "at '/networkPolicy/enabled': got number, want boolean",
    ),
    (
        "networkPolicy: {monitoring: [{namespace: a}]}",
        "at '/networkPolicy/monitoring/0': additional",
    ),
    (
        "serviceMonitor: {enabled: 'on'}",
        "at '/serviceMonitor/enabled': got string, want boolean",
    ),
    (
        "serviceMonitor: {labels: {release: 1}}",
        "at '/serviceMonitor/labels/release': got number, want string",
    ),
    (
        "collector: {otlpEndpoint: 'http://tempo:4317'}",
        "at '/collector/otlpEndpoint': 'http://tempo:4317' does not match pattern",
    ),
    (
        "collector: {resources: {limits: {memory: 1Gi}}}",
        "at '/collector/resources/limits/memory': '1Gi' does not match pattern",
    ),
    (
        "networkPolicy: {apiServer: [{ip: a}]}",
        "at '/networkPolicy/apiServer/0': additional",
    ),
    (
        "networkPolicy: {apiServer: [{}]}",
        "at '/networkPolicy/apiServer/0': minProperties",
    ),
    (
        "serviceMonitor: {interval: 30}",
        "at '/serviceMonitor/interval': got number, want string",
    ),
    (
        "prometheusRule: {enabled: 1}",
        "at '/prometheusRule/enabled': got number, want boolean",
    ),
    (
        "prometheusRule: {labels: {release: 1}}",
        "at '/prometheusRule/labels/release': got number, want string",
    ),
    (
        "dashboard: {enabled: 'on'}",
        "at '/dashboard/enabled': got string, want boolean",
    ),
    (
        "dashboard: {annotations: {folder: 1}}",
        "at '/dashboard/annotations/folder': got number, want string",
    ),
    (
        "dashboard: {labels: []}",
        "at '/dashboard/labels': got array, want object",
    ),
    (
        "test: {namespace: My_Models}",
        "at '/test/namespace': 'My_Models' does not match pattern",
    ),
    (
        "test: {wait: forever}",
        "at '/test/wait': 'forever' does not match pattern",
    ),
    ("config: null", "missing property 'config'"),
    (
        "config: {defaults: null}",
        "at '/config': missing property 'defaults'",
    ),
    (
        "config: {default: {}}",
        "at '/config': additional properties 'default' not allowed",
    ),
    (
        "config: {trigger: 'a b'}",
        "at '/config/trigger': 'a b' does not match pattern",
    ),
    (
        "config: {targets: {pods: true}}",
        "at '/config/targets': additional properties 'pods'",
    ),
    (
        "config: {defaults: {agentPort: 0}}",
        "at '/config/defaults/agentPort': minimum: got 0, want 1",
    ),
    (
        "config: {profiles: {a: {samplerParam: 1}}}",
        "at '/config/profiles/a': properties 'samplerType' required, if 'samplerParam' exists",
    ),
    (
        "config: {namespaces: {team-a: {agentPort: 0}}}",
        "at '/config/namespaces/team-a/agentPort': minimum: got 0, want 1",
    ),
    (
        "config: {defaults: {samplerType: remote, samplerParam: 2}}",
        "at '/config/defaults/samplerParam': maximum: got 2, want 1",
    ),
];

fn a_wrong_value_is_refused_with_its_place(helm: &Helm) {
    for (values, expected) in WRONG {
        let said = helm.template(values).refused();
        assert!(said.contains(expected), "{values}: {said}");
    }
}

fn schema() -> Value {
    let text = fs::read_to_string(chart().join("values.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The places of a schema that have no parts of their own. What several places share is one of them.
fn leaves(schema: &Value, place: &str, found: &mut BTreeSet<String>) {
    let Some(parts) = schema["properties"].as_object() else {
        found.insert(place.to_owned());
        return;
    };
    for (key, part) in parts {
        leaves(part, &format!("{place}/{key}"), found);
    }
}

fn every_leaf_of_the_schema_has_a_wrong_value(_: &Helm) {
    let mut found = BTreeSet::new();
    leaves(&schema(), "", &mut found);
    assert!(found.len() > 50, "{found:?}");
    // Helm itself wants an object there.
    found.remove("/global");
    found.retain(|place| {
        let [at, below] = ["'", "/"].map(|end| format!("at '{place}{end}"));
        let is_refused = |(_, said): &(&str, &str)| said.contains(&at) || said.contains(&below);
        !WRONG.iter().any(is_refused)
    });
    assert_eq!(found, BTreeSet::new());
}

/// Helm takes a null of the user's for no value.
fn what_may_be_null_leaves_no_hole(helm: &Helm) {
    let text = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let values = documents(&text).remove(0);
    let schema = jsonschema::validator_for(&schema()).unwrap();
    assert!(schema.is_valid(&values));
    let mut count = 0;
    for value in described() {
        let pointer = format!("/{}", value.path.replace('.', "/"));
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut without = values.clone();
        let parent = without.pointer_mut(parent).unwrap();
        parent.as_object_mut().unwrap().remove(key);
        if schema.is_valid(&without) {
            count += 1;
            let mut null = documents(crate::values::ALL).remove(0);
            let keys = value.path.split('.');
            *keys.fold(&mut null, |place, key| &mut place[key]) = Value::Null;
            let rendered = helm.template(&null.to_string()).ok();
            assert!(!rendered.contains("<nil>"), "{null}: {rendered}");
        }
    }
    assert!(count > 10, "{count}");
}

fn what_does_not_go_together_is_refused(helm: &Helm) {
    for values in ["hostNetwork: true", "{hostNetwork: true, port: 8080}"] {
        let said = helm.template(values).refused();
        assert!(said.contains("hostNetwork needs a port"), "{said}");
    }
}
