//! `review`: plays the API server, and says what it would make of the answer.

mod asked;
mod found;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use self::asked::{Asked, asked};
use super::config;
use super::messages::{self, json as json_text, plural, printable};
use super::status::Status;
use crate::cli::{Review, ReviewForm};
use crate::client::{Answered, Client, ClientError, Target, Trust};
use crate::config::Config;
use crate::files::at_most;
use crate::manifest::emit::to_yaml;
use crate::pki::MAX_BYTES;
use crate::review::Route;
use crate::review::verify::{Verified, verify};
use crate::serve;

/// What failurePolicy does where the call counts as failed.
const SAVED: &str = "To the API server this is a failed call: with failurePolicy Ignore the write passes and is not traced, with Fail it is refused.";

/// The same where the call did not fail.
const NOT_SAVED: &str =
    "The API server refuses the write of the user, with failurePolicy Ignore too.";

/// `review`
pub(super) fn review(arguments: &Review) -> anyhow::Result<Status> {
    let asked = asked(arguments)?;
    if arguments.output == ReviewForm::Request {
        // As it would be sent, byte for byte.
        let mut out = io::stdout().lock();
        out.write_all(&asked.body)?;
        writeln!(out)?;
        return Ok(Status::Done);
    }
    let webhook = if let Some(url) = &arguments.url {
        if let Some(config) = &arguments.config {
            messages::summary(&format!(
                "{} is not used: the webhook at --url has a config of its own",
                printable(&config.display().to_string())
            ));
        }
        Webhook::Remote(target(arguments, url)?)
    } else {
        let Some(config) = config::load(arguments.config.as_deref())? else {
            return Ok(Status::BadInput);
        };
        Webhook::Own(config)
    };
    let call = call(webhook, arguments, &asked)?;
    let answered = match &call.answer {
        Ok(answered) => answered,
        Err(error) => return Ok(refused(&error.to_string(), true)),
    };
    if arguments.output == ReviewForm::Response
        && let Ok(response) = serde_json::from_slice::<Value>(&answered.reply.body)
    {
        // Also an answer that is refused: it is looked at because something is wrong.
        print(&json_text(&response))?;
    }
    let verified = match verify(&asked.uid, &answered.reply) {
        Ok(verified) => verified,
        Err(refusal) => return Ok(refused(&refusal.to_string(), refusal.saved_by_ignore())),
    };
    let result = match verified.result(asked.object.as_ref()) {
        Ok(result) => result,
        Err(refusal) => return Ok(refused(&refusal.to_string(), refusal.saved_by_ignore())),
    };
    let report = report(&asked, &call, answered, &verified);
    if arguments.output == ReviewForm::Diff {
        let diff = diff(&asked, &verified, result.as_ref());
        messages::print_diff(&diff)?;
        let blank = if diff.is_empty() { "" } else { "\n" };
        print(&format!("{blank}{report}"))?;
    } else {
        let mut stderr = anstream::stderr().lock();
        let _ = stderr.write_all(report.as_bytes());
        let result = result.unwrap_or_default();
        match arguments.output {
            ReviewForm::Json => print(&json_text(&result))?,
            ReviewForm::Yaml => print(&to_yaml(&result))?,
            ReviewForm::Patch => {
                let patch = verified.patch.as_ref();
                print(&json_text(&patch.map_or_else(|| json!([]), |it| json!(it))))?;
            }
            ReviewForm::Diff | ReviewForm::Response | ReviewForm::Request => {}
        }
    }
    Ok(match &verified.denial {
        None => Status::Done,
        Some(denial) => {
            let why = format!("denied with {}: {}", denial.code, denial.message);
            refused(&why, false)
        }
    })
}

/// Says why the API server would not take it.
fn refused(why: &str, saved_by_ignore: bool) -> Status {
    messages::error(why);
    messages::summary(if saved_by_ignore { SAVED } else { NOT_SAVED });
    Status::Differs
}

/// The webhook at `--url`.
fn target(arguments: &Review, url: &str) -> anyhow::Result<Target> {
    if arguments.namespace_default
        && url
            .split_once("://")
            .is_some_and(|(_, it)| it.contains('/'))
    {
        bail!(
            "--namespace-default is a path of its own, but --url has a path already; leave one out"
        );
    }
    let trust = match &arguments.cacert {
        Some(path) => Trust::Authorities(
            File::open(path)
                .and_then(|file| at_most(file, MAX_BYTES))
                .with_context(|| format!("cannot read the CA certificate {}", path.display()))?,
        ),
        None if arguments.insecure => Trust::Anything,
        None => bail!(
            "--url needs --cacert FILE with the CA that the webhook's certificate is held against (it is caBundle of the webhook configuration, decoded from base64), or --insecure"
        ),
    };
    Ok(Target {
        url: url.to_owned(),
        trust,
        server_name: arguments.server_name.clone(),
        identity: None,
    })
}

/// The webhook that is asked.
enum Webhook {
    /// One that is started for this.
    Own(Config),
    /// One that is there.
    Remote(Target),
}

/// What came of the call.
struct Call {
    url: String,
    /// Whether it is one that was started for this.
    own: bool,
    /// Whether its certificate was held against anything.
    checked: bool,
    answer: Result<Answered, ClientError>,
    took: Duration,
}

/// Starts the webhook if need be, and asks it.
fn call(webhook: Webhook, arguments: &Review, asked: &Asked) -> anyhow::Result<Call> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the threads for the network")?;
    let own = matches!(webhook, Webhook::Own(_));
    let route = if arguments.namespace_default {
        Route::DefaultOn
    } else {
        Route::Mutate
    };
    let call = runtime.block_on(async {
        // It runs for as long as this lives.
        let mut _loopback = None;
        let target = match webhook {
            Webhook::Remote(target) => target,
            Webhook::Own(config) => {
                let started = serve::loopback(config)
                    .await
                    .context("cannot start a webhook on loopback")?;
                let target = Target {
                    url: started.url.clone(),
                    trust: Trust::Authorities(started.ca.clone().into_bytes()),
                    server_name: None,
                    identity: None,
                };
                _loopback = Some(started);
                target
            }
        };
        let client = Client::on(&target, route)?;
        let start = Instant::now();
        let body = asked.body.clone().into();
        let answer = client.call(body, arguments.timeout).await;
        anyhow::Ok(Call {
            url: client.url(),
            own,
            checked: target.trust != Trust::Anything,
            answer,
            took: start.elapsed(),
        })
    })?;
    // Whatever of the connections is still open has no more to say.
    runtime.shutdown_background();
    Ok(call)
}

/// What the patch changes, in the text that the user wrote where that can be.
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

/// What was asked, and all of the answer that is not the patch itself.
fn report(asked: &Asked, call: &Call, answered: &Answered, verified: &Verified) -> String {
    let mut lines = vec![question(asked, call, answered)];
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

/// What was asked of whom, and how long it took.
fn question(asked: &Asked, call: &Call, answered: &Answered) -> String {
    let whom = if call.own {
        "a webhook started for this on loopback"
    } else {
        &call.url
    };
    let mut line = format!("{}, asked of {whom} over TLS", asked.words);
    if !call.checked {
        line.push_str(", whose certificate was not checked");
    }
    if answered.retries > 0 {
        let _ = write!(
            line,
            "; it asked to be asked again (Retry-After), {}",
            plural(answered.retries as usize, "time")
        );
    }
    // A time is never the same twice, which whoever compares two reports does not want.
    if io::stdout().is_terminal() {
        let _ = write!(
            line,
            "; answered in {:.1} ms",
            call.took.as_secs_f64() * 1e3
        );
    }
    line
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}
