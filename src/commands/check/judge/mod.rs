//! Judges what was read. Pure: the same input gives the same findings.

mod certificates;
mod cluster;
mod models;
mod pods;
mod webhook;

use super::item::{Checked, Finding, Item};
use super::seen::{Seen, SeenBefore};

/// A check with its finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) item: Item,
    pub(super) finding: Finding,
}

/// The checks of an installation, in the order in which they are shown.
pub(super) fn judge(seen: &Seen) -> Vec<Judged> {
    checks([
        (Item::ApiServer, Ok(cluster::api_server(&seen.api_server))),
        (Item::Seldon, cluster::seldon(&seen.seldon)),
        (Item::Namespace, pods::namespace(seen)),
        (Item::Config, pods::config(seen)),
        (Item::Pods, pods::pods(seen)),
        (Item::Version, pods::version_skew(seen)),
        (Item::Service, pods::service(seen)),
        (Item::Controller, pods::controller(seen)),
        (Item::Entries, webhook::entries(seen)),
        (Item::Calls, webhook::calls(seen)),
        (Item::Trigger, webhook::trigger(seen)),
        (Item::FailurePolicy, webhook::failure_policy(seen)),
        (
            Item::OtherWebhooks,
            webhook::other_webhooks(&seen.configurations),
        ),
        (Item::CaBundle, certificates::ca_bundle(seen)),
        (Item::Certificate, certificates::certificate(seen)),
        (Item::Expiry, certificates::expiry(seen)),
        (Item::Namespaces, models::namespaces(seen)),
        (Item::DryRun, models::dry_run(seen)),
        (Item::Receivers, models::receivers(seen)),
    ])
}

/// The checks before an installation.
pub(super) fn judge_before(seen: &SeenBefore) -> Vec<Judged> {
    checks([
        (Item::ApiServer, Ok(cluster::api_server(&seen.api_server))),
        (Item::Seldon, cluster::seldon(&seen.seldon)),
        (Item::AdmissionApi, cluster::admission_api(&seen.admission)),
        (Item::Rights, cluster::rights(&seen.rights)),
        (Item::Leftovers, Ok(cluster::leftovers(seen))),
        (
            Item::OtherWebhooks,
            webhook::other_webhooks(&seen.configurations),
        ),
    ])
}

fn checks<const COUNT: usize>(checked: [(Item, Checked); COUNT]) -> Vec<Judged> {
    let checked = checked.into_iter();
    checked
        .map(|(item, checked)| Judged {
            item,
            finding: checked.unwrap_or_else(|finding| finding),
        })
        .collect()
}

#[cfg(test)]
mod tests;
