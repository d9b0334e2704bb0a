//! `review` when the API server would refuse the answer, or get none: exit code 1, the reason, and what failurePolicy does.

use std::net::TcpListener;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::asking::{against, answering, injecting};
use super::fake::{Fake, answer, authority, fake, fake_with, leaf, review, status};
use crate::command::MODEL;

/// An answer, what is said of it, and whether failurePolicy Ignore saves the write.
type Bad = (
    Box<dyn Fn(&Value) -> Response + Send + Sync>,
    &'static str,
    bool,
);

fn bad(fields: Value, said: &'static str, saved: bool) -> Bad {
    let answers = move |question: &Value| answer(&review(question, &fields));
    (Box::new(answers), said, saved)
}

#[test]
fn answers_that_the_api_server_refuses_are_explained() {
    let patch = |text: &str| json!({"patchType": "JSONPatch", "patch": STANDARD.encode(text)});
    let cases: Vec<Bad> = vec![
        (
            Box::new(|_| status(500, "it broke")),
            "status 500: it broke",
            true,
        ),
        (
            Box::new(|_| status(404, "")),
            "status 404; is this a seldon-tracing webhook?",
            true,
        ),
        (
            Box::new(|_| status(200, "hello")),
            "at line 1 column 1; is this a seldon-tracing webhook?",
            true,
        ),
        (Box::new(|_| status(200, "")), "no body", true),
        (
            Box::new(answer),
            "no response; did the webhook send the request back?",
            true,
        ),
        bad(
            json!({"uid": "another"}),
            "response.uid is \"another\"",
            true,
        ),
        bad(json!({"patch": "W10="}), "no response.patchType", true),
        bad(patch("{"), "not a JSON Patch", true),
        bad(
            patch(r#"[{"op":"test","path":"/kind","value":1}]"#),
            "does not apply",
            false,
        ),
        bad(
            patch(r#"[{"op":"remove","path":"/kind"}]"#),
            "its kind is missing",
            false,
        ),
        bad(
            json!({"allowed": false, "status": {"code": 403, "message": "not on Fridays"}}),
            "denied with 403: not on Fridays",
            false,
        ),
    ];
    for (answers, said, saved) in cases {
        let answers = std::sync::Arc::new(answers);
        let fake = fake(move |_, question| answers(question));
        let run = against(&fake, &["-o", "patch"]);
        assert_eq!(run.code, 1, "{said}: {run:?}");
        assert!(run.stderr.contains(said), "{said}: {run:?}");
        let consequence = if saved {
            "with failurePolicy Ignore the write passes and is not traced"
        } else {
            "with failurePolicy Ignore too"
        };
        assert!(run.stderr.contains(consequence), "{said}: {run:?}");
    }
}

#[test]
fn an_answer_that_is_refused_can_still_be_looked_at() {
    let run = against(&answering(|_| json!({"uid": "x"})), &["-o", "response"]);
    assert_eq!(run.code, 1);
    let response: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(response["response"]["uid"], "x");
}

#[test]
fn a_patch_for_what_is_deleted_is_refused() {
    let run = against(&injecting(), &["--operation", "DELETE"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("no object that it could change"),
        "{run:?}"
    );
}

#[test]
fn trouble_with_tls_says_what_to_do() {
    let fake = answering(|_| json!({}));
    let stranger = Fake {
        ca: authority().pem(),
        address: fake.address,
        asked: std::sync::Arc::clone(&fake.asked),
    };
    let run = against(&stranger, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("not signed by the CA") && run.stderr.contains("--cacert"));
    assert!(run.stderr.contains("failurePolicy Ignore"));

    let run = against(&fake, &["--server-name", "other.ns.svc"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("not for this name") && run.stderr.contains("other.ns.svc"));

    for (from, until, said) in [
        (
            2020,
            2021,
            "its certificate expired at 2021-01-01T00:00:00Z; renew it",
        ),
        (
            2990,
            2991,
            "its certificate is not valid before 2990-01-01T00:00:00Z;",
        ),
    ] {
        let mut leaf = leaf();
        leaf.not_before = rcgen::date_time_ymd(from, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
        let late = fake_with(&authority(), &leaf, |_, question| answer(question));
        let run = against(&late, &[]);
        assert!(run.code == 1 && run.stderr.contains(said), "{run:?}");
    }

    against(&fake, &["--server-name", "webhook.ns.svc"]).data();
    let text = against(&fake, &["--insecure", "--server-name", "other.ns.svc"]).data();
    assert!(text.contains("whose certificate was not checked"), "{text}");
}

#[test]
fn nobody_there_and_no_answer_in_time_say_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let arguments = [
        "review",
        "-f",
        "-",
        "--insecure",
        "--url",
        &url,
        "--timeout",
        "200ms",
    ];
    let silent = crate::command::run(&arguments, MODEL);
    assert_eq!(silent.code, 1);
    assert!(
        silent.stderr.contains("no answer within 200ms"),
        "{silent:?}"
    );
    drop(listener);
    let refused = crate::command::run(&arguments, MODEL);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("cannot connect to"), "{refused:?}");
    assert!(
        refused.stderr.contains("failurePolicy Ignore"),
        "{refused:?}"
    );
}
