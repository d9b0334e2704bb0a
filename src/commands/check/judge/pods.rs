//! The namespace, the config, the Deployments and the Service of the pods.

use serde_json::Value;

use crate::cluster::names::{CONFIG_KEY, CONFIG_MAP, CONTROLLER, NAME};
use crate::commands::check::item::{Checked, Finding, is_absent, need};
use crate::commands::check::seen::{self, Seen, is_ready, items};
use crate::commands::messages::plural;
use crate::config::Config;

/// The label with the version, where it is set.
const VERSION_LABEL: &str = "app.kubernetes.io/version";

pub(super) const AGAIN: &str = "Apply the manifests again: docs/install.md says how.";

pub(super) fn namespace(seen: &Seen) -> Checked {
    need(&seen.namespace, || {
        Finding::wrong(
            format!("there is no namespace {}: nothing is installed", seen.ours),
            "Install it: docs/install.md says how.",
        )
    })?;
    Ok(Finding::good(format!("the namespace {} exists", seen.ours)))
}

/// What is missing in the namespace, unless the namespace is missing too.
fn missing(seen: &Seen, text: String, advice: &str) -> Finding {
    if is_absent(&seen.namespace) {
        Finding::not_checked(format!("there is no namespace {}", seen.ours))
    } else {
        Finding::wrong(text, advice)
    }
}

/// The config of the cluster, or what is wrong with it.
pub(super) fn read_config(seen: &Seen) -> Result<Config, Finding> {
    let map = need(&seen.config_map, || {
        missing(seen, format!("there is no ConfigMap {CONFIG_MAP}"), AGAIN)
    })?;
    let text = map["data"][CONFIG_KEY].as_str().ok_or_else(|| {
        let text = format!("the ConfigMap {CONFIG_MAP} has no key {CONFIG_KEY}");
        Finding::wrong(text, AGAIN)
    })?;
    Config::read(text).map_err(|problems| {
        let mut lines = problems.lines(CONFIG_KEY);
        let first = lines.next().unwrap_or_default();
        let more = match lines.count() {
            0 => String::new(),
            more => format!(", and {}", plural(more, "more problem")),
        };
        Finding::wrong(
            format!("the config is wrong: {first}{more}"),
            "Fix the config in the manifests and apply them. Running pods keep their last valid config; new pods do not start.",
        )
    })
}

pub(super) fn config(seen: &Seen) -> Checked {
    let config = read_config(seen)?;
    let profiles = plural(config.profiles.len(), "profile");
    let namespaces = plural(config.namespaces.len(), "namespace");
    Ok(Finding::good(format!(
        "the config is valid ({profiles}, {namespaces})"
    )))
}

fn deployment(seen: &Seen) -> Result<&Value, Finding> {
    need(&seen.deployment, || {
        missing(seen, format!("there is no Deployment {NAME}"), AGAIN)
    })
}

pub(super) fn pods(seen: &Seen) -> Checked {
    Ok(ready(seen, NAME, deployment(seen)?))
}

pub(super) fn controller(seen: &Seen) -> Checked {
    let controller = need(&seen.controller, || {
        let none = "no controller is installed; certificates come from elsewhere";
        Finding::not_checked(none)
    })?;
    Ok(ready(seen, CONTROLLER, controller))
}

fn ready(seen: &Seen, name: &str, deployment: &Value) -> Finding {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let ready = number(&deployment["status"]["readyReplicas"]);
    let wanted = number(&deployment["spec"]["replicas"]);
    if wanted == 0 {
        let text = format!("the Deployment {name} is scaled to 0");
        let advice = format!(
            "kubectl scale deployment/{name} -n {} --replicas=2",
            seen.ours
        );
        return Finding::wrong(text, advice);
    }
    let (pods, are) = if wanted == 1 {
        ("pod", "is")
    } else {
        ("pods", "are")
    };
    let text = format!("{ready} of {wanted} {pods} of the Deployment {name} {are} ready");
    if ready >= wanted {
        return Finding::good(text);
    }
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let its = seen.pods.iter().flatten();
    let mut its = its.filter(|pod| !is_ready(pod) && selects(labels, &pod["metadata"]["labels"]));
    let text = match its.find_map(|pod| Some((seen::name(pod), trouble(pod)?))) {
        Some((pod, why)) => format!("{text} ({pod}: {why})"),
        None => text,
    };
    let advice = format!("See why: kubectl describe pods -n {}", seen.ours);
    if ready == 0 {
        Finding::wrong(text, advice)
    } else {
        Finding::warning(text, advice)
    }
}

