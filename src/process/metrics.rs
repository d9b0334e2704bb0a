//! The common parts of the metrics of every process.

use std::collections::BTreeMap;
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

/// The content type of the page of all metrics, which every scraper can read.
pub(crate) const FORM: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page of all metrics.
pub(crate) fn page(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = prometheus_client::encoding::text::encode_registry(&mut text, registry);
    plain(&text)
}

/// The text format of Prometheus, from that of `OpenMetrics`. They differ in the comments: in the first, a family has the name of its
/// samples, there is no type `info`, and nothing reads the unit.
fn plain(text: &str) -> String {
    let suffixes: BTreeMap<&str, &str> = comments(text, "# TYPE ")
        .filter_map(|(name, kind)| match kind {
            "counter" => Some((name, "_total")),
            "info" => Some((name, "_info")),
            _ => None,
        })
        .collect();
    let mut plain = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ")) {
        let comment = ["# HELP ", "# TYPE "].into_iter().find_map(|start| {
            let (name, rest) = line.strip_prefix(start)?.split_once(' ')?;
            Some((start, name, if rest == "info" { "gauge" } else { rest }))
        });
        if let Some((start, name, rest)) = comment {
            let suffix = suffixes.get(name).copied().unwrap_or_default();
            plain.extend([start, name, suffix, " ", rest, "\n"]);
        } else {
            plain.extend([line, "\n"]);
        }
    }
    plain
}

/// The names and the rest of the comments that begin so.
fn comments<'t>(text: &'t str, start: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let lines = text.lines();
    lines.filter_map(move |line| line.strip_prefix(start)?.split_once(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_form_that_every_scraper_reads() {
        let mut registry = Registry::with_prefix("a");
        registry.register("build", "The version", Info::new([("version", "1")]));
        let wrong: Counter = add(&mut registry, "wrong", "What went wrong");
        wrong.inc();
        set(
            &time(&mut registry, "end", "When it ends"),
            OffsetDateTime::UNIX_EPOCH,
        );
        let expected = "# HELP a_build_info The version.
# TYPE a_build_info gauge
a_build_info{version=\"1\"} 1
# HELP a_wrong_total What went wrong.
# TYPE a_wrong_total counter
a_wrong_total 1
# HELP a_end_seconds When it ends.
# TYPE a_end_seconds gauge
a_end_seconds 0.0
";
        assert_eq!(page(&registry), expected);
    }
}
