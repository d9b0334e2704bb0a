//! `check`: reports what works in an installation, what does not, and how to fix it.
//!
//! | file | what it does |
//! |---|---|
//! | `item` | the list of the checks |
//! | `seen` | what was read |
//! | `read`, `served`, `trial` | read it from the cluster |
//! | `judge` | judges it |
//! | `print` | prints the result |

mod item;
mod judge;
mod print;
mod read;
mod seen;
mod served;
mod trial;

use kube::Client;
use tokio::time::{Duration, Instant, sleep};

use self::item::Verdict;
use self::judge::{Judged, judge, judge_before};
use super::exit::Status;
use super::fleet;
use super::messages::{self, json, print};
use crate::cli;
use crate::cli::Form;
use crate::cluster::connect::connect;
use crate::manifest::emit::to_yaml;

/// How long `--wait` pauses between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// `check`
pub(super) fn check(arguments: &cli::Check) -> anyhow::Result<Status> {
    let checks = fleet::run(run(arguments))?;
    print(&match arguments.output {
        Form::Table => print::text(&checks, messages::width()),
        Form::Json => json(&print::value(&checks)),
        Form::Yaml => to_yaml(&print::value(&checks)),
    })?;
    if arguments.output == Form::Table {
        messages::summary(&format!("\n{}", print::summary(&checks)));
    }
    Ok(if print::count(&checks, Verdict::Wrong) == 0 {
        Status::Done
    } else {
        Status::Differs
    })
}

/// Checks, with `--wait` again and again.
async fn run(arguments: &cli::Check) -> anyhow::Result<Vec<Judged>> {
    let connection = &arguments.connection;
    let connected = connect(connection).await?;
    let ours = &connection.tracing_namespace;
    let namespace = arguments.namespace.as_deref();
    let namespace = namespace.unwrap_or(&connected.namespace);
    let end = arguments.wait.map(|wait| Instant::now() + wait);
    let mut said = String::new();
    loop {
        let checked = once(&connected.client, arguments.pre, ours, namespace).await;
        if end.is_none_or(|end| Instant::now() >= end) {
            return checked;
        }
        let wrong = match &checked {
            Ok(checks) => first_wrong(checks),
            Err(error) => Some(format!("{error:#}")),
        };
        let Some(wrong) = wrong else {
            return checked;
        };
        if wrong != said {
            messages::summary(&format!("waiting: {wrong}"));
            said = wrong;
        }
        sleep(PAUSE).await;
    }
}

async fn once(
    client: &Client,
    pre: bool,
    ours: &str,
    namespace: &str,
) -> anyhow::Result<Vec<Judged>> {
    Ok(if pre {
        judge_before(&read::before(client, ours).await?)
    } else {
        judge(&read::after(client, ours, namespace).await?)
    })
}

fn first_wrong(checks: &[Judged]) -> Option<String> {
    let mut findings = checks.iter().map(|it| &it.finding);
    let wrong = findings.find(|it| it.verdict == Verdict::Wrong);
    wrong.map(|it| it.text.clone())
}
