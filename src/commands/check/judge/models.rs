//! Models: whether they are traced, and whether their spans are received.

use super::pods::read_config;
use crate::cluster::failure::Why;
use crate::cluster::names::{DISABLED_LABEL, NAMESPACE_LABEL};
use crate::commands::check::item::{Checked, Finding, is_absent, need};
use crate::commands::check::seen::Seen;
use crate::commands::messages::plural;
use crate::config::Setting;
use crate::config::setting::RECORD;
use crate::jaeger::HOST_IP;

const ELSEWHERE: &str = "Use --namespace NAME to try another namespace.";

pub(super) fn namespaces(seen: &Seen) -> Checked {
    let all = need(&seen.namespaces, || {
        Finding::not_checked("the cluster serves no namespaces")
    })?;
    let (key, value) = NAMESPACE_LABEL;
    let count = all.len();
    Ok(Finding::good(if count == 0 {
        format!("no namespace is labelled {key}={value}: each model asks by its annotation")
    } else {
        let namespaces = plural(count, "namespace");
        let are = if count == 1 { "is" } else { "are" };
        format!("{namespaces} {are} labelled {key}={value}: all models there are traced")
    }))
}

pub(super) fn dry_run(seen: &Seen) -> Checked {
    let namespace = &seen.trial.namespace;
    if is_absent(&seen.seldon) {
        return Err(Finding::not_checked("SeldonDeployments are not served"));
    }
    let around = &seen.trial.around;
    if is_absent(around) {
        return Ok(Finding::wrong(
            format!("namespace {namespace} does not exist"),
            ELSEWHERE,
        ));
    }
    let (key, value) = DISABLED_LABEL;
    let labels = around.as_ref().map(|it| &it["metadata"]["labels"]);
    if labels.is_ok_and(|labels| labels[key] == value) {
        return Ok(Finding::warning(
            format!("namespace {namespace} is labelled {key}={value}: nothing in it is traced"),
            ELSEWHERE,
        ));
    }
    let created = match &seen.trial.created {
        Err(failure) if failure.why != Why::Forbidden && !failure.is_absence() => {
            let why = &failure.said;
            return Ok(Finding::wrong(
                format!("the dry run in namespace {namespace} was refused: {why}"),
                "Users cannot create such models either. If only this namespace refuses them, use --namespace NAME to try another.",
            ));
        }
        created => need(created, || {
            Finding::not_checked(format!(
                "namespace {namespace} accepts no SeldonDeployments"
            ))
        })?,
    };
    let is_injected = created["metadata"]["annotations"][RECORD].is_string();
    Ok(if is_injected {
        Finding::good(format!(
            "a model that asks for tracing is traced (dry run in namespace {namespace})"
        ))
    } else {
        Finding::wrong(
            format!(
                "a model that asks for tracing was not traced (dry run in namespace {namespace})"
            ),
            "The API server did not call the webhook, or the call failed. Fix the failures above; then check the metric apiserver_admission_webhook_fail_open_count, or the log of the API server.",
        )
    })
}

pub(super) fn receivers(seen: &Seen) -> Checked {
    let config = read_config(seen)
        .map_err(|_| Finding::not_checked("the config in the cluster cannot be read"))?;
    let host = config.defaults.get(Setting::AgentHost).unwrap_or(HOST_IP);
    let port = config.defaults.get(Setting::AgentPort).unwrap_or_default();
    if host != HOST_IP {
        let why = format!("spans go to {host}, and not to the node of the model");
        return Err(Finding::not_checked(why));
    }
    let number: u64 = port
        .parse()
        .map_err(|_| Finding::not_checked(format!("{port} is not a port")))?;
    let nodes = need(&seen.nodes, || Finding::not_checked("there are no pods"))?;
    let listens = |node: &&String| {
        nodes
            .listening
            .get(*node)
            .is_some_and(|ports| ports.contains(&number))
    };
    let (good, bare): (Vec<_>, Vec<_>) = nodes.with_models.iter().partition(listens);
    let Some(first) = bare.first() else {
        return Ok(if good.is_empty() {
            Finding::not_checked("no node runs a model")
        } else {
            let count = good.len();
            Finding::good(format!(
                "a pod listens on UDP port {port} of each node that runs models ({count})"
            ))
        });
    };
    let nodes = match bare.len() {
        1 => format!("node {first}, which runs models"),
        count => {
            let more = plural(count - 1, "more node");
            format!("node {first} and {more}, which run models")
        }
    };
    Ok(Finding::warning(
        format!("no ready pod listens on UDP port {port} of {nodes}: spans may be lost"),
        "Install a receiver, or set agentPort to its port: docs/receivers.md. This check cannot see a receiver outside a pod.",
    ))
}
