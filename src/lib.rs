//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`config`] | the config file | yes |
//! | [`manifest`] | manifests as text, edited without touching what need not change | yes |

#![forbid(unsafe_code)]

pub mod config;
pub mod inject;
pub mod manifest;
