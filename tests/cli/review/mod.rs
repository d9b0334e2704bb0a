//! `review`, and the client that it calls the webhook with.

mod asking;
mod client;
mod command;
mod examples;
mod fake;
mod refusals;
