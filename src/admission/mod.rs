//! AdmissionReview v1 as the webhook sees it: from the bytes of a request to the bytes of its answer. Pure.

mod answer;
mod malformed;
mod request;
mod response;

pub use answer::{
    Answer, Decision, MAX_UID, MAX_VIEWS, Operation, Route, answer, is_large, uid_of,
};
pub use malformed::Malformed;
