//! The documents of a source, one after the other through the engine.

use super::sources::Source;
use super::talk;
use crate::config::Config;
use crate::inject::Context;
use crate::manifest::stream::{Documents, RawDocument};
use crate::offline::{self, Done};

/// Works on every document of a source that can be worked on, says what cannot, and counts it.
///
/// # Errors
/// Only those of `seen`.
pub(super) fn each(
    source: &Source,
    config: &Config,
    context: &Context<'_>,
    mut seen: impl FnMut(&RawDocument, Done) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let name = source.name();
    let reader = match source.open() {
        Ok(reader) => reader,
        Err(error) => {
            talk::error(&format!("{error:#}"));
            return Ok(1);
        }
    };
    let mut faults = 0;
    for document in Documents::new(reader) {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                talk::error(&format!("{name}: cannot read it: {error}"));
                return Ok(faults + 1);
            }
        };
        match offline::run(&document.text, config, context) {
            Ok(done) => seen(&document, done)?,
            Err(fault) => {
                talk::fault(&name, document.first_line, &fault);
                faults += 1;
            }
        }
    }
    Ok(faults)
}
