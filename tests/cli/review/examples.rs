//! The examples by way of TLS, AdmissionReview and JSON Patch come to what the offline engine makes of them.

use axum::body::Body;
use axum::response::Response;
use seldon_tracing::admission::{Route, answer};
use seldon_tracing::config::Config;

use super::fake::{Fake, fake};
use crate::command::run;
use crate::support::fixtures::examples;

/// A server around the webhook's own answers.
fn webhook() -> Fake {
    fake(|_, question| {
        let body = question.to_string();
        let answer = answer(body.as_bytes(), Route::Mutate, &Config::default()).unwrap();
        Response::new(Body::from(answer.body))
    })
}

#[test]
fn a_review_shows_the_difference_that_inject_makes() {
    let webhook = webhook();
    let url = webhook.url();
    for example in examples() {
        let file = example.to_str().unwrap();
        let review = |more: &[&str]| {
            let first = ["review", "-f", file, "--url", &url, "--insecure"];
            run(&[&first, more].concat(), "")
        };
        let created = review(&[]).data();
        let expected = run(&["inject", "--diff", "-f", file], "");
        assert!(created.starts_with(&expected.stdout), "{created}");
        assert!(created.contains("\nAudit annotation "), "{created}");
        assert!(!created.contains("Lost: "), "{created}");

        // What is stored then stays as it is.
        let stored = run(&["inject", "-f", file], "").stdout;
        let arguments = [
            "review",
            "-f",
            "-",
            "--url",
            &url,
            "--insecure",
            "--operation",
        ];
        let update = run(&[&arguments[..], &["UPDATE"]].concat(), &stored).data();
        assert!(update.ends_with("Allowed, without a patch: the object stays as it is.\n"));
        let delete = run(&[&arguments[..], &["DELETE"]].concat(), &stored).data();
        assert!(delete.ends_with("Allowed, without a patch: the object stays as it is.\n"));
    }
}
