//! `resync`: brings models to the current config, model by model.

mod changes;
mod progress;

use std::io::{self, BufRead, IsTerminal, Write as _};
use std::time::SystemTime;

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use self::changes::{Changes, is_unanswered};
use self::progress::{bar, roll_out};
use super::exit::Status;
use super::fleet::{Cluster, Model, run};
use super::messages::{self, json, plural, print, printable};
use crate::cli::{Form, Resync};
use crate::cluster::models::Write;
use crate::inject::Standing;
use crate::manifest::emit::to_yaml;

/// The version of the schema in `docs/fleet.md`.
const SCHEMA: u32 = 1;

/// How many dry runs are under way at a time. They restart nothing.
const DRY_RUNS: usize = 8;

/// What `--dry-run -o json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    models: &'a [Planned],
}

/// A model and what changes in it.
#[derive(Serialize)]
struct Planned {
    namespace: String,
    name: String,
    #[serde(flatten)]
    changes: Changes,
}

/// `resync`
pub(super) fn resync(arguments: &Resync) -> anyhow::Result<Status> {
    run(work(arguments))
}

async fn work(arguments: &Resync) -> anyhow::Result<Status> {
    let cluster = Cluster::connect(&arguments.connection, &arguments.scope).await?;
    let chosen = chosen(&cluster, &arguments.names).await?;
    let at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let looked_at = bar(chosen.len());
    let planned: Vec<Planned> = stream::iter(&chosen)
        .map(|(namespace, name)| plan(&cluster, namespace, name, &at))
        .buffered(DRY_RUNS)
        .inspect(|_| looked_at.inc(1))
        .try_collect()
        .await?;
    looked_at.finish_and_clear();
    let (planned, same): (Vec<_>, Vec<_>) =
        planned.into_iter().partition(|it| !it.changes.is_empty());
    if arguments.dry_run {
        let answer = Answer {
            schema: SCHEMA,
            models: &planned,
        };
        print(&match arguments.output {
            Form::Table => text(&planned),
            Form::Json => json(&serde_json::to_value(answer)?),
            Form::Yaml => to_yaml(&serde_json::to_value(answer)?),
        })?;
    } else {
        messages::summary(&text(&planned));
    }
    messages::summary(&format!(
        "{} to change, {} already up to date",
        plural(planned.len(), "SeldonDeployment"),
        same.len()
    ));
    if planned.is_empty() || arguments.dry_run {
        return Ok(Status::Done);
    }
    if !arguments.yes && !agrees(planned.len())? {
        messages::summary("nothing was written");
        return Ok(Status::Failed);
    }
    let models = planned.into_iter().map(|it| (it.namespace, it.name));
    let timing = (usize::from(arguments.parallel), arguments.timeout);
    roll_out(&cluster.models, models.collect(), &at, timing).await
}

/// The models that are named, or all that are outdated.
async fn chosen(cluster: &Cluster, names: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    if let (Some(namespace), [_, ..]) = (&cluster.selection.namespace, names) {
        let chosen = names.iter().map(|name| {
            // As kubectl prints and takes it.
            let name = name.rsplit('/').next().unwrap_or(name);
            (namespace.clone(), name.to_owned())
        });
        return Ok(chosen.collect());
    }
    let surroundings = cluster.surroundings().await?;
    let models = cluster.all(&surroundings).await?;
    // If the config cannot be read, only the webhook knows which models are outdated.
    let is_due = |model: &Model| {
        model.standing == Standing::Outdated
            || (!surroundings.knows_config() && model.standing == Standing::Traced)
    };
    let due = models.into_iter().filter(is_due);
    Ok(due.map(|model| (model.namespace, model.name)).collect())
}

/// Asks the API server what a new decision would store.
async fn plan(cluster: &Cluster, namespace: &str, name: &str, at: &str) -> anyhow::Result<Planned> {
    let models = &cluster.models;
    let before = models.get(namespace, name).await?;
    let before: Value = serde_json::from_str(before.get())?;
    let after = models.resync(namespace, name, at, Write::DryRun).await?;
    let after: Value = serde_json::from_str(after.get())?;
    if is_unanswered(&after) {
        bail!(
            "no webhook answered for {namespace}/{name}, so nothing was written; `seldon-tracing check` says what is wrong"
        );
    }
    Ok(Planned {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        changes: Changes::between(&before, &after),
    })
}

/// Asks the person at the terminal.
fn agrees(count: usize) -> anyhow::Result<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        bail!(
            "nothing was written: no terminal to confirm on; use --yes to continue or --dry-run to preview"
        );
    }
    let mut stderr = io::stderr().lock();
    write!(
        stderr,
        "Change {}, and restart the pods above? [y/N] ",
        plural(count, "SeldonDeployment")
    )?;
    stderr.flush()?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.context("cannot read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// What changes, for people.
fn text(planned: &[Planned]) -> String {
    let mut lines = Vec::new();
    for Planned {
        namespace,
        name,
        changes,
    } in planned
    {
        lines.push(format!("{namespace}/{name}"));
        for restart in &changes.restarts {
            let replicas = plural(
                usize::try_from(restart.replicas).unwrap_or(usize::MAX),
                "replica",
            );
            let predictor = &restart.predictor;
            lines.push(format!(
                "  predictor {predictor}: all of its pods restart ({replicas})"
            ));
            let of_it = changes
                .variables
                .iter()
                .filter(|it| it.predictor == *predictor);
            let mut told: Vec<(String, Vec<&str>)> = Vec::new();
            for change in of_it {
                let value =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                let what = format!(
                    "{}: {} -> {}",
                    change.variable,
                    value(&change.before),
                    value(&change.after)
                );
                match told.iter_mut().find(|(same, _)| *same == what) {
                    Some((_, targets)) => targets.push(&change.target),
                    None => told.push((what, vec![&change.target])),
                }
            }
            let told = told
                .into_iter()
                .map(|(what, targets)| format!("    {what} ({})", targets.join(", ")));
            lines.extend(told);
        }
    }
    lines.push(String::new());
    let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
    lines.join("\n")
}
