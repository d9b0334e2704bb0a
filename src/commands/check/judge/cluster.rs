//! The cluster itself, and its state before an installation.

use serde_json::Value;

use crate::cluster::ask::Asked;
use crate::cluster::names::NAME;
use crate::commands::check::item::{Checked, Finding, need};
use crate::commands::check::seen::{SeenBefore, items, text};

/// The oldest version of Kubernetes in which matchConditions are stable, as major and minor.
const OLDEST: (u32, u32) = (1, 30);

pub(super) fn api_server(version: &Value) -> Finding {
    let name = text(&version["gitVersion"]);
    // Some vendors write `30+`.
    let number = |key: &str| {
        let number = text(&version[key]);
        let digits = number.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        digits.parse::<u32>().ok()
    };
    match number("major").zip(number("minor")) {
        Some(found) if found >= OLDEST => Finding::good(format!("the API server answers: {name}")),
        Some(_) => Finding::wrong(
            format!("the API server is {name}; Kubernetes 1.30 or later is required"),
            "Upgrade the cluster: the webhook needs matchConditions.",
        ),
        None => Finding::warning(
            format!("unknown API server version: {name}"),
            "Kubernetes 1.30 or later is required.",
        ),
    }
}

pub(super) fn seldon(served: &Asked<Value>) -> Checked {
    let absent = || {
        Finding::wrong(
            "the cluster serves no SeldonDeployments of machinelearning.seldon.io/v1",
            "Install Seldon Core v1, or its CRD.",
        )
    };
    if has(need(served, absent)?, "seldondeployments") {
        let good = "Seldon Core's SeldonDeployments are served (machinelearning.seldon.io/v1)";
        Ok(Finding::good(good))
    } else {
        Err(absent())
    }
}

fn has(group: &Value, name: &str) -> bool {
    items(&group["resources"])
        .iter()
        .any(|it| it["name"] == name)
}

pub(super) fn admission_api(served: &Asked<Value>) -> Checked {
    let absent = || {
        Finding::wrong(
            "the API server has no MutatingWebhookConfigurations",
            "Turn the API admissionregistration.k8s.io/v1 on: see --runtime-config of kube-apiserver.",
        )
    };
    if has(need(served, absent)?, "mutatingwebhookconfigurations") {
        Ok(Finding::good("the API server calls admission webhooks"))
    } else {
        Err(absent())
    }
}

pub(super) fn rights(rights: &Asked<Vec<(String, bool)>>) -> Checked {
    let rights = need(rights, || {
        Finding::not_checked("the API server serves no SelfSubjectAccessReviews")
    })?;
    let missing = rights.iter().filter(|(_, may)| !may);
    let missing: Vec<_> = missing.map(|(what, _)| what.as_str()).collect();
    Ok(if missing.is_empty() {
        let count = rights.len();
        Finding::good(format!("you may create all {count} kinds of objects"))
    } else {
        Finding::wrong(
            format!("you may not create {}", missing.join(", ")),
            "Ask a cluster admin to install it.",
        )
    })
}

pub(super) fn leftovers(seen: &SeenBefore) -> Finding {
    let nothing = || Finding::good("no earlier installation found");
    let mut found = Vec::new();
    let namespace = need(&seen.namespace, nothing).map(|_| format!("a namespace {}", seen.ours));
    let configuration = need(&seen.configuration, nothing)
        .map(|_| format!("a MutatingWebhookConfiguration {NAME}"));
    let mut left = nothing();
    for one in [namespace, configuration] {
        match one {
            Ok(what) => found.push(what),
            Err(finding) if finding == nothing() => {}
            Err(finding) => left = finding,
        }
    }
    if found.is_empty() {
        left
    } else {
        Finding::warning(
            format!("there is already {}", found.join(", and ")),
            "The same commands update an installation. If it is not yours, remove it first, as docs/install.md says.",
        )
    }
}
