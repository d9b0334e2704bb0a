//! Runs `review` against a webhook of a test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fake::{Fake, answer, fake, review};
use crate::command::{MODEL, Run, folder, run_in};

/// Runs `review` on the model against a webhook.
pub(crate) fn against(fake: &Fake, arguments: &[&str]) -> Run {
    on(MODEL, fake, arguments)
}

pub(crate) fn on(manifest: &str, fake: &Fake, arguments: &[&str]) -> Run {
    let folder = folder(&[("model.yaml", manifest), ("ca.crt", &fake.ca)]);
    let url = fake.url();
    let first = ["review", "-f", "model.yaml", "--url", &url];
    let trust = ["--cacert", "ca.crt"];
    let trust: &[&str] = if arguments.contains(&"--insecure") {
        &[]
    } else {
        &trust
    };
    run_in(folder.path(), &[&first, trust, arguments].concat(), "")
}

/// A webhook that adds a variable to the first container, with a warning.
pub(crate) fn injecting() -> Fake {
    answering(|_| {
        let patch = json!([{
            "op": "add",
            "path": "/spec/predictors/0/componentSpecs/0/spec/containers/0/env",
            "value": [{"name": "TRACING", "value": "1"}],
        }]);
        json!({
            "patchType": "JSONPatch",
            "patch": STANDARD.encode(patch.to_string()),
            "warnings": ["look at this"],
            "auditAnnotations": {"outcome": "injected"},
        })
    })
}

/// A webhook whose answers have these fields, besides `uid` and `allowed`.
pub(crate) fn answering(fields: impl Fn(&Value) -> Value + Clone + Send + Sync + 'static) -> Fake {
    fake(move |_, question| answer(&review(question, &fields(question))))
}
