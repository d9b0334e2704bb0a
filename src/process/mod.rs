//! What every long-running command needs: the log, connections with limits, signals. It knows nothing of the webhook.

pub(crate) mod accept;
pub(crate) mod clients;
pub mod log;
mod paced;
