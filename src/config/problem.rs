//! The problems of a config file, in a text of bounded length: it goes into the log and to `/readyz`.

use std::fmt;

use crate::manifest::tree::{ParseError, Position};

/// Something that is wrong with a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, from line 1 and column 1.
    pub position: Position,
    /// The key it is about, as `profiles.sampled.agentPort`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(formatter, "{line}:{column}: ")?;
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// What is wrong with a config file: the first problems in the order of the file, and how many there are beyond them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first ones, at most [`Problems::MOST`].
    pub first: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

impl Problems {
    /// How many are kept. Their text goes into the log and to `/readyz`.
    pub const MOST: usize = 20;

    /// A line of text for each problem in the file of this name, and one for those that are not kept.
    pub fn lines(&self, file: &str) -> impl Iterator<Item = String> {
        let plural = if self.more == 1 { "" } else { "s" };
        let more =
            (self.more > 0).then(|| format!("{file}: and {} more problem{plural}", self.more));
        let first = self.first.iter();
        first
            .map(move |problem| format!("{file}:{problem}"))
            .chain(more)
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.first.len() < Self::MOST {
            self.first.push(problem);
        } else {
            self.more += 1;
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self {
            first: vec![problem],
            more: 0,
        }
    }
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        Self {
            position: error.position,
            path: String::new(),
            message: shown(&error.message, 200),
        }
    }
}

/// The known name that was probably meant.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let known = known.into_iter();
    let likely = known.map(|known| (strsim::jaro(known, name), known));
    let nearest = likely.max_by(|one, other| one.0.total_cmp(&other.0));
    nearest
        .filter(|(likeness, _)| *likeness > 0.7)
        .map(|(_, known)| known)
}

/// The beginning of a text, to be shown.
pub(crate) fn shown(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
