//! The Service, the webhook configuration, and the certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::Duration;

use super::sound::*;
use super::*;
use crate::commands::check::item::Verdict::{NotChecked, Warning, Wrong};
use crate::commands::check::seen::Served;
use crate::pki::Authority;

/// The first entry of the configuration.
fn entry(seen: &mut Seen) -> &mut Value {
    &mut seen.configuration.as_mut().unwrap()["webhooks"][0]
}

#[test]
fn the_service() {
    let wrong = [(Item::Service, Wrong)];
    let checks = broken(|seen| seen.slices = Ok(vec![]), &wrong);
    assert!(text(&checks, Item::Service).contains("no ready endpoint"));
    let checks = broken(
        |seen| {
            seen.slices = Ok(vec![]);
            let mut service = manifest("service.yaml");
            service["spec"]["selector"]["app.kubernetes.io/component"] = json!("other");
            seen.service = Ok(service);
        },
        &wrong,
    );
    assert!(text(&checks, Item::Service).contains("does not fit the labels"));
    broken(|seen| seen.service = absent(), &wrong);
}

#[test]
fn the_configuration() {
    broken(
        |seen| {
            let configuration = seen.configuration.as_mut().unwrap();
            configuration["webhooks"].as_array_mut().unwrap().pop();
        },
        &[(Item::Entries, Wrong)],
    );
    let wrong = &[(Item::Calls, Wrong)][..];
    let policy = &[(Item::FailurePolicy, Warning)][..];
    for (pointer, value, expected) in [
        ("/clientConfig/service/name", json!("x"), wrong),
        ("/clientConfig/service/namespace", json!("x"), wrong),
        ("/clientConfig/service/path", json!("/x"), wrong),
        ("/clientConfig/service/port", json!(8443), wrong),
        ("/clientConfig/service", json!(null), wrong),
        ("/rules", json!([]), wrong),
        ("/rules/0/operations", json!(["CREATE"]), wrong),
        ("/rules/0/apiVersions", json!(["v1alpha2"]), wrong),
        ("/rules/0/apiGroups", json!([]), wrong),
        ("/rules/0/resources", json!(["pods"]), wrong),
        ("/rules/0/resources", json!(["*/*"]), &[]),
        ("/rules/0/operations", json!(["*"]), &[]),
        ("/failurePolicy", json!("Fail"), policy),
    ] {
        broken(
            |seen| *entry(seen).pointer_mut(pointer).unwrap() = value,
            expected,
        );
    }
    let old = |name: &str, service: &str| {
        let mut configuration = manifest("webhook.yaml");
        configuration["metadata"]["name"] = json!(name);
        configuration["webhooks"][0]["name"] = json!("a.b.c");
        configuration["webhooks"][0]["clientConfig"]["service"] =
            json!({"namespace": "x", "name": service});
        configuration["webhooks"].as_array_mut().unwrap().pop();
        Ok(vec![configuration])
    };
    let two = [(Item::OtherWebhooks, Warning)];
    broken(
        |seen| seen.configurations = old("a", "jaeger-injector"),
        &two,
    );
    broken(|seen| seen.configurations = old("tracing", "b"), &two);
    broken(|seen| seen.configurations = old("a", "b"), &[]);
}

#[test]
fn the_certificates() {
    let other = Authority::new(None, now(), time::Duration::days(100)).unwrap();
    let trusting = |bundle: String| {
        move |seen: &mut Seen| entry(seen)["clientConfig"]["caBundle"] = json!(bundle)
    };
    let both = [(Item::CaBundle, Wrong), (Item::Certificate, NotChecked)];
    broken(trusting(String::new()), &both);
    broken(trusting("?".to_owned()), &both);
    broken(trusting(STANDARD.encode("x")), &both);
    let checks = broken(trusting(bundle(&other)), &[(Item::Certificate, Wrong)]);
    assert!(text(&checks, Item::Certificate).contains("is not signed by a CA in caBundle"));
    let rotating = STANDARD.encode([other.certificate(), AUTHORITY.certificate()].concat());
    broken(trusting(rotating), &[]);

    let serving =
        |served: Served| move |seen: &mut Seen| seen.served.push(("pod-b".to_owned(), served));
    broken(
        serving(chain("localhost", 90)),
        &[(Item::Certificate, Wrong)],
    );
    let soon = |seen: &mut Seen| seen.now = now() + Duration::days(80);
    broken(soon, &[(Item::Expiry, Warning)]);
    // A short life is no reason to be alarmed.
    let after = |hours: i64| {
        move |seen: &mut Seen| {
            seen.served = vec![("pod-b".to_owned(), chain(NAME, 1))];
            seen.now = now() + Duration::hours(hours);
        }
    };
    broken(after(12), &[]);
    broken(after(20), &[(Item::Expiry, Warning)]);
    let ended = [(Item::Certificate, Wrong), (Item::Expiry, Wrong)];
    broken(after(25), &ended);
    broken(after(-2), &[(Item::CaBundle, Wrong), ended[0], ended[1]]);
    let no_tls = Served::NoTls("closed".to_owned());
    broken(serving(no_tls), &ended);
    broken(serving(Served::Forbidden), &[]);
    let unknown = ended.map(|(item, _)| (item, NotChecked));
    for served in [Served::Forbidden, Served::Unreachable("x".to_owned())] {
        broken(
            |seen| seen.served = vec![("pod-a".to_owned(), served)],
            &unknown,
        );
    }
    broken(|seen| seen.served.clear(), &unknown);
    let near = |seen: &mut Seen| seen.now = now() + Duration::days(3640);
    let soon = [(Item::CaBundle, Warning), ended[0], ended[1]];
    broken(near, &soon);
}
