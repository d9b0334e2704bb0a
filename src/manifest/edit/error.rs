//! Why a text cannot be edited.

use super::super::tree::Tree;

const WRITE_PLAINLY: &str = "write this part more plainly, or make the change by hand";

/// A text that was not edited, for the author of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {problem}; {advice}")]
pub struct EditError {
    /// The place of the change as an RFC 6901 pointer; empty for the document.
    pub pointer: String,
    /// The nearest line in the document's text, from 1.
    pub line: usize,
    /// The problem.
    pub problem: String,
    /// How to solve it.
    pub advice: String,
}

impl EditError {
    pub(super) fn new(tree: &Tree, pointer: &str, problem: String, advice: &str) -> Self {
        Self {
            line: tree.locate(pointer).map_or(1, |position| position.line),
            pointer: pointer.to_owned(),
            problem,
            advice: advice.to_owned(),
        }
    }
}

/// A problem in a part of the text that is written in a way that cannot be edited exactly.
#[derive(Debug)]
pub(super) struct Unclear(pub(super) String);

impl Unclear {
    pub(super) fn new(problem: &str) -> Self {
        Self(problem.to_owned())
    }

    pub(super) fn at(self, tree: &Tree, pointer: &str) -> EditError {
        EditError::new(tree, pointer, self.0, WRITE_PLAINLY)
    }
}
