//! The pure modules of `seldon-tracing`, from its own sources.

#[path = "../src/config/mod.rs"]
pub mod config;
#[path = "../src/inject/mod.rs"]
pub mod inject;
#[path = "../src/manifest/mod.rs"]
pub mod manifest;
#[path = "../src/offline/mod.rs"]
pub mod offline;
#[path = "../src/review/mod.rs"]
pub mod review;