/// Whether all labels of a selector are among these.
fn selects(selector: &Value, labels: &Value) -> bool {
    let mut selector = selector.as_object().into_iter().flatten();
    selector.all(|(key, value)| labels[key] == *value)
}

/// Why a pod does not run, in one word of Kubernetes.
fn trouble(pod: &Value) -> Option<&str> {
    let status = &pod["status"];
    let containers = items(&status["containerStatuses"]).iter();
    let mut waiting = containers.filter_map(|it| it["state"]["waiting"]["reason"].as_str());
    let mut conditions = items(&status["conditions"]).iter();
    waiting.next().or_else(|| {
        let failed = conditions.find(|it| it["status"] == "False");
        failed?["reason"].as_str()
    })
}

/// The version of a pod, by its label, otherwise by the tag of its image.
fn version(pod: &Value) -> Option<&str> {
    let label = pod["metadata"]["labels"][VERSION_LABEL].as_str();
    label.or_else(|| {
        let image = pod["spec"]["containers"][0]["image"].as_str()?;
        let last = image.split('@').next()?.rsplit('/').next()?;
        last.split_once(':').map(|(_, tag)| tag)
    })
}

pub(super) fn version_skew(seen: &Seen) -> Checked {
    let template = &deployment(seen)?["spec"]["template"];
    let pods = [template].into_iter().chain(seen.pods.iter().flatten());
    let versions: Option<Vec<_>> = pods.map(version).collect();
    let Some(mut versions) = versions else {
        let why = "the image of the pods has no tag, and no label says their version";
        return Ok(Finding::not_checked(why));
    };
    versions.sort_unstable();
    versions.dedup();
    let ours = env!("CARGO_PKG_VERSION");
    Ok(if versions == [ours] {
        Finding::good(format!("the pods have the version of this command, {ours}"))
    } else {
        Finding::warning(
            format!(
                "the pods have version {}, and this command {ours}",
                versions.join(" and ")
            ),
            "Use the command of the pods' version, or apply the manifests of this one.",
        )
    })
}

pub(super) fn service(seen: &Seen) -> Checked {
    let service = need(&seen.service, || {
        missing(seen, format!("there is no Service {NAME}"), AGAIN)
    })?;
    let slices = need(&seen.slices, || Finding::good(""))?;
    let endpoints = slices.iter().flat_map(|it| items(&it["endpoints"]));
    let ready = endpoints.filter(|it| it["conditions"]["ready"] != false);
    let ready = ready.flat_map(|it| items(&it["addresses"])).count();
    if ready > 0 {
        let endpoints = plural(ready, "ready endpoint");
        return Ok(Finding::good(format!("the Service {NAME} has {endpoints}")));
    }
    let is_of_pods = |deployment: &Value| {
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        selects(&service["spec"]["selector"], labels)
    };
    Ok(
        if seen.deployment.as_ref().is_ok_and(|it| !is_of_pods(it)) {
            Finding::wrong(
                format!("the selector of the Service {NAME} does not fit the labels of the pods"),
                AGAIN,
            )
        } else {
            Finding::wrong(
                format!("the Service {NAME} has no ready endpoint"),
                format!(
                    "See whether pods are ready: kubectl get pods -n {}",
                    seen.ours
                ),
            )
        },
    )
}
