//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`config`] | the config file | yes |
//! | [`manifest`] | manifests as text, edited without touching what need not change | yes |
//! | [`explain`] | a plan in words | yes |
//! | [`offline`] | one document through the engine and back into its text | yes |
//! | [`cli`] | the command line: types only | yes |
//! | [`commands`] | the subcommands: read, call the core, write | no |
//!
//! Imports point inwards: nothing pure knows of the commands.

#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod config;
pub mod explain;
pub mod inject;
pub mod manifest;
pub mod offline;
