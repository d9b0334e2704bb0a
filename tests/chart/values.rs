//! Every value does what it says: each is set, and seen in an object.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::helm::{Helm, NAMESPACE, objects};
use crate::readme::described;
use crate::support::fixtures::documents;

tests![
    every_value_is_seen_in_an_object,
    the_trigger_is_set_in_one_place,
    the_whole_config_comes_through,
    what_is_switched_off_is_not_there,
];

/// All options at once.
pub(crate) const ALL: &str = "
guard: {enabled: true}
collector: {enabled: true}
serviceMonitor: {enabled: true}
dashboard: {enabled: true}
test: {namespace: models}
config: {profiles: {sampled: {samplerType: probabilistic, samplerParam: 0.1}}}
";

const WEBHOOK: &str = "Deployment seldon-tracing";
const CONTROLLER: &str = "Deployment seldon-tracing-controller";
const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";
const LABELS: &str = "/spec/template/metadata/labels/team";
const NOTES: &str = "/spec/template/metadata/annotations/note";
const TAINT: &str = "[{key: gpu, operator: Exists}]";
const NEAR: &str = "{nodeAffinity: {a: b}}";

/// A value, what it is set to, an object by kind and name, where in it that is seen, and as what. An empty place: in its text.
type Case = (&'static str, &'static str, &'static str, String, Value);

fn at(place: &str, below: &str) -> String {
    format!("{place}{below}")
}

fn of_pods(prefix: &str, object: &'static str) -> Vec<Case> {
    let path = |key: &str| -> &'static str { format!("{prefix}{key}").leak() };
    vec![
        (
            path("resources"),
            "{requests: {cpu: 1}}",
            object,
            at(CONTAINER, "/resources/requests/cpu"),
            json!(1),
        ),
        (
            path("priorityClassName"),
            "high",
            object,
            at(POD, "/priorityClassName"),
            json!("high"),
        ),
        (
            path("nodeSelector"),
            "{pool: infra}",
            object,
            at(POD, "/nodeSelector"),
            json!({"pool": "infra"}),
        ),
        (
            path("affinity"),
            NEAR,
            object,
            at(POD, "/affinity"),
            json!({"nodeAffinity": {"a": "b"}}),
        ),
        (
            path("tolerations"),
            TAINT,
            object,
            at(POD, "/tolerations"),
            json!([{"key": "gpu", "operator": "Exists"}]),
        ),
        (
            path("podLabels"),
            "{team: ml}",
            object,
            LABELS.to_owned(),
            json!("ml"),
        ),
        (
            path("podAnnotations"),
            "{note: x}",
            object,
            NOTES.to_owned(),
            json!("x"),
        ),
        (
            path("extraArgs"),
            "[--log-level=debug]",
            object,
            at(CONTAINER, "/args"),
            json!("--log-level=debug"),
        ),
    ]
}

fn of_the_webhook() -> Vec<Case> {
    const ENTRIES: &str = "MutatingWebhookConfiguration seldon-tracing";
    const CONFIG: &str = "ConfigMap seldon-tracing-config";
    const SERVICE: &str = "Service seldon-tracing";
    const POLICY: &str = "NetworkPolicy seldon-tracing";
    let digest = format!("sha256:{}", "0".repeat(64));
    let by_digest = format!("seldon-tracing@{digest}");
    let image = || at(CONTAINER, "/image");
    let text = |path, set, expected: &str| (path, set, CONFIG, String::new(), json!(expected));
    let peer = json!([{"ipBlock": {"cidr": "10.0.0.0/28"}}]);
    let block = "[{ipBlock: {cidr: 10.0.0.0/28}}]";
    let mut cases = of_pods("", WEBHOOK);
    cases.extend([
        (
            "image.repository",
            "r.example/x",
            WEBHOOK,
            image(),
            json!("r.example/x:0.1.0"),
        ),
        (
            "image.tag",
            "'1.0'",
            WEBHOOK,
            image(),
            json!("seldon-tracing:1.0"),
        ),
        (
            "image.digest",
            digest.leak(),
            WEBHOOK,
            image(),
            json!(by_digest),
        ),
        (
            "image.pullPolicy",
            "Always",
            WEBHOOK,
            at(CONTAINER, "/imagePullPolicy"),
            json!("Always"),
        ),
        (
            "imagePullSecrets",
            "[{name: r}]",
            WEBHOOK,
            at(POD, "/imagePullSecrets"),
            json!([{"name": "r"}]),
        ),
        text(
            "config",
            "{namespaces: {a: {agentPort: 1}}}",
            "agentPort: 1",
        ),
        text(
            "config.trigger",
            "acme.example/traced",
            "trigger: acme.example/traced",
        ),
        text("config.targets.containers", "false", "containers: false"),
        text(
            "config.targets.orchestrator",
            "false",
            "orchestrator: false",
        ),
        text(
            "config.targets.prepackagedServers",
            "false",
            "prepackagedServers: false",
        ),
        text("config.targets.explainer", "false", "explainer: false"),
        text(
            "config.targets.initContainers",
            "true",
            "initContainers: true",
        ),
        text("config.defaults.agentHost", "jaeger", "agentHost: jaeger"),
        text("config.defaults.agentPort", "6831", "agentPort: 6831"),
        text(
            "config.defaults.samplerType",
            "remote",
            "samplerType: remote",
        ),
        text("config.defaults.samplerParam", "0.25", "samplerParam: 0.25"),
        text(
            "config.profiles",
            "{few: {samplerType: const, samplerParam: 0}}",
            "few:",
        ),
        text(
            "config.namespaces",
            "{team-a: {agentPort: 6831}}",
            "team-a:",
        ),
        (
            "certificates.mode",
            "external",
            CONTROLLER,
            at(CONTAINER, "/args"),
            json!("--certificates=false"),
        ),
        (
            "failurePolicy",
            "Fail",
            ENTRIES,
            "/webhooks/0/failurePolicy".into(),
            json!("Fail"),
        ),
        (
            "failurePolicy",
            "Fail",
            ENTRIES,
            "/webhooks/1/failurePolicy".into(),
            json!("Fail"),
        ),
        ("replicas", "3", WEBHOOK, "/spec/replicas".into(), json!(3)),
        (
            "port",
            "10260",
            WEBHOOK,
            at(CONTAINER, "/args"),
            json!("--listen=10260"),
        ),
        (
            "port",
            "10260",
            WEBHOOK,
            at(CONTAINER, "/ports/0/containerPort"),
            json!(10260),
        ),
        (
            "port",
            "10260",
            POLICY,
            "/spec/ingress/0/ports/0/port".into(),
            json!(10260),
        ),
        (
            "adminPort",
            "9090",
            WEBHOOK,
            at(CONTAINER, "/args"),
            json!("--admin-listen=9090"),
        ),
        (
            "adminPort",
            "9090",
            WEBHOOK,
            at(CONTAINER, "/ports/1/containerPort"),
            json!(9090),
        ),
        (
            "adminPort",
            "9090",
            POLICY,
            "/spec/ingress/1/ports/0/port".into(),
            json!(9090),
        ),
        (
            "adminPort",
            "9090",
            CONTROLLER,
            at(CONTAINER, "/args"),
            json!("--admin-listen=9090"),
        ),
        (
            "hostNetwork",
            "true\nport: 10260",
            WEBHOOK,
            at(POD, "/hostNetwork"),
            json!(true),
        ),
        (
            "hostNetwork",
            "true\nport: 10260",
            WEBHOOK,
            "/spec/strategy/rollingUpdate/maxSurge".into(),
            json!(0),
        ),
        (
            "topologySpreadConstraints",
            "[]",
            WEBHOOK,
            at(POD, "/topologySpreadConstraints"),
            Value::Null,
        ),
        (
            "serviceLabels",
            "{team: ml}",
            SERVICE,
            "/metadata/labels/team".into(),
            json!("ml"),
        ),
        (
            "serviceAnnotations",
            "{note: x}",
            SERVICE,
            "/metadata/annotations/note".into(),
            json!("x"),
        ),
        (
            "networkPolicy.enabled",
            "false",
            POLICY,
            "/kind".into(),
            Value::Null,
        ),
        (
            "networkPolicy.apiServer",
            block,
            POLICY,
            "/spec/ingress/0/from".into(),
            peer.clone(),
        ),
        (
            "networkPolicy.monitoring",
            block,
            POLICY,
            "/spec/ingress/1/from".into(),
            peer,
        ),
        (
            "networkPolicy.monitoring",
            "[]",
            POLICY,
            "/spec/ingress/1".into(),
            Value::Null,
        ),
    ]);
    cases
}

fn of_the_rest() -> Vec<Case> {
    const DAEMON: &str = "DaemonSet seldon-tracing-collector";
    const BACKEND: &str = "ConfigMap seldon-tracing-collector";
    const MONITOR: &str = "ServiceMonitor seldon-tracing";
    const BOARD: &str = "ConfigMap seldon-tracing-dashboard";
    const POLICY: &str = "ValidatingAdmissionPolicy seldon-tracing-guard";
    const RULE: &str = "PrometheusRule seldon-tracing";
    const TEST: &str = "Pod seldon-tracing-test";
    let args = || "/spec/containers/0/args".to_owned();
    let label = || "/metadata/labels/team".to_owned();
    let mut cases = of_pods("controller.", CONTROLLER);
    cases.extend([
        (
            "repair.enabled",
            "false",
            CONTROLLER,
            at(CONTAINER, "/args"),
            json!("--repair=false"),
        ),
        (
            "repair.enabled",
            "false",
            "ClusterRole seldon-tracing-repair",
            "/kind".into(),
            Value::Null,
        ),
        (
            "guard.enabled",
            "true",
            POLICY,
            "/kind".into(),
            json!("ValidatingAdmissionPolicy"),
        ),
        (
            "collector.enabled",
            "true",
            DAEMON,
            "/kind".into(),
            json!("DaemonSet"),
        ),
        (
            "collector.otlpEndpoint",
            "tempo:4317",
            BACKEND,
            "/data/OTLP_ENDPOINT".into(),
            json!("tempo:4317"),
        ),
        (
            "collector.otlpInsecure",
            "false",
            BACKEND,
            "/data/OTLP_INSECURE".into(),
            json!("false"),
        ),
        (
            "collector.image.repository",
            "x",
            DAEMON,
            at(CONTAINER, "/image"),
            json!("x:0.165.0"),
        ),
        (
            "collector.image.tag",
            "'1'",
            DAEMON,
            at(CONTAINER, "/image"),
            json!("otel/opentelemetry-collector:1"),
        ),
        (
            "collector.resources",
            "{limits: {memory: 400Mi}}",
            DAEMON,
            at(CONTAINER, "/env/2/value"),
            json!("240MiB"),
        ),
        (
            "collector.tolerations",
            TAINT,
            DAEMON,
            at(POD, "/tolerations/0/key"),
            json!("gpu"),
        ),
        (
            "serviceMonitor.enabled",
            "true",
            MONITOR,
            "/spec/endpoints/0/port".into(),
            json!("admin"),
        ),
        (
            "serviceMonitor.labels",
            "{team: ml}",
            MONITOR,
            label(),
            json!("ml"),
        ),
        (
            "serviceMonitor.interval",
            "30s",
            MONITOR,
            "/spec/endpoints/0/interval".into(),
            json!("30s"),
        ),
        (
            "prometheusRule.enabled",
            "true",
            RULE,
            "/kind".into(),
            json!("PrometheusRule"),
        ),
        (
            "prometheusRule.labels",
            "{team: ml}",
            RULE,
            label(),
            json!("ml"),
        ),
        (
            "dashboard.enabled",
            "true",
            BOARD,
            "/metadata/labels/grafana_dashboard".into(),
            json!("1"),
        ),
        (
            "dashboard.labels",
            "{team: ml}",
            BOARD,
            label(),
            json!("ml"),
        ),
        (
            "dashboard.annotations",
            "{note: x}",
            BOARD,
            "/metadata/annotations/note".into(),
            json!("x"),
        ),
        (
            "test.namespace",
            "models",
            TEST,
            args(),
            json!("--namespace=models"),
        ),
        (
            "test.namespace",
            "models",
            "Role seldon-tracing-test-model",
            "/metadata/namespace".into(),
            json!("models"),
        ),
        ("test.wait", "5s", TEST, args(), json!("--wait=5s")),
    ]);
    cases
}

/// `a.b` and `x` as YAML. A part that is an option is switched on.
fn values(path: &str, set: &str) -> String {
    let mut text = format!("\"{}\":", path.replace('.', "\": {\""));
    text = text.trim_start_matches('"').replacen("\":", ":", 1);
    let option = ["collector", "serviceMonitor", "prometheusRule", "dashboard"];
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if option.contains(&first) && rest != "enabled" {
        text = text.replacen('{', "{enabled: true, ", 1);
    }
    let (set, more) = set.split_once('\n').unwrap_or((set, ""));
    format!(
        "{text} {set}{}\n{more}\n",
        "}".repeat(path.matches('.').count())
    )
}

fn every_value_is_seen_in_an_object(helm: &Helm) {
    let cases = [of_the_webhook(), of_the_rest()].concat();
    let set: BTreeSet<_> = cases.iter().map(|case| case.0.to_owned()).collect();
    let known: BTreeSet<_> = described().into_iter().map(|it| it.path).collect();
    let parents = |path: &&String| !known.iter().any(|it| it.starts_with(&format!("{path}.")));
    let missing: Vec<_> = known.difference(&set).filter(parents).collect();
    assert_eq!(missing, Vec::<&String>::new(), "no test sets these");
    let unknown: Vec<_> = set.difference(&known).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "without a comment");
    let find = |text: &str, object: &str| {
        let (kind, name) = object.split_once(' ').unwrap();
        let found = objects(text).into_iter();
        let mut found = found.filter(|(key, _)| (key.0.as_str(), key.2.as_str()) == (kind, name));
        found.next().map_or(Value::Null, |(_, object)| object)
    };
    let plain = helm.template("").ok();
    for (path, set, object, place, expected) in cases {
        let values = values(path, set);
        let text = helm.template(&values).ok();
        let seen = |text: &str| {
            let object = find(text, object);
            if place.is_empty() {
                return object["data"]["config.yaml"]
                    .as_str()
                    .unwrap()
                    .contains(expected.as_str().unwrap());
            }
            let found = object.pointer(&place).unwrap_or(&Value::Null);
            *found == expected
                || found
                    .as_array()
                    .is_some_and(|list| list.contains(&expected))
        };
        assert!(
            seen(&text),
            "{values}: {expected} at {place} of {}",
            find(&text, object)
        );
        assert!(!seen(&plain), "{values}: it is so by default");
    }
}

