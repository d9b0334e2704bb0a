//! AdmissionReview v1, both sides of it: how the webhook answers, and how the API server asks and checks the answer. Pure.

mod answer;
pub mod ask;
mod malformed;
mod request;
mod response;
pub mod verify;

pub use answer::{
    Answer, Decision, MAX_UID, MAX_VIEWS, Operation, Route, answer, is_large, uid_of,
};
pub use malformed::Malformed;
pub use request::{API_VERSION, KIND};
