//! Jaeger tracing for Seldon Core v1 by one annotation.
//!
//! | module | what it is for | pure |
//! |---|---|---|
//! | [`inject`] | the engine: object in, plan and patch out | yes |
//! | [`config`] | the config file | yes |

#![forbid(unsafe_code)]

pub mod config;
pub mod inject;
