//! The API server's own metrics.

use super::Cluster;

/// What a metric has come to, over all series whose line holds all of these.
pub(crate) fn sum(cluster: &Cluster, name: &str, labels: &[&str]) -> f64 {
    let text = cluster.kubectl(&["get", "--raw", "/metrics"]).ok();
    sum_of(&text, name, labels)
}

/// The same in a text that was read before.
pub(crate) fn sum_of(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter(|rest| labels.iter().all(|label| rest.contains(label)))
        .filter_map(|rest| rest.rsplit(' ').next())
        .map(|value| value.parse::<f64>().unwrap())
        .sum()
}
