//! The webhook's server.
//!
//! | file | what it is for |
//! |---|---|
//! | `server` | start, serve, shut down |
//! | `webhook`, `intake`, `outgoing`, `http_error` | one request: its body, its decision, its answer |
//! | `limits`, `turns`, `state` | what a client may use; what requests share |
//! | `identity`, `config_file`, `reload` | certificate and configuration, and their changes |
//! | `metrics` | what is counted |
//! | `loopback` | a webhook for development |

mod config_file;
mod http_error;
mod identity;
mod intake;
mod limits;
mod loopback;
mod metrics;
mod outgoing;
mod reload;
mod server;
mod state;
mod turns;
mod webhook;

pub use config_file::ConfigSource;
pub use identity::{Files, Identity};
pub use limits::Limits;
pub use loopback::{Loopback, dev_identity, loopback};
pub use reload::StartError;
pub use server::{Options, Server, Stopped};
pub use state::Decide;
