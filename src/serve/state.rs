//! What all requests share.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::health::Health;
use super::limits::Limits;
use super::metrics::Metrics;
use crate::admission::{Answer, Malformed, Route};
use crate::config::Config;
use crate::process::clients::{Pool, Turns};
use crate::process::log::LostLines;

/// How a request is decided: [`crate::admission::answer`], or what a test puts in its place to see what becomes of a panic.
pub type Decide = for<'a> fn(&'a [u8], Route, &Config) -> Result<Answer<'a>, Malformed>;

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: ArcSwap<Config>,
    pub(super) decide: Decide,
    pub(super) metrics: Arc<Metrics>,
    pub(super) connections: Arc<Pool>,
    /// Bytes.
    pub(super) memory: Arc<Pool>,
    /// Of large requests.
    pub(super) turns: Turns,
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
        Self {
            config: ArcSwap::from_pointee(config),
            decide,
            metrics: Arc::new(Metrics::new()),
            connections: Pool::new(limits.connections),
            memory: Pool::new(limits.memory),
            turns: Turns::new(),
            health: Health::new(),
            limits,
            dropped_lines,
        }
    }
}
