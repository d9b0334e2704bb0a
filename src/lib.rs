//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`seldon`] | what Seldon is: the object leniently read, its graph, the places in it, prepackaged servers | yes |
//! | [`jaeger`] | what the Jaeger clients read, accept, and crash on | yes |
//! | [`pki`] | certificates | except for random keys |
//! | [`manifest`] | manifests as text, edited in place | yes |
//! | [`cli`] | the types of the command line | except for the arguments of the process |
//! | `files` | reading files with a limit | no |
//! | `table` | closed lists, each with a table | yes |
//! | [`config`] | the config file | yes |
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`admission`] | AdmissionReview as the webhook sees it: the answer to a request | yes |
//! | [`offline`] | one document, through the engine and back into its text | yes |
//! | [`process`] | what a long-running command needs: log, listeners, signals | no |
//! | [`apiserver`] | imitates the API server: its question, its client, its check of an answer | except for the client |
//! | [`serve`] | the webhook's server | no |
//! | `cluster` | a cluster, through its API server | no |
//! | `controller` | the controller: renews certificates and `caBundle`, and repairs models that were stored without the webhook | no |
//! | [`commands`] | the subcommands: read, call the library, print | no |
//!
//! A module imports only from those above it; `docs/architecture.md` shows the layers, and a test holds them.

#![forbid(unsafe_code)]

#[macro_use]
mod table;

pub mod admission;
pub mod apiserver;
pub mod cli;
mod cluster;
pub mod commands;
pub mod config;
mod controller;
mod files;
pub mod inject;
pub mod jaeger;
pub mod manifest;
pub mod offline;
pub mod pki;
pub mod process;
pub mod seldon;
pub mod serve;