fn the_trigger_is_set_in_one_place(helm: &Helm) {
    let values = "{guard: {enabled: true}, config: {trigger: acme.example/traced, profiles: {b: {}, a: {}}}}";
    let text = helm.template(values).ok();
    let objects = objects(&text);
    let find = |kind: &str| objects.values().find(|it| it["kind"] == kind).unwrap();
    let expressions = |object: &Value| {
        let mut found = Vec::new();
        for entry in object["webhooks"].as_array().unwrap() {
            found.extend(entry["matchConditions"].as_array().unwrap().iter().cloned());
        }
        Value::from(found).to_string()
    };
    let plain = helm.objects("guard: {enabled: true}");
    let plain = |kind: &str| plain.values().find(|it| it["kind"] == kind).unwrap();
    let (kind, guard) = ("MutatingWebhookConfiguration", "ValidatingAdmissionPolicy");
    let renamed = |text: &str| text.replace("'tracing'", "'acme.example/traced'");
    assert_eq!(expressions(find(kind)), renamed(&expressions(plain(kind))));
    assert!(expressions(find(kind)).contains("'acme.example/traced'"));
    // The label of a namespace is another thing, and keeps its key.
    let label = |text: &str| {
        text.replace("'tracing' in namespaceObject", "L")
            .replace("labels['tracing']", "L2")
    };
    let spec = |object: &Value| label(&object["spec"].to_string());
    let expected = renamed(&spec(plain(guard))).replace("\"[]\"", "\"['a','b']\"");
    assert_eq!(spec(find(guard)), expected);
}

