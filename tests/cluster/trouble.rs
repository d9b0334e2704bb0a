//! What becomes of people's writes while the webhook answers badly, or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::models::{is_traced, model, untraced};
use crate::rig::Cluster;
use crate::rig::other_webhook::{OtherWebhook, Reply};
use crate::rig::registration::{Registration, is_called, register_named, until_in_force};
use crate::support::load;
use crate::writes::{create, failed_open, quietly};

tests![
    an_unwell_webhook_with_ignore_lets_models_pass_untraced,
    an_unwell_webhook_with_fail_refuses_models_by_its_name_and_says_why,
    answers_of_503_with_retry_after_are_asked_again_and_the_user_sees_nothing,
];

/// A kind of trouble, and what the API server says of it.
struct Trouble {
    name: &'static str,
    behave: fn(&Value) -> Reply,
    said: &'static str,
}

const TROUBLES: [Trouble; 5] = [
    Trouble {
        name: "status-500",
        behave: |_| Reply::Http(500, &[("content-type", "text/plain")], "on fire".to_owned()),
        said: "on fire",
    },
    Trouble {
        name: "garbage",
        behave: |_| {
            Reply::Http(
                200,
                &[("content-type", "application/json")],
                "on fire".to_owned(),
            )
        },
        said: "couldn't get version/kind",
    },
    Trouble {
        name: "empty",
        behave: |_| {
            Reply::Http(
                200,
                &[("content-type", "application/json")],
                "{}".to_owned(),
            )
        },
        said: "webhook response was absent",
    },
    Trouble {
        name: "other-uid",
        behave: |_| {
            let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "response": {"uid": "other", "allowed": true}});
            Reply::Http(
                200,
                &[("content-type", "application/json")],
                review.to_string(),
            )
        },
        said: "response.uid",
    },
    Trouble {
        name: "hanging",
        behave: |_| Reply::Never,
        said: "context deadline exceeded",
    },
];

/// Changes the CA by which the API server checks the webhook: to one that did not sign its certificate.
fn distrust(registration: &Registration<'_>) {
    let ca = load::authority().certificate().to_owned();
    let bundle = STANDARD.encode(ca);
    registration.change(|entry| entry["clientConfig"]["caBundle"] = json!(bundle));
}

fn an_unwell_webhook_with_ignore_lets_models_pass_untraced(cluster: &Cluster) {
    let name = "unwell.tracing.example.com";
    let space = cluster.apart("unwell");
    let webhook = OtherWebhook::start(cluster, |_| Reply::Ours);
    let registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        entry["timeoutSeconds"] = json!(2);
    });
    until_in_force(&space, "the webhook is called", is_called);
    webhook.asked();
    for trouble in &TROUBLES {
        webhook.behave(trouble.behave);
        quietly(create(&space, &model(trouble.name)));
        let stored = space.get(trouble.name);
        assert_eq!(stored["spec"], model(trouble.name)["spec"]);
        assert_eq!(
            failed_open(&space, trouble.name),
            [name],
            "{}",
            trouble.name
        );
        // Only `Retry-After` would have it asked again.
        assert_eq!(webhook.asked().len(), 1, "{}", trouble.name);
    }
    // This alone is not saved by Ignore, so we must never do it.
    let lost = json!({"op": "add", "path": "/spec/nowhere/at-all", "value": 1});
    webhook.behave(move |_| Reply::Patch(vec![lost.clone()]));
    let why = create(&space, &model("bad-patch")).refused();
    assert!(why.contains("does not apply"), "{why}");

    webhook.behave(|_| Reply::Ours);
    quietly(space.kubectl(&["label", "sdep", "--all", "team=a"]));
    for trouble in &TROUBLES {
        assert!(is_traced(&space.get(trouble.name)), "{}", trouble.name);
    }
    distrust(&registration);
    let passes = |outcome: &Result<Value, String>| outcome.as_ref().is_ok_and(|it| !is_traced(it));
    until_in_force(&space, "the webhook is not trusted", passes);
    quietly(create(&space, &model("wrong-ca")));
    assert!(!is_traced(&space.get("wrong-ca")));
    assert_eq!(failed_open(&space, "wrong-ca"), [name]);
}

fn an_unwell_webhook_with_fail_refuses_models_by_its_name_and_says_why(cluster: &Cluster) {
    let name = "strict.tracing.example.com";
    let space = cluster.apart("strict");
    let webhook = OtherWebhook::start(cluster, |_| Reply::Ours);
    let registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        entry["timeoutSeconds"] = json!(2);
        entry["failurePolicy"] = json!("Fail");
    });
    until_in_force(&space, "the webhook is called", is_called);
    let refused = |said: &str| {
        let why = create(&space, &model("model")).refused();
        assert!(
            why.contains(&format!("failed calling webhook \"{name}\"")),
            "{why}"
        );
        assert!(why.contains(said), "{why}");
    };
    for trouble in &TROUBLES {
        webhook.behave(trouble.behave);
        refused(trouble.said);
    }
    webhook.behave(|_| Reply::Ours);
    distrust(&registration);
    let untrusted =
        |outcome: &Result<Value, String>| outcome.as_ref().is_err_and(|why| why.contains("x509"));
    until_in_force(&space, "the webhook is not trusted", untrusted);
    refused("x509: certificate signed by unknown authority");
    quietly(create(&space, &untraced("model")));
}

fn answers_of_503_with_retry_after_are_asked_again_and_the_user_sees_nothing(cluster: &Cluster) {
    let space = cluster.apart("busy");
    let webhook = OtherWebhook::start(cluster, |_| Reply::Ours);
    let name = "busy.tracing.example.com";
    let _registration = register_named(&space, name, &webhook.url(), &webhook.ca, |entry| {
        assert_eq!(entry["timeoutSeconds"], 3, "time for a second try");
        entry["failurePolicy"] = json!("Fail");
    });
    until_in_force(&space, "the webhook is called", is_called);
    webhook.asked();
    let asked = AtomicUsize::new(0);
    webhook.behave(move |_| {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 {
            // As our own webhook sheds load.
            Reply::Http(
                503,
                &[("retry-after", "1"), ("content-type", "text/plain")],
                "busy".to_owned(),
            )
        } else {
            Reply::Ours
        }
    });
    let start = Instant::now();
    quietly(create(&space, &model("model")));
    assert!(is_traced(&space.get("model")));
    let asked = webhook.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked
            .iter()
            .all(|request| request["uid"] == asked[0]["uid"])
    );
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "not before Retry-After"
    );
}
