//! The pods, and what is theirs.

use crate::cluster::names::{CONFIG_KEY, CONFIG_MAP, CONTROLLER, NAME};
use crate::commands::check::item::{Checked, Finding, need};
use crate::commands::check::seen::{Container, Deployment, Labels, Pod, PodSpec, Seen};
use crate::commands::messages::plural;
use crate::config::Config;

/// The label that says a version, where somebody sets it.
const VERSION_LABEL: &str = "app.kubernetes.io/version";

const AGAIN: &str = "Apply the manifests again: docs/install.md says how.";

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
    if seen.namespace.is_absent() {
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
    let text = map.data.get(CONFIG_KEY).ok_or_else(|| {
        let text = format!("the ConfigMap {CONFIG_MAP} has no key {CONFIG_KEY}");
        Finding::wrong(text, AGAIN)
    })?;
    Config::read(text).map_err(|problems| {
        let mut lines = problems.lines(CONFIG_KEY);
        let first = lines.next().unwrap_or_default();
        let more = match lines.count() {
            0 => String::new(),
            more => format!(", and {} more", plural(more, "problem")),
        };
        Finding::wrong(
            format!("the config is wrong: {first}{more}"),
            "Mend it in the manifests and apply them. Pods that run keep their last good config, and new ones do not start.",
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

fn deployment(seen: &Seen) -> Result<&Deployment, Finding> {
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

fn ready(seen: &Seen, name: &str, deployment: &Deployment) -> Finding {
    let (ready, wanted) = (deployment.status.ready_replicas, deployment.spec.replicas);
    if wanted == 0 {
        let text = format!("the Deployment {name} is scaled to 0");
        let advice = format!(
            "kubectl scale deployment/{name} -n {} --replicas=2",
            seen.ours
        );
        return Finding::wrong(text, advice);
    }
    let text = format!("{ready} of {wanted} pods of the Deployment {name} are ready");
    if ready >= wanted {
        return Finding::good(text);
    }
    let trouble = seen.pods.found().into_iter().flatten().filter(|pod| {
        let labels = &deployment.spec.template.metadata.labels;
        !pod.is_ready() && labels.iter().all(|label| has(pod, label))
    });
    let trouble = trouble.filter_map(|pod| Some((&pod.metadata.name, pod.trouble()?)));
    let text = match trouble.into_iter().next() {
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

fn has(pod: &Pod, (key, value): (&String, &String)) -> bool {
    pod.metadata.labels.get(key) == Some(value)
}

/// The version of a pod, by its label, otherwise by the tag of its image.
fn version<'p>(label: Option<&'p String>, spec: &'p PodSpec) -> Option<&'p str> {
    let tag = |container: &'p Container| {
        let image = container.image.split('@').next()?;
        let last = image.rsplit('/').next()?;
        last.split_once(':').map(|(_, tag)| tag)
    };
    label
        .map(String::as_str)
        .or_else(|| spec.containers.first().and_then(tag))
}

pub(super) fn version_skew(seen: &Seen) -> Checked {
    let template = &deployment(seen)?.spec.template;
    let of_template = [(&template.metadata, &template.spec)];
    let pods = seen.pods.found().into_iter().flatten();
    let of_pods = pods.map(|pod| (&pod.metadata, &pod.spec));
    let versions = of_template.into_iter().chain(of_pods);
    let versions: Option<Vec<_>> = versions
        .map(|(metadata, spec)| version(metadata.labels.get(VERSION_LABEL), spec))
        .collect();
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
    let endpoints = slices.iter().flat_map(|it| it.endpoints.iter().flatten());
    let ready = endpoints.filter(|it| it.conditions.ready != Some(false));
    let ready = ready.flat_map(|it| &it.addresses).count();
    if ready > 0 {
        let endpoints = plural(ready, "ready endpoint");
        return Ok(Finding::good(format!("the Service {NAME} has {endpoints}")));
    }
    let selects = |labels: &Labels| {
        let mut selector = service.spec.selector.iter();
        selector.all(|(key, value)| labels.get(key) == Some(value))
    };
    let labels = seen
        .deployment
        .found()
        .map(|it| &it.spec.template.metadata.labels);
    Ok(if labels.is_some_and(|labels| !selects(labels)) {
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
    })
}