fn the_whole_config_comes_through(helm: &Helm) {
    let config = json!({
        "trigger": "t",
        "targets": {"containers": false, "orchestrator": true, "prepackagedServers": true, "explainer": true, "initContainers": true},
        "defaults": {
            "agentHost": "[::1]", "agentPort": 6831, "samplerType": "ratelimiting", "samplerParam": 2.5,
            "serviceName": "{namespace}/{name}", "tags": "model={name}", "excludeContainers": ["sidecar"],
        },
        "profiles": {"sampled": {"samplerType": "probabilistic", "samplerParam": 0.1}},
        "namespaces": {"team-a": {"agentHost": "jaeger-agent.team-a"}},
    });
    let objects = helm.objects(&json!({"config": config}).to_string());
    let key = ["ConfigMap", NAMESPACE, "seldon-tracing-config"].map(str::to_owned);
    let text = objects[&key.into()]["data"]["config.yaml"]
        .as_str()
        .unwrap();
    assert_eq!(documents(text), [config]);
    let file = helm.values(text);
    let output = crate::support::binary::command()
        .args(["config", "check"])
        .arg(file)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn what_is_switched_off_is_not_there(helm: &Helm) {
    // Nothing is left for a controller to do.
    let rendered = helm.objects("{certificates: {mode: external}, repair: {enabled: false}}");
    let of_it = |name: &String| name.contains("controller") || name.contains("certificates");
    assert!(!rendered.keys().any(|key| of_it(&key.2)), "{rendered:?}");
    assert!(!rendered.keys().any(|key| key.0.contains("Role")));
    let rendered = helm.objects("{networkPolicy: {enabled: false}, collector: {enabled: true}}");
    assert!(!rendered.keys().any(|key| key.0 == "NetworkPolicy"));
}
