//! `review`: sends a manifest to a webhook as the API server would, and reports how the API server would treat the answer.

mod file;
mod question;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use self::question::{Asked, question};

use super::exit::Status;
use super::messages::{json as json_text, plural, print, printable};
use super::{config, messages};
use crate::admission::Route;
use crate::apiserver::client::{Answered, Client, ClientError, Target, Trust};
use crate::apiserver::verify::{Verified, verify};
use crate::cli::{Review, ReviewForm};
use crate::files::at_most;
use crate::manifest::emit::to_yaml;
use crate::pki::MAX_BYTES;
use crate::serve::{Loopback, loopback};

/// What failurePolicy does after a failed call.
const FAILED_CALL: &str = "To the API server this is a failed call: with failurePolicy Ignore the write passes and is not traced, with Fail it is refused.";

/// What it does after other refusals.
const REFUSED_WRITE: &str =
    "The API server refuses the user's write, with failurePolicy Ignore too.";

/// `review`
pub(super) fn review(arguments: &Review) -> anyhow::Result<Status> {
    let asked = question(arguments)?;
    if arguments.output == ReviewForm::Request {
        // Byte for byte as it would be sent.
        let mut out = io::stdout().lock();
        out.write_all(&asked.body)?;
        writeln!(out)?;
        return Ok(Status::Done);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let call = runtime.block_on(call(arguments, &asked))?;
    // Open connections are of no more use.
    runtime.shutdown_background();
    let Some(call) = call else {
        return Ok(Status::Failed);
    };
    let answered = match &call.answer {
        Ok(answered) => answered,
        Err(error) => return Ok(refused(&error.to_string(), FAILED_CALL)),
    };
    if arguments.output == ReviewForm::Response
        && let Ok(response) = serde_json::from_slice::<Value>(&answered.reply.body)
    {
        // An answer that is refused is printed too, because the user looks for the fault.
        print(&json_text(&response))?;
    }
    let checked = verify(&asked.uid, &answered.reply).and_then(|verified| {
        let result = verified.result(asked.object.as_ref())?;
        Ok((verified, result))
    });
    let (verified, result) = match checked {
        Ok(checked) => checked,
        Err(refusal) if refusal.saved_by_ignore() => {
            return Ok(refused(&refusal.to_string(), FAILED_CALL));
        }
        Err(refusal) => return Ok(refused(&refusal.to_string(), REFUSED_WRITE)),
    };
    let report = report(&asked, &call, answered, &verified);
    show(arguments.output, &asked, &verified, result, &report)?;
    let troubled =
        asked.duplicates > 0 || !verified.warnings.is_empty() || !verified.losses.is_empty();
    Ok(match &verified.denial {
        None if arguments.surroundings.strict && troubled => Status::Differs,
        None => Status::Done,
        Some(denial) => {
            let why = format!("denied with {}: {}", denial.code, denial.message);
            refused(&why, REFUSED_WRITE)
        }
    })
}

/// Prints the report, and what the user asked for.
fn show(
    form: ReviewForm,
    asked: &Asked,
    verified: &Verified,
    result: Option<Value>,
    report: &str,
) -> anyhow::Result<()> {
    if form == ReviewForm::Diff {
        let diff = diff(asked, verified, result.as_ref());
        messages::print_diff(&messages::folded(&diff))?;
        let blank = if diff.is_empty() { "" } else { "\n" };
        return print(&format!("{blank}{report}"));
    }
    let _ = anstream::stderr().lock().write_all(report.as_bytes());
    let result = result.unwrap_or_default();
    match form {
        ReviewForm::Json => print(&json_text(&result)),
        ReviewForm::Yaml => print(&to_yaml(&result)),
        ReviewForm::Patch => {
            let patch = verified.patch.as_ref();
            print(&json_text(&patch.map_or_else(|| json!([]), |it| json!(it))))
        }
        ReviewForm::Diff | ReviewForm::Response | ReviewForm::Request => Ok(()),
    }
}

/// Says why the API server would not accept the answer, and what happens to the user's write.
fn refused(why: &str, consequence: &str) -> Status {
    messages::error(why);
    messages::summary(consequence);
    Status::Differs
}

/// The webhook to call, which is started first without `--url` and stops when it is dropped. `None` if its config is not valid, which
/// has been reported then.
async fn webhook(arguments: &Review) -> anyhow::Result<Option<(Target, Option<Loopback>)>> {
    if let Some(url) = &arguments.url {
        if let Some(config) = &arguments.surroundings.file.config {
            messages::summary(&format!(
                "{} is not used: the webhook at --url has its own config",
                printable(&config.display().to_string())
            ));
        }
        return Ok(Some((target(arguments, url)?, None)));
    }
    let Some(config) = config::load(arguments.surroundings.file.config.as_deref())? else {
        return Ok(None);
    };
    let started = loopback(config)
        .await
        .context("cannot start a webhook on loopback")?;
    let target = Target {
        url: started.url.clone(),
        trust: Trust::Authorities(started.ca.clone().into_bytes()),
        server_name: None,
        identity: None,
    };
    Ok(Some((target, Some(started))))
}

/// The webhook at `--url`.
fn target(arguments: &Review, url: &str) -> anyhow::Result<Target> {
    if arguments.surroundings.namespace_enabled
        && url
            .split_once("://")
            .is_some_and(|(_, it)| it.contains('/'))
    {
        bail!(
            "--namespace-enabled means another path, but --url has a path already; leave one out"
        );
    }
    let trust = match &arguments.cacert {
        Some(path) => Trust::Authorities(
            File::open(path)
                .and_then(|file| at_most(file, MAX_BYTES))
                .with_context(|| format!("cannot read the CA certificate {}", path.display()))?,
        ),
        None if arguments.insecure => Trust::AnyCertificate,
        None => bail!(
            "--url needs --cacert FILE with the CA of the webhook's certificate (it is caBundle of the webhook configuration, decoded from base64), or --insecure"
        ),
    };
    Ok(Target {
        url: url.to_owned(),
        trust,
        server_name: arguments.server_name.clone(),
        identity: None,
    })
}

/// A call and its answer.
struct Call {
    /// The webhook, in words.
    webhook: String,
    answer: Result<Answered, ClientError>,
    took: Duration,
}

/// Calls the webhook; `None` if there is none to call.
async fn call(arguments: &Review, asked: &Asked) -> anyhow::Result<Option<Call>> {
    let Some((target, own)) = webhook(arguments).await? else {
        return Ok(None);
    };
    let route = if arguments.surroundings.namespace_enabled {
        Route::DefaultOn
    } else {
        Route::Mutate
    };
    let client = Client::on(&target, route.path())?;
    let start = Instant::now();
    let body = asked.body.clone().into();
    let answer = client.call(body, arguments.timeout).await;
    let took = start.elapsed();
    let whom = match own {
        Some(_) => "a webhook started for this on loopback",
        None => client.url(),
    };
    let unchecked = if target.trust == Trust::AnyCertificate {
        ", whose certificate was not checked"
    } else {
        ""
    };
    Ok(Some(Call {
        webhook: format!("{whom} over TLS{unchecked}"),
        answer,
        took,
    }))
}

/// What the patch changes, in the user's text if possible.
fn diff(asked: &Asked, verified: &Verified, result: Option<&Value>) -> String {
    let (Some(patch), Some(object), Some(result)) = (&verified.patch, &asked.object, result) else {
        return String::new();
    };
    if let Some(manifest) = &asked.manifest
        && let Some((before, after)) = manifest.texts(patch)
    {
        return messages::diff(&manifest.file, &before, &after);
    }
    let name = asked
        .manifest
        .as_ref()
        .map_or("object", |manifest| &manifest.file);
    messages::diff(name, &to_yaml(object), &to_yaml(result))
}

/// The request, and everything in the answer but the patch.
fn report(asked: &Asked, call: &Call, answered: &Answered, verified: &Verified) -> String {
    let mut lines = vec![sent(asked, call, answered)];
    let warnings = verified.warnings.iter();
    // As kubectl prints them.
    lines.extend(warnings.map(|text| format!("Warning: {text}")));
    let annotations = verified.audit_annotations.iter();
    lines.extend(annotations.map(|(key, value)| format!("Audit annotation {key}: {value}")));
    lines.extend(verified.losses.iter().map(|loss| format!("Lost: {loss}")));
    if verified.allowed {
        lines.push(match &verified.patch {
            None => "Allowed, without a patch: the object stays as it is.".to_owned(),
            Some(patch) => format!(
                "Allowed; the patch of {} applies.",
                plural(patch.0.len(), "operation")
            ),
        });
    }
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{}", printable(line));
        text
    })
}

/// The request, where it was sent, and how long it took.
fn sent(asked: &Asked, call: &Call, answered: &Answered) -> String {
    let mut line = format!("{}, sent to {}", asked.words, call.webhook);
    if answered.retries > 0 {
        let times = plural(answered.retries as usize, "time");
        let _ = write!(line, "; retried {times} because of Retry-After");
    }
    // The time is left out of files, so that two reports can be compared.
    if io::stdout().is_terminal() {
        let _ = write!(
            line,
            "; answered in {:.1} ms",
            call.took.as_secs_f64() * 1e3
        );
    }
    line
}
