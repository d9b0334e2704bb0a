//! What all requests share.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::connections::Connections;
use super::health::Health;
use super::intake::Intake;
use super::limits::Limits;
use super::metrics::Metrics;
use crate::config::Config;
use crate::review::{Answer, Malformed, Route};
use crate::telemetry::LostLines;

/// How a request is decided: [`crate::review::answer`], or what a test puts in its place to see what becomes of a panic.
pub type Decide = for<'a> fn(&'a [u8], Route, &Config) -> Result<Answer<'a>, Malformed>;

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: ArcSwap<Config>,
    pub(super) decide: Decide,
    pub(super) metrics: Arc<Metrics>,
    pub(super) connections: Arc<Connections>,
    pub(super) intake: Intake,
    pub(super) health: Health,
    pub(super) limits: Limits,
    /// Lines of the log that were lost.
    pub(super) dropped_lines: Option<LostLines>,
}

impl Shared {
    pub(super) fn new(
        config: Config,
        decide: Decide,
        limits: Limits,
        dropped_lines: Option<LostLines>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let connections = Arc::new(Connections::new(
            limits.connections,
            limits.patience,
            Arc::clone(&metrics),
        ));
        Self {
            config: ArcSwap::from_pointee(config),
            decide,
            intake: Intake::new(Arc::clone(&connections), limits),
            connections,
            metrics,
            health: Health::new(),
            limits,
            dropped_lines,
        }
    }
}
