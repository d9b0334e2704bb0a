//! Writes for which nobody asks us.

use serde_json::json;

use crate::models::{is_traced, model};
use crate::rig::other_webhook::{OtherWebhook, Reply};
use crate::rig::registration::{is_called, register_named, until_in_force};
use crate::rig::{Cluster, until};
use crate::writes::{create, quietly};

tests![
    an_object_that_is_being_deleted_is_not_our_business,
    status_and_scale_are_written_without_us,
];

fn an_object_that_is_being_deleted_is_not_our_business(cluster: &Cluster) {
    let space = cluster.apart("deleting");
    let webhook = OtherWebhook::start(cluster, |_| Reply::Ours);
    let name = "deleting.tracing.example.com";
    let _registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        entry["failurePolicy"] = json!("Fail");
    });
    until_in_force(&space, "the webhook is called", is_called);
    let mut held = model("model");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    quietly(create(&space, &held));
    let before = space.get("model");
    assert!(is_traced(&before));
    // From now on whatever calls it is refused.
    webhook.behave(|_| Reply::Http(500, &[], String::new()));
    webhook.asked();
    std::thread::scope(|scope| {
        // It waits until the object is gone.
        let deleted = scope.spawn(|| space.kubectl(&["delete", "sdep/model", "--timeout=60s"]));
        until("the object is being deleted", || {
            space.get("model")["metadata"]["deletionTimestamp"].is_string()
        });
        for annotation in ["note=1", "tracing=false"] {
            let annotate = ["annotate", "--overwrite", "sdep/model", annotation];
            quietly(space.kubectl(&annotate));
        }
        let deleting = space.get("model");
        assert_eq!(deleting["spec"], before["spec"], "being deleted");
        let release = "--patch=[{\"op\": \"remove\", \"path\": \"/metadata/finalizers\"}]";
        quietly(space.kubectl(&["patch", "sdep/model", "--type=json", release]));
        quietly(deleted.join().unwrap());
    });
    assert!(!webhook.is_called(), "being deleted: {:?}", webhook.asked());
    let gone = space.kubectl(&["get", "sdep/model"]).refused();
    assert!(gone.contains("NotFound"), "{gone}");
}

fn status_and_scale_are_written_without_us(cluster: &Cluster) {
    let space = cluster.apart("status");
    let webhook = OtherWebhook::start(cluster, |_| Reply::Ours);
    let name = "status.tracing.example.com";
    let _registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        entry["failurePolicy"] = json!("Fail");
    });
    until_in_force(&space, "the webhook is called", is_called);
    quietly(create(&space, &model("model")));
    let mut before = space.get("model");
    assert!(is_traced(&before));
    webhook.behave(|_| Reply::Http(500, &[], String::new()));
    webhook.asked();

    quietly(space.kubectl(&["scale", "sdep/model", "--replicas=3"]));
    // As the operator of Seldon does.
    let status = "--patch={\"status\": {\"state\": \"Available\", \"replicas\": 3}}";
    let patch = [
        "patch",
        "sdep/model",
        "--subresource=status",
        "--type=merge",
        status,
    ];
    quietly(space.kubectl(&patch));
    assert!(!webhook.is_called(), "{:?}", webhook.asked());
    let after = space.get("model");
    assert_eq!(after["status"]["state"], "Available");
    before["spec"]["replicas"] = json!(3);
    assert_eq!(after["spec"], before["spec"]);

    // And the next write that does call us finds nothing to do.
    webhook.behave(|_| Reply::Ours);
    quietly(space.kubectl(&["annotate", "sdep/model", "note=1"]));
    assert_eq!(webhook.asked().len(), 1);
    assert_eq!(space.get("model")["spec"], before["spec"], "idempotent");
}
