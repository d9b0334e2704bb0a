//! AdmissionReview v1, both sides of it: how the webhook answers, and how the API server asks and checks the answer. Pure.

mod answer;
pub mod ask;
mod malformed;
mod request;
mod response;
pub mod verify;
mod weigh;

pub use answer::{Answer, Decision, MAX_UID, Operation, Route, answer, uid_of};
pub use malformed::Malformed;
pub use request::{API_VERSION, KIND};
pub use weigh::{MAX_WEIGHT, is_large};
