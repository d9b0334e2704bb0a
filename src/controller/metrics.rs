//! The metrics. All labels come from closed lists.

use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use time::OffsetDateTime;

use super::trouble::Trouble;
use crate::process::metrics::{self, Time, add};

table! {
    /// What came of a repair.
    pub(super) enum Repaired
    fn code -> &'static str {
        Done = "done",
        /// It changed nothing.
        InVain = "in-vain",
        Failed = "failed",
    }
}

type Label = [(&'static str, &'static str); 1];

/// All metrics.
pub(super) struct Metrics {
    expiry: Option<Expiry>,
    steps: Family<Label, Counter>,
    errors: Family<Label, Counter>,
    problems: Family<Label, Gauge>,
    models: Family<Label, Gauge>,
    repairs: Family<Label, Counter>,
    waiting: Gauge,
    api_reachable: Gauge,
    log_lines_dropped: Counter,
    registry: Registry,
}

/// When the certificate and the CA expire.
struct Expiry {
    certificate: Time,
    ca: Time,
}

impl Expiry {
    fn new(registry: &mut Registry) -> Self {
        Self {
            certificate: metrics::time(
                registry,
                "certificate_expiry_timestamp",
                "When the certificate in the Secret expires, since 1970",
            ),
            ca: metrics::time(
                registry,
                "ca_expiry_timestamp",
                "When the CA that signs expires, since 1970",
            ),
        }
    }
}

impl Metrics {
    /// Without certificates to keep, there are no metrics of their expiry: an alert would take 0 for a date.
    pub(super) fn new(keeps_certificates: bool) -> Self {
        let mut registry = metrics::registry();
        let it = &mut registry;
        let metrics = Self {
            expiry: keeps_certificates.then(|| Expiry::new(it)),
            steps: add(it, "controller_steps", "Writes, by Event reason"),
            errors: add(it, "controller_errors", "Failed attempts, by task"),
            problems: add(
                it,
                "controller_problems",
                "1 if the last attempt failed, by task",
            ),
            models: add(it, "models", "SeldonDeployments, by standing"),
            waiting: add(
                it,
                "models_waiting",
                "SeldonDeployments waiting for a repair, including those given up",
            ),
            repairs: add(it, "repairs", "Repairs, by result"),
            api_reachable: add(
                it,
                "controller_api_reachable",
                "1 if the API server answered the last request",
            ),
            log_lines_dropped: metrics::log_lines_dropped(it),
            registry,
        };
        // A counter of events that have not happened yet is 0, not absent.
        for result in Repaired::ALL {
            let _ = metrics.repairs.get_or_create(&[("result", result.code())]);
        }
        metrics
    }

    /// The page of all metrics.
    pub(super) fn page(&self, lost_lines: u64) -> String {
        let dropped = self.log_lines_dropped.inner();
        dropped.store(lost_lines, Ordering::Relaxed);
        metrics::page(&self.registry)
    }

    /// A counter of events that have not happened yet is 0, not absent.
    pub(super) fn steps_begin(&self, reasons: impl Iterator<Item = &'static str>) {
        for reason in reasons {
            let _ = self.steps.get_or_create(&[("step", reason)]);
        }
    }

    pub(super) fn step(&self, reason: &'static str) {
        self.steps.get_or_create(&[("step", reason)]).inc();
    }

    pub(super) fn models(&self, standing: &'static str, count: usize) {
        let models = self.models.get_or_create(&[("standing", standing)]);
        models.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn waiting(&self, count: usize) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn repaired(&self, result: Repaired) {
        let label = [("result", result.code())];
        self.repairs.get_or_create(&label).inc();
    }

    pub(super) fn tried(&self, check: &'static str, trouble: Option<&Trouble>) {
        let label = [("check", check)];
        let errors = self.errors.get_or_create(&label);
        if trouble.is_some() {
            errors.inc();
        }
        self.problems
            .get_or_create(&label)
            .set(i64::from(trouble.is_some()));
        let is_answer = trouble.is_none_or(Trouble::is_answer);
        self.api_reachable.set(i64::from(is_answer));
    }

    pub(super) fn ends(&self, certificate: Option<OffsetDateTime>, ca: Option<OffsetDateTime>) {
        // A missing one expires in 1970, so that an alert on the expiry fires.
        let end = |end: Option<OffsetDateTime>| end.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        if let Some(expiry) = &self.expiry {
            metrics::set(&expiry.certificate, end(certificate));
            metrics::set(&expiry.ca, end(ca));
        }
    }
}
