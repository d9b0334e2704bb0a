//! The metrics. All labels come from closed lists, so no name or namespace is among them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::http_error::Shortage;
use crate::admission::Decision;
use crate::inject::TargetKind;
use crate::process::metrics::{self, Time, add};

table! {
    /// What is loaded again when it changes.
    pub(super) enum Watched
    fn code_and_check -> (&'static str, &'static str) {
        Certificate = ("certificate", "certificate-files"),
        Config = ("config", "config-files"),
    }
}

impl Watched {
    /// The name in metrics and in the log.
    pub(super) const fn code(self) -> &'static str {
        self.code_and_check().0
    }

    /// The name of its check in `/readyz`.
    pub(super) const fn check(self) -> &'static str {
        self.code_and_check().1
    }
}

table! {
    /// What came of an attempt to load changed files.
    pub(super) enum Reloaded
    fn code -> &'static str {
        Done = "done",
        Refused = "refused",
    }
}

/// A counter for each combination of labels.
type Counters<const LABELS: usize> = Family<[(&'static str, &'static str); LABELS], Counter>;

/// Bounds of the buckets, in seconds: a decision takes 30 µs, the API server waits for 3 s.
const SECONDS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// Bounds of the buckets, in bytes: from the smallest review to the largest that is accepted.
const BYTES: [f64; 8] = [
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    3_145_728.0,
    7_340_032.0,
];

/// All metrics.
pub(super) struct Metrics {
    requests: Counters<3>,
    answers: Family<[(&'static str, u16); 1], Counter>,
    duration: Histogram,
    pub(super) in_flight: Gauge,
    shed: Counters<1>,
    body_bytes: Histogram,
    injected_targets: Counters<1>,
    pub(super) panics: Counter,
    connections: Gauge,
    pub(super) connections_refused: Counter,
    pub(super) handshake_errors: Counter,
    pub(super) certificate_expiry: Time,
    reloads: Counters<2>,
    files_refused: Family<[(&'static str, &'static str); 1], Gauge>,
    log_lines_dropped: Counter,
    registry: Registry,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = metrics::registry();
        let it = &mut registry;
        let certificate_expiry = metrics::time(
            it,
            "certificate_expiry_timestamp",
            "When the served certificate expires, since 1970",
        );
        let duration = Histogram::new(SECONDS);
        it.register_with_unit(
            "request_duration",
            "From the header of a request to its answer",
            Unit::Seconds,
            duration.clone(),
        );
        let body_bytes = Histogram::new(BYTES);
        it.register_with_unit(
            "request_body",
            "Sizes of request bodies",
            Unit::Bytes,
            body_bytes.clone(),
        );
        let metrics = Self {
            requests: add(it, "requests", "Decisions; one write may cause several"),
            answers: add(it, "answers", "HTTP answers by status"),
            in_flight: add(it, "requests_in_flight", "Requests being answered"),
            shed: add(it, "requests_shed", "503 answers, by exhausted resource"),
            injected_targets: add(it, "injected_targets", "Targets in patches, by kind"),
            panics: add(it, "panics", "Requests answered with 500 because of a bug"),
            connections: add(it, "connections", "Open connections"),
            connections_refused: add(
                it,
                "connections_refused",
                "Connections closed at once because the client reached its limit",
            ),
            handshake_errors: add(
                it,
                "tls_handshake_errors",
                "TLS handshakes that failed or timed out",
            ),
            reloads: add(it, "reloads", "Attempts to load changed files"),
            files_refused: add(
                it,
                "files_refused",
                "1 while files cannot be used and the last good ones are in use",
            ),
            log_lines_dropped: metrics::log_lines_dropped(it),
            duration,
            body_bytes,
            certificate_expiry,
            registry,
        };
        metrics.start_at_zero();
        metrics
    }

    /// A counter of events that have not happened yet is 0, not absent: rates and alerts need it.
    fn start_at_zero(&self) {
        for what in Watched::ALL {
            self.files(what, false);
            for result in Reloaded::ALL {
                let labels = [("what", what.code()), ("result", result.code())];
                let _ = self.reloads.get_or_create(&labels);
            }
        }
        for shortage in Shortage::ALL {
            let _ = self.shed.get_or_create(&[("kind", shortage.code())]);
        }
    }

    /// The page of all metrics.
    pub(super) fn page(&self, open_connections: usize, lost_lines: u64) -> String {
        let open = i64::try_from(open_connections).unwrap_or(i64::MAX);
        self.connections.set(open);
        let dropped = self.log_lines_dropped.inner();
        dropped.store(lost_lines, Ordering::Relaxed);
        metrics::page(&self.registry)
    }

    pub(super) fn decided(&self, decision: &Decision<'_>) {
        let dry_run = if decision.dry_run { "true" } else { "false" };
        let labels = [
            ("operation", decision.operation.code()),
            ("outcome", decision.outcome.code()),
            ("dry_run", dry_run),
        ];
        self.requests.get_or_create(&labels).inc();
        if decision.operations == 0 {
            return;
        }
        for (kind, count) in TargetKind::ALL.into_iter().zip(decision.targets) {
            if count > 0 {
                let counter = self
                    .injected_targets
                    .get_or_create(&[("kind", kind.code())]);
                counter.inc_by(count as u64);
            }
        }
    }

    pub(super) fn answered(&self, code: u16, after: Duration) {
        self.answers.get_or_create(&[("code", code)]).inc();
        self.duration.observe(after.as_secs_f64());
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "bodies have fewer than 2^52 bytes"
    )]
    pub(super) fn body(&self, bytes: usize) {
        self.body_bytes.observe(bytes as f64);
    }

    pub(super) fn shed(&self, shortage: Shortage) {
        self.shed.get_or_create(&[("kind", shortage.code())]).inc();
    }

    /// Counts an attempt to load changed files.
    pub(super) fn reload(&self, what: Watched, result: Reloaded) {
        let labels = [("what", what.code()), ("result", result.code())];
        self.reloads.get_or_create(&labels).inc();
    }

    /// Sets whether files cannot be used.
    pub(super) fn files(&self, what: Watched, are_refused: bool) {
        let labels = [("what", what.code())];
        let gauge = self.files_refused.get_or_create(&labels);
        gauge.set(i64::from(are_refused));
    }
}
