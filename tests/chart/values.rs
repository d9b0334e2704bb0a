//! Every value does what it says: each is set, and seen in an object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::helm::{Helm, NAMESPACE, Objects, objects};
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
prometheusRule: {enabled: true}
dashboard: {enabled: true}
test: {namespace: models}
config: {profiles: {sampled: {samplerType: probabilistic, samplerParam: 0.1}}}
";

/// Rows of a value, what it is set to, an object, a place in it, and what is there.
const CASES: &str = include_str!("values.txt");

/// `a.b` set to something, beside all options where it is none. The network of the node needs another port.
fn values(path: &str, set: &str) -> String {
    let around = |value, key: &str| format!("{{{key}: {value}}}");
    let value = path.rsplit('.').fold(set.to_owned(), around);
    let mut values = beside(path);
    json_patch::merge(&mut values, &documents(&value).remove(0));
    if path == "hostNetwork" {
        values["port"] = json!(10260);
    }
    values.to_string()
}

fn beside(path: &str) -> Value {
    if path.ends_with(".enabled") {
        return json!({});
    }
    documents(ALL).remove(0)
}

fn every_value_is_seen_in_an_object(helm: &Helm) {
    let plain = objects(&helm.template("").ok());
    let all = objects(&helm.template(ALL).ok());
    let mut rendered = BTreeMap::new();
    let mut set = BTreeSet::new();
    let rows = CASES.lines().filter(|line| !line.starts_with('#'));
    for row in rows {
        let parts: Vec<_> = row.split(" | ").collect();
        let [path, value, object, place, expected] = parts[..].try_into().unwrap();
        set.insert(path.to_owned());
        let expected: Value = serde_json::from_str(expected).unwrap();
        let place = place.replace("{container}", "{pod}/containers/0");
        let place = place.replace("{pod}", "/spec/template/spec");
        let rendered = rendered
            .entry(values(path, value))
            .or_insert_with_key(|values| objects(&helm.template(values).ok()));
        let seen = |objects: &Objects| is_seen(objects, object, &place, &expected);
        assert!(seen(rendered), "{row}");
        let default = if beside(path) == json!({}) {
            &plain
        } else {
            &all
        };
        assert!(!seen(default), "it is so by default: {row}");
    }
    let known: BTreeSet<_> = described().into_iter().map(|it| it.path).collect();
    let is_leaf = |path: &&String| {
        let parts = format!("{path}.");
        !known.iter().any(|it| it.starts_with(&parts))
    };
    let known: BTreeSet<_> = known.iter().filter(is_leaf).cloned().collect();
    assert_eq!(set, known, "values with a test, and values with a comment");
}

fn is_seen(objects: &Objects, object: &str, place: &str, expected: &Value) -> bool {
    let (kind, name) = object.split_once(' ').unwrap();
    let mut objects = objects.iter();
    let object = objects.find(|(key, _)| (key.0.as_str(), key.2.as_str()) == (kind, name));
    let found = object.and_then(|(_, object)| object.pointer(place));
    match found.unwrap_or(&Value::Null) {
        Value::Array(items) if items.contains(expected) => true,
        Value::String(text) if text.contains('\n') => {
            expected.as_str().is_some_and(|part| text.contains(part))
        }
        found => found == expected,
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
    // Alerts about it are of no use then.
    let groups = |values: &str| {
        let values = format!("{{prometheusRule: {{enabled: true}}, {values}}}");
        let rendered = helm.objects(&values);
        let rule = rendered.values().find(|it| it["kind"] == "PrometheusRule");
        let groups = rule.unwrap()["spec"]["groups"].as_array().unwrap();
        groups
            .iter()
            .map(|it| it["name"].clone())
            .collect::<Vec<_>>()
    };
    let (webhook, controller) = ("seldon-tracing-webhook", "seldon-tracing-controller");
    let (external, no_repair) = ("certificates: {mode: external}", "repair: {enabled: false}");
    assert_eq!(groups(external), [webhook, controller]);
    assert_eq!(groups(no_repair), [webhook, controller]);
    assert_eq!(groups(&format!("{external}, {no_repair}")), [webhook]);
    let rendered = helm.objects("{networkPolicy: {enabled: false}, collector: {enabled: true}}");
    assert!(!rendered.keys().any(|key| key.0 == "NetworkPolicy"));
}
