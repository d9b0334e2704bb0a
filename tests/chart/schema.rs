//! A wrong value is refused, and the message says where and what.

use crate::helm::Helm;

tests![
    a_wrong_value_is_refused_with_its_place,
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
        "extraArgs: [log-level=debug]",
        "at '/extraArgs/0': 'log-level=debug' does not match",
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

fn what_does_not_go_together_is_refused(helm: &Helm) {
    for values in ["hostNetwork: true", "{hostNetwork: true, port: 8080}"] {
        let said = helm.template(values).refused();
        assert!(said.contains("hostNetwork needs a port"), "{said}");
    }
}
