//! Requests that get no review.

use serde_json::error::Category;

use super::weight::MAX_UID;

/// A request that gets no review as its answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The client's fault: HTTP 4xx.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Our fault: HTTP 500, because an answer is never sent in part.
    #[error("the answer cannot be written: {0}")]
    Unwritten(String),
}

/// A body that is not a valid AdmissionReview. The messages go into logs, so they name places and never quote the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is empty.
    #[error("the body is empty; send an AdmissionReview of admission.k8s.io/v1")]
    Empty,
    /// It is not UTF-8.
    #[error("the body is not UTF-8 from byte {valid_up_to}")]
    NotUtf8 {
        /// How many bytes are UTF-8.
        valid_up_to: usize,
    },
    /// It is not JSON, or incomplete.
    #[error("the body is not JSON: {what} at line {line} column {column}")]
    NotJson {
        /// Whether it is incomplete or wrong.
        what: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// It is JSON, but not an AdmissionReview.
    #[error(
        "the body is not an AdmissionReview: a field has the wrong type, is repeated or is missing, at line {line} column {column}"
    )]
    NotAReview {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// It has another version, such as v1beta1.
    #[error(
        "only AdmissionReview of admission.k8s.io/v1 is supported; set admissionReviewVersions: [\"v1\"]"
    )]
    OtherVersion,
    /// A required field is missing.
    #[error("the AdmissionReview has no {0}")]
    Missing(&'static str),
    /// The uid is too long.
    #[error("request.uid is longer than {} bytes", MAX_UID)]
    LongUid,
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Data => Self::NotAReview { line, column },
            Category::Eof => Self::NotJson {
                what: "it ends too early",
                line,
                column,
            },
            Category::Syntax | Category::Io => Self::NotJson {
                what: "there is an error",
                line,
                column,
            },
        }
    }
}
