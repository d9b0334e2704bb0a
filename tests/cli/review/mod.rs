//! `review`, and its client.

mod asking;
mod client;
mod command;
mod examples;
mod fake;
mod refusals;
