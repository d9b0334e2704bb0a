//! The state that all requests share.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::limits::Limits;
use super::metrics::{Metrics, Watched};
use super::turns::Turns;
use crate::admission::{Answer, AnswerError, Route};
use crate::config::Config;
use crate::process::clients::Pool;
use crate::process::health::Health;

/// The checks of the certificate's dates in `/readyz`.
pub(super) const BEGUN: &str = "certificate-begun";
pub(super) const NOT_EXPIRED: &str = "certificate-not-expired";

/// How a request is decided: [`crate::admission::answer`], or a replacement in tests.
pub type Decide = for<'a> fn(&'a [u8], Route, &Config) -> Result<Answer<'a>, AnswerError>;

/// What all requests share.
pub(super) struct Shared {
    pub(super) config: ArcSwap<Config>,
    pub(super) decide: Decide,
    pub(super) metrics: Metrics,
    pub(super) connections: Arc<Pool>,
    /// Bytes.
    pub(super) memory: Arc<Pool>,
    /// Of large requests.
    pub(super) turns: Turns,
    pub(super) health: Arc<Health>,
    pub(super) limits: Limits,
}

impl Shared {
    pub(super) fn new(config: Config, decide: Decide, limits: Limits) -> Self {
        let files = Watched::ALL.map(Watched::check);
        let checks = files.into_iter().chain([BEGUN, NOT_EXPIRED]);
        Self {
            config: ArcSwap::from_pointee(config),
            decide,
            metrics: Metrics::new(),
            connections: Pool::new(limits.connections),
            memory: Pool::new(limits.memory),
            turns: Turns::default(),
            health: Arc::new(Health::new(checks)),
            limits,
        }
    }
}
