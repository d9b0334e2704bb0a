//! What keeps a request from being answered with a review: a fault of the one who asks.

use serde_json::error::Category;

/// A body that is no AdmissionReview of ours. The texts hold places, never what stands there: they go into logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is nothing in it.
    #[error("the body is empty; send an AdmissionReview of admission.k8s.io/v1")]
    Empty,
    /// It is not text.
    #[error("the body is not UTF-8 from byte {valid_up_to}")]
    NotUtf8 {
        /// How many bytes are.
        valid_up_to: usize,
    },
    /// It is not JSON, or cut off.
    #[error("the body is not JSON: {what} at line {line} column {column}")]
    NotJson {
        /// Whether it ends too early or is wrong.
        what: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// It is JSON, but not an AdmissionReview.
    #[error(
        "the body is not an AdmissionReview: a field is of the wrong type, twice there or missing, at line {line} column {column}"
    )]
    NotAReview {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// It is of another version of the contract, such as v1beta1.
    #[error(
        "only AdmissionReview of admission.k8s.io/v1 is spoken here; set admissionReviewVersions: [\"v1\"]"
    )]
    OtherVersion,
    /// A part that every request has is missing.
    #[error("the AdmissionReview has no {0}")]
    Missing(&'static str),
    /// The uid is not one.
    #[error("request.uid is longer than {} bytes", super::MAX_UID)]
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
