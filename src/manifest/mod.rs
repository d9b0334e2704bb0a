//! Manifests as text: read with positions, and edited so that every byte that need not change stays.
//!
//! Users write comments, quotes and anchors into their manifests. Parsing, changing and printing a manifest would lose them. So
//! [`edit::edit`] turns each patch operation into a splice of the text, and reads the result back. If the result does not have exactly
//! the value that the patch gives, the edit is refused.
//!
//! [`stream::Documents`] splits a file at its document markers, [`tree::Tree`] reads one document with the place of every node, and
//! [`edit::edit`] writes the patched text. [`emit::to_yaml`] prints values that have no text yet (`-o yaml`).

pub mod edit;
pub mod emit;
mod scalar;
pub mod stream;
pub mod tree;
mod value;
mod yaml;
