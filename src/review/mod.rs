//! AdmissionReview v1, both sides of it: how the webhook answers, and how the API server asks and checks the answer. Pure.
pub mod ask;
pub mod verify;
