//! The pure modules of `seldon-tracing`, from its own sources.

#[macro_use]
#[path = "../src/table.rs"]
mod table;

#[path = "../src/admission/mod.rs"]
pub mod admission;
/// Without the client, which is not pure.
#[path = "../src/apiserver"]
pub mod apiserver {
    pub mod question;
    pub mod verify;
}
#[path = "../src/config/mod.rs"]
pub mod config;
#[path = "../src/inject/mod.rs"]
pub mod inject;
#[path = "../src/jaeger/mod.rs"]
pub mod jaeger;
#[path = "../src/manifest/mod.rs"]
pub mod manifest;
#[path = "../src/offline/mod.rs"]
pub mod offline;
#[path = "../src/seldon/mod.rs"]
pub mod seldon;
