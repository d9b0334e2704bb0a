//! The parts that every long-running command needs.
//!
//! | file | what it is for |
//! |---|---|
//! | `log` | the log on standard error |
//! | `signals` | SIGTERM and SIGINT |
//! | `listener`, `connection`, `clients` | HTTP on a port, with limits for each connection and each client |
//! | `metrics` | what the metrics of all of them have in common |
//! | `admin`, `health` | `/livez`, `/readyz` and `/metrics` |

pub(crate) mod admin;
pub(crate) mod clients;
pub(crate) mod connection;
pub(crate) mod health;
pub(crate) mod listener;
pub mod log;
pub(crate) mod metrics;
pub(crate) mod signals;
