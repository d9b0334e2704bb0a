//! What is counted. Labels come from closed lists: no names, no namespaces.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::admission::Decision;
use crate::inject::TargetKind;

/// Requests that were decided.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reviewed {
    operation: &'static str,
    outcome: &'static str,
    dry_run: &'static str,
}

/// Something with one word to it.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Answers.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Status {
    code: u16,
}

/// Attempts to take in new files.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reload {
    what: &'static str,
    result: &'static str,
}

/// What is read again when its bytes change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Certificate,
    Config,
}

impl Source {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Config => "config",
        }
    }
}

/// What a request had to wait for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shortage {
    Memory,
    Time,
}

impl Shortage {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Time => "time",
        }
    }
}

/// The counters.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    reviewed: Family<Reviewed, Counter>,
    answers: Family<Status, Counter>,
    duration: Histogram,
    pub(super) in_flight: Gauge,
    shed: Family<Kind, Counter>,
    body_bytes: Histogram,
    injected_targets: Family<Kind, Counter>,
    pub(super) panics: Counter,
    pub(super) connections: Gauge,
    pub(super) connections_refused: Counter,
    pub(super) handshake_errors: Counter,
    pub(super) certificate_expiry: Gauge<f64, AtomicU64>,
    reloads: Family<Reload, Counter>,
    pub(super) log_lines_dropped: Counter,
}

/// Bounds of the buckets, in seconds: a decision takes 30 µs, the API server waits for 3 s.
const SECONDS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

/// Bounds of the buckets, in bytes: from the smallest review to the largest that is taken.
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

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("seldon_tracing"),
            reviewed: Family::default(),
            answers: Family::default(),
            duration: Histogram::new(SECONDS),
            in_flight: Gauge::default(),
            shed: Family::default(),
            body_bytes: Histogram::new(BYTES),
            injected_targets: Family::default(),
            panics: Counter::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            handshake_errors: Counter::default(),
            certificate_expiry: Gauge::default(),
            reloads: Family::default(),
            log_lines_dropped: Counter::default(),
        };
        metrics.register_requests();
        metrics.register_server();
        // What has not happened yet is 0, not absent: rates and alerts need both ends.
        for source in [Source::Certificate, Source::Config] {
            for result in ["done", "refused"] {
                let what = source.code();
                let _ = metrics.reloads.get_or_create(&Reload { what, result });
            }
        }
        for shortage in [Shortage::Memory, Shortage::Time] {
            let kind = shortage.code();
            let _ = metrics.shed.get_or_create(&Kind { kind });
        }
        metrics
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "requests",
            "Reviews that were decided; a write of a user may cause several",
            self.reviewed.clone(),
        );
        registry.register("answers", "HTTP answers by status", self.answers.clone());
        registry.register_with_unit(
            "request_duration",
            "From the header of a request to its answer",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests that are being answered",
            self.in_flight.clone(),
        );
        registry.register(
            "requests_shed",
            "Requests that were told to come back, by what was short",
            self.shed.clone(),
        );
        registry.register_with_unit(
            "request_body",
            "Sizes of the bodies",
            Unit::Bytes,
            self.body_bytes.clone(),
        );
        registry.register(
            "injected_targets",
            "Targets of an injection, by kind",
            self.injected_targets.clone(),
        );
        registry.register(
            "panics",
            "Requests that met a bug and were answered with 500",
            self.panics.clone(),
        );
    }

    fn register_server(&mut self) {
        let registry = &mut self.registry;
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "connections_refused",
            "Connections that were closed at once, for their client had its share",
            self.connections_refused.clone(),
        );
        registry.register(
            "tls_handshake_errors",
            "TLS handshakes that failed or took too long",
            self.handshake_errors.clone(),
        );
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "When the served certificate expires, since 1970",
            Unit::Seconds,
            self.certificate_expiry.clone(),
        );
        registry.register(
            "reloads",
            "Attempts to take in changed files",
            self.reloads.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Lines of the log that nobody read in time, or that could not be written",
            self.log_lines_dropped.clone(),
        );
        registry.register(
            "build",
            "What this is",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
    }

    /// All of it, in the text format of `OpenMetrics`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    pub(super) fn decided(&self, decision: &Decision<'_>) {
        self.reviewed
            .get_or_create(&Reviewed {
                operation: decision.operation.code(),
                outcome: decision.outcome.code(),
                dry_run: if decision.dry_run { "true" } else { "false" },
            })
            .inc();
        if decision.operations == 0 {
            return;
        }
        for (kind, count) in TargetKind::ALL.into_iter().zip(decision.targets) {
            if count > 0 {
                let kind = kind.code();
                self.injected_targets
                    .get_or_create(&Kind { kind })
                    .inc_by(count as u64);
            }
        }
    }

    pub(super) fn answered(&self, code: u16, after: Duration) {
        self.answers.get_or_create(&Status { code }).inc();
        self.duration.observe(after.as_secs_f64());
    }

    #[expect(clippy::cast_precision_loss, reason = "bodies have no 2^52 bytes")]
    pub(super) fn body(&self, bytes: usize) {
        self.body_bytes.observe(bytes as f64);
    }

    pub(super) fn shed(&self, shortage: Shortage) {
        let kind = shortage.code();
        self.shed.get_or_create(&Kind { kind }).inc();
    }

    pub(super) fn reloaded(&self, source: Source, done: bool) {
        let result = if done { "done" } else { "refused" };
        let what = source.code();
        self.reloads.get_or_create(&Reload { what, result }).inc();
    }
}
