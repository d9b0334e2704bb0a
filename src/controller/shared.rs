//! The parts that all tasks share.

use std::sync::Arc;

use kube::Client;

use super::events::Events;
use super::metrics::Metrics;
use super::trouble::Trouble;
use crate::process::health::{Check, Health};

/// The parts that all tasks share.
pub(super) struct Shared {
    pub(super) client: Client,
    /// The namespace in which we are installed.
    pub(super) namespace: String,
    pub(super) events: Events,
    pub(super) health: Arc<Health>,
    pub(super) metrics: Metrics,
}

impl Shared {
    pub(super) fn new(client: Client, namespace: String, keeps_certificates: bool) -> Self {
        Self {
            events: Events::new(client.clone()),
            client,
            namespace,
            health: Arc::new(Health::new([])),
            metrics: Metrics::new(keeps_certificates),
        }
    }

    /// Reports the result of a repeated attempt: in the log only when it changes.
    ///
    /// `check` is its name in `/readyz` and in the metrics. Trouble does not make the process unready, because a restart would not fix it.
    pub(super) fn report<T>(&self, check: &'static str, result: &Result<T, Trouble>) {
        let trouble = result.as_ref().err();
        self.metrics.tried(check, trouble);
        let state = trouble.map_or(Check::Ok, |trouble| Check::Problem(trouble.to_string()));
        let is_first = self.health.get(check).is_none();
        if !self.health.set(check, state) {
            return;
        }
        match trouble {
            Some(trouble) => tracing::warn!(check, problem = %trouble, "failed; will try again"),
            None if is_first => {}
            None => tracing::info!(check, "works again"),
        }
    }
}
