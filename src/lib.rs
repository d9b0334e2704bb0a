//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`config`] | the config file | yes |
//! | [`manifest`] | manifests as text, edited in place | yes |
//! | [`offline`] | one document, through the engine and back into its text | yes |
//! | [`review`] | AdmissionReview: the webhook's answer, the API server's question and its check | yes |
//! | [`pki`] | certificates | except for random keys |
//! | [`serve`] | the webhook's server | no |
//! | `files` | reading files with a limit | no |
//! | [`telemetry`] | the log of the webhook | no |
//! | [`client`] | the API server as a client | no |
//! | [`cli`] | the types of the command line | yes |
//! | [`commands`] | the subcommands: read, call the library, print | no |
//!
//! Imports point inwards: nothing pure knows of the commands.

#![forbid(unsafe_code)]

pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
mod files;
pub mod inject;
pub mod manifest;
pub mod offline;
pub mod pki;
pub mod review;
pub mod serve;
pub mod telemetry;
