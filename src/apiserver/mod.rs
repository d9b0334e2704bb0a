//! The API server, played: how it asks a webhook, and what it accepts as an answer.
//!
//! This module shares no code with [`admission`](crate::admission), which answers, so that a mistake there is not repeated here.

pub mod client;
pub mod question;
pub mod verify;
