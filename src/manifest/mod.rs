//! Manifests as text: read with positions, edited without a byte changed that need not change.
//!
//! A manifest belongs to a person, who wrote comments, quotes and anchors into it. So nothing here
//! parses, changes and prints it again: [`edit::edit`] turns each patch operation into a splice of
//! the text itself, and then reads the result back. If that does not give exactly what the patch
//! gives on the values, the edit is refused, never guessed.
//!
//! The way of a file: [`stream::Documents`] cuts it at its document markers, [`tree::Tree`] reads
//! one document with the place of every node, [`edit::edit`] writes the patched text. What has no
//! text yet (`-o yaml`) is written by [`emit::to_yaml`].

pub mod edit;
pub mod emit;
mod json;
mod scalar;
pub mod stream;
pub mod tree;
mod value;
mod yaml;
