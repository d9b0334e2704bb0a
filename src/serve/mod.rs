//! The webhook's server: listeners, TLS, limits, reload, shutdown.
//!
//! | file | what it is for |
//! |---|---|
//! | `server` | start, serve, shut down |
//! | `accept`, `clients`, `paced` | connections, and how much of what is shared a client gets |
//! | `webhook`, `intake`, `outgoing`, `refusal` | a request: its body, its decision, its answer |
//! | `identity`, `reload` | certificates and configuration, and their changes |
//! | `admin`, `health`, `metrics` | what others see of it |
//! | `limits`, `state` | what a client may take; what requests share |
//! | `loopback` | a webhook for oneself |

mod admin;
mod health;
pub(crate) mod identity;
mod intake;
mod limits;
mod loopback;
mod metrics;
mod outgoing;
mod refusal;
mod reload;
mod server;
mod state;
mod webhook;

pub use identity::{Files, Identity, IdentityError};
pub use limits::Limits;
pub use loopback::{Loopback, dev_identity, loopback};
pub use reload::{ConfigError, ConfigSource};
pub use server::{Server, Settings, StartError, Stopped};
pub use state::Decide;
