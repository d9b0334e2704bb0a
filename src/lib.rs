//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`config`] | the config file | yes |
//! | [`manifest`] | manifests as text, edited without touching what need not change | yes |
//! | [`explain`] | a plan in words | yes |
//! | [`jaeger_config`] | the sampler for the Python wrapper, as `ConfigMap`s | yes |
//! | [`offline`] | one document through the engine and back into its text | yes |
//! | [`admission`] | AdmissionReview as the webhook sees it: the answer to a request | yes |
//! | [`pki`] | certificates | but for keys |
//! | [`serve`] | the webhook's server | no |
//! | `files` | which files are read, and how much of them | no |
//! | [`process`] | what a long-running command needs: log, listeners, signals | no |
//! | [`apiserver`] | the API server, played: its question, its client, its check of an answer | but for the client |
//! | [`cli`] | the command line: types only | yes |
//! | [`commands`] | the subcommands: read, call the core, write | no |
//!
//! Imports point inwards: nothing pure knows of the commands.

#![forbid(unsafe_code)]

pub mod admission;
pub mod apiserver;
pub mod cli;
pub mod commands;
pub mod config;
pub mod explain;
mod files;
pub mod inject;
pub mod jaeger;
pub mod jaeger_config;
pub mod manifest;
pub mod offline;
pub mod pki;
pub mod process;
pub mod seldon;
pub mod serve;
