//! The examples by way of TLS, AdmissionReview and JSON Patch come to what the offline engine makes of them.

use axum::body::Body;
use axum::response::Response;
use seldon_tracing::admission::{Route, answer};
use seldon_tracing::config::Config;
use seldon_tracing::inject::RECORD;

use super::fake::{Fake, fake};
use crate::command::{MODEL, folder, run, run_in};
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
        let diff = run(&["inject", "--diff", "-f", file], "").data();
        let record = diff.lines().find(|line| line.contains(RECORD)).unwrap();
        let folded = diff.replace(record, "(+ the record of what was added)");
        assert!(created.starts_with(&folded), "{created}");
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

#[test]
fn a_record_that_is_taken_away_is_folded_too() {
    let webhook = webhook();
    let url = webhook.url();
    let injected = run(&["inject"], MODEL).data();
    let files = folder(&[("old.yaml", &injected)]);
    let off = injected.replace("tracing: \"true\"", "tracing: \"false\"");
    let first = ["review", "-f", "-", "--old", "old.yaml"];
    let arguments = [&first[..], &["--url", &url, "--insecure"]].concat();
    let said = run_in(files.path(), &arguments, &off).data();
    assert!(
        said.contains("\n(- the record of what was added)\n"),
        "{said}"
    );
    assert!(!said.contains(RECORD), "{said}");
}
