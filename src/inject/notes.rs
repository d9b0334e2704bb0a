//! Reasons with the places they are about, in the order in which they were found.

use std::borrow::Cow;
use std::fmt;

use crate::inject::reason::Reason;
use crate::seldon::place::Place;

/// A reason, its place, and the details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// Why.
    pub reason: Reason,
    /// Where.
    pub place: Place<'a>,
    /// The details, such as a variable's name or what is expected. Never the value of a variable, or of an annotation of the user's.
    pub detail: Cow<'a, str>,
}

/// In one line: the code, the place, and the details or what the reason means.
impl fmt::Display for Note<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = if self.detail.is_empty() {
            self.reason.text()
        } else {
            &self.detail
        };
        write!(
            formatter,
            "{}: {}: {detail}",
            self.reason.code(),
            self.place
        )
    }
}

/// How many notes a new one is compared with. Those on the whole object come first. An object with thousands of problems may repeat one,
/// but the time stays linear.
const REMEMBERED: usize = 16;

/// The most notes that are kept. A user does not read more.
const MAX_NOTES: usize = 10_000;

/// The notes of one decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes<'a>(pub(crate) Vec<Note<'a>>);

impl<'a> Notes<'a> {
    pub(crate) fn add(
        &mut self,
        reason: Reason,
        place: Place<'a>,
        detail: impl Into<Cow<'a, str>>,
    ) {
        if self.0.len() >= MAX_NOTES {
            return;
        }
        let note = Note {
            reason,
            place,
            detail: detail.into(),
        };
        // A problem of the whole object comes up again at every predictor.
        let mut earliest = self.0.iter().take(REMEMBERED);
        let again = reason.is_problem() && earliest.any(|earlier| *earlier == note);
        if !again {
            self.0.push(note);
        }
    }

    /// Adds those of another decision.
    pub(crate) fn append(&mut self, others: Self) {
        for Note {
            reason,
            place,
            detail,
        } in others.0
        {
            self.add(reason, place, detail);
        }
    }

    /// Notes a part of the wrong type.
    pub(crate) fn odd(&mut self, place: Place<'a>, expected: &'static str, found: &'static str) {
        self.add(
            Reason::OddType,
            place,
            Cow::Owned(format!("expected {expected}, found {found}")),
        );
    }
}
