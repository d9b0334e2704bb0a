//! The request for a new decision: answered by one write, and never stored while a webhook answers.

use serde_json::{Value, json};

use crate::models::{container, is_traced, model, untraced, value, written};
use crate::rig::kubectl::Ran;
use crate::rig::lone_webhook::LoneWebhook;
use crate::rig::registration::{is_called, register, until_in_force};
use crate::rig::{Cluster, Space};
use crate::steps::{create, merge};
use crate::writes::quietly;

tests![
    a_request_brings_the_new_config_and_is_never_stored,
    a_request_on_a_model_that_is_none_of_ours_is_not_stored_either,
];

const RESYNC: &str = "tracing.seldon.io/resync";

fn port(object: &Value) -> Option<&str> {
    value(container(object), "JAEGER_AGENT_PORT")
}

fn request(object: &Value) -> &Value {
    &object["metadata"]["annotations"][RESYNC]
}

fn ask(space: &Space<'_>, name: &str, more: &[&str]) -> Ran {
    let annotation = format!("{RESYNC}=now");
    let model = format!("sdep/{name}");
    let ask = ["annotate", "--overwrite", &model, &annotation];
    space.kubectl(&[&ask[..], more].concat())
}

fn a_request_brings_the_new_config_and_is_never_stored(cluster: &Cluster) {
    let space = cluster.apart("resync");
    let mut webhook = LoneWebhook::start(cluster);
    let _registration = register(&space, &webhook.url(), &webhook.ca, |_| {});
    until_in_force(&space, "the webhook is called", is_called);
    let first = create(&space, &model("model"));
    assert_eq!(port(&first), Some("5775"));
    // With nothing to change, nothing is written.
    quietly(ask(&space, "model", &[]));
    assert_eq!(written(&space.get("model")).generation, 1);
    assert!(request(&space.get("model")).is_null());

    webhook.go_down();
    webhook.come_back("defaults: {agentPort: 6831}\n");
    quietly(space.kubectl(&["annotate", "sdep/model", "note=1"]));
    let sticky = space.get("model");
    assert_eq!(
        (port(&sticky), written(&sticky).generation),
        (Some("5775"), 1)
    );
    let dry = ask(&space, "model", &["--dry-run=server", "-o", "json"]).json();
    assert_eq!((port(&dry), request(&dry)), (Some("6831"), &Value::Null));
    assert_eq!(written(&space.get("model")), written(&sticky), "a dry run");

    let before = written(&space.get("model"));
    quietly(ask(&space, "model", &[]));
    let anew = space.get("model");
    assert!(is_traced(&anew));
    assert_eq!((port(&anew), written(&anew).generation), (Some("6831"), 2));
    // One write, which is the next version: the request is in none.
    let path = format!(
        "{}?watch=1&timeoutSeconds=1&resourceVersion={}",
        space.models().resource_url(),
        before.resource_version
    );
    let events = space.kubectl(&["get", "--raw", &path]).ok();
    let events: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(written(&events[0]["object"]), written(&anew));
    assert!(
        !events[0]
            .to_string()
            .contains("\"tracing.seldon.io/resync\":")
    );

    // Nobody answers: it stays, changes nothing, and the next write carries it out.
    webhook.go_down();
    quietly(ask(&space, "model", &[]));
    let pending = space.get("model");
    assert_eq!(
        (request(&pending), port(&pending)),
        (&json!("now"), Some("6831"))
    );
    assert_eq!(written(&pending).generation, 2);
    webhook.come_back("defaults: {agentPort: 6833}\n");
    quietly(space.kubectl(&["annotate", "sdep/model", "note=2", "--overwrite"]));
    let after = space.get("model");
    assert_eq!(
        (request(&after), port(&after)),
        (&Value::Null, Some("6833"))
    );
}

/// The conditions of the webhook ask for it by name.
fn a_request_on_a_model_that_is_none_of_ours_is_not_stored_either(cluster: &Cluster) {
    for space in [
        cluster.space("request"),
        cluster.default_on_space("request"),
    ] {
        let mut off = untraced("off");
        off["metadata"]["annotations"] = json!({"tracing": "false"});
        create(&space, &off);
        quietly(ask(&space, "off", &[]));
        merge(
            &space,
            "off",
            &json!({"metadata": {"annotations": {"tracing": null}}}),
        );
        quietly(ask(&space, "off", &[]));
        let left = space.get("off");
        assert!(request(&left).is_null(), "{left}");
        off["metadata"] =
            json!({"name": "new", "annotations": {"tracing": "false", RESYNC: "now"}});
        let new = create(&space, &off);
        assert!(request(&new).is_null(), "{new}");
        assert_eq!(new["metadata"]["annotations"], json!({"tracing": "false"}));
    }
}
