//! Writes models one after the other, and waits until each is available again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde_json::Value;

use super::changes::is_unanswered;
use crate::cluster::failure::{Failure, Why};
use crate::cluster::models::{Head, Models, Write};
use crate::commands::exit::Status;
use crate::commands::messages::{self, plural};
use crate::process::signals::stop_requests;

/// How often a model is looked at while its pods restart.
const LOOK: Duration = Duration::from_secs(1);

/// How long the state from before the write may stay: Seldon does not say which version a state is about.
const STALE: Duration = Duration::from_secs(3);

/// A model, by its namespace and name.
type Name = (String, String);

/// The result for a model; after an error, no other model is started.
type Outcome = Result<String, String>;

/// Writes the models, `parallel` at a time. After a failure or Ctrl-C, it finishes those in progress and starts no other.
pub(super) async fn roll_out(
    models: &Models,
    names: Vec<Name>,
    at: &str,
    (parallel, timeout): (usize, Duration),
) -> anyhow::Result<Status> {
    let mut stop = stop_requests().context("cannot listen for Ctrl-C")?;
    let bar = bar(names.len());
    let mut waiting = VecDeque::from(names);
    let mut under_way = FuturesUnordered::new();
    let (mut failed, mut stopped, mut done) = (0, false, 0);
    loop {
        while under_way.len() < parallel && failed == 0 && !stopped {
            let Some(name) = waiting.pop_front() else {
                break;
            };
            under_way.push(bring(models, name, at, timeout));
        }
        tokio::select! {
            finished = under_way.next() => {
                let Some(((namespace, name), outcome)) = finished else { break };
                bar.inc(1);
                bar.suspend(|| match outcome {
                    Ok(said) => {
                        done += 1;
                        messages::summary(&format!("{namespace}/{name}: {said}"));
                    }
                    Err(said) => {
                        failed += 1;
                        messages::error(&format!("{namespace}/{name}: {said}"));
                    }
                });
            }
            Some(()) = stop.recv() => {
                if stopped {
                    break;
                }
                stopped = true;
                let said = "stopping after the models in progress; press Ctrl-C again to stop waiting";
                bar.suspend(|| messages::summary(said));
            }
        }
    }
    bar.finish_and_clear();
    let mut said = format!(
        "{} changed, {failed} failed, {} not started",
        plural(done, "SeldonDeployment"),
        waiting.len()
    );
    if !under_way.is_empty() {
        said = format!("{said}, {} still in progress", under_way.len());
    }
    messages::summary(&said);
    for (namespace, name) in &waiting {
        messages::summary(&format!("not started: {namespace}/{name}"));
    }
    Ok(if failed == 0 && !stopped {
        Status::Done
    } else {
        Status::Failed
    })
}

/// Nothing is drawn if standard error is not a terminal.
pub(super) fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX))
        .with_finish(ProgressFinish::AndClear);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar
}

async fn bring(models: &Models, name: Name, at: &str, timeout: Duration) -> (Name, Outcome) {
    let outcome = write(models, &name, at, timeout).await;
    let outcome = outcome.unwrap_or_else(|error| match error.downcast::<Failure>() {
        Ok(failure) if failure.why == Why::NotFound => Ok("it was deleted".to_owned()),
        Ok(failure) => Err(failure.to_string()),
        Err(error) => Err(format!("{error:#}")),
    });
    (name, outcome)
}

async fn write(
    models: &Models,
    (namespace, name): &Name,
    at: &str,
    timeout: Duration,
) -> anyhow::Result<Outcome> {
    let stored = models.resync(namespace, name, at, Write::Stored).await?;
    let began = Instant::now();
    if is_unanswered(&serde_json::from_str::<Value>(stored.get())?) {
        let said = "no webhook answered; the request is stored, and the next write that reaches the webhook carries it out";
        return Ok(Err(said.to_owned()));
    }
    if Head::read(stored.get())?.status.state.is_none() {
        let said = "changed; did not wait, because Seldon reports no state";
        return Ok(Ok(said.to_owned()));
    }
    loop {
        tokio::time::sleep(LOOK).await;
        let model = models.get(namespace, name).await?;
        let state = Head::read(model.get())?.status.state;
        let waited = began.elapsed();
        if state.as_deref() == Some("Available") && waited >= STALE {
            return Ok(Ok(format!(
                "changed, and available after {} s",
                waited.as_secs()
            )));
        }
        if waited >= timeout {
            let state = state.as_deref().unwrap_or("no state");
            return Ok(Err(format!(
                "changed, but not available after {} s (Seldon reports {state}); see `kubectl describe sdep/{name} -n {namespace}`",
                timeout.as_secs()
            )));
        }
    }
}
