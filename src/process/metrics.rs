//! What the metrics of every process have in common.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};
use time::OffsetDateTime;

/// A moment, in seconds since 1970.
pub(crate) type Time = Gauge<f64, AtomicU64>;

/// Metrics whose names begin with that of the product; its version is the first.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::with_prefix("seldon_tracing");
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The version of seldon-tracing", version);
    registry
}

/// Adds a metric.
pub(crate) fn add<M: Metric + Clone + Default>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// Adds a moment.
pub(crate) fn time(registry: &mut Registry, name: &str, help: &str) -> Time {
    let time = Time::default();
    registry.register_with_unit(name, help, Unit::Seconds, time.clone());
    time
}

/// Sets a moment.
#[expect(clippy::cast_precision_loss, reason = "seconds are less than 2^52")]
pub(crate) fn set(metric: &Time, time: OffsetDateTime) {
    metric.set(time.unix_timestamp() as f64);
}

/// Adds the counter of lost log lines.
pub(crate) fn log_lines_dropped(registry: &mut Registry) -> Counter {
    let help = "Log lines that were not read in time or could not be written";
    add(registry, "log_lines_dropped", help)
}

/// The page of all metrics, in the text format of `OpenMetrics`.
pub(crate) fn page(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, registry);
    text
}
