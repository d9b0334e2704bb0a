//! Imitates the API server: how it asks a webhook, and which answers it accepts.
//!
//! This module shares no code with [`admission`](crate::admission), which answers, so that a mistake there is not repeated here.

pub mod client;
pub mod question;
pub mod verify;
