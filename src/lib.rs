//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`config`] | the config file | yes |
//! | [`manifest`] | manifests as text, edited without touching what need not change | yes |
//! | [`offline`] | one document through the engine and back into its text | yes |
//! | [`review`] | AdmissionReview: the webhook's answer, the API server's question and its check | yes |
//! | [`pki`] | certificates | but for keys |
//! | [`serve`] | the webhook's server | no |
//! | `files` | which files are read, and how much of them | no |
//! | [`telemetry`] | the log of the webhook | no |
//! | [`client`] | the API server as a client | no |
//! | [`cli`] | the command line: types only | yes |
//! | [`commands`] | the subcommands: read, call the core, write | no |
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
