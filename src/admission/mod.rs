//! AdmissionReview v1 as the webhook sees it: from the bytes of a request to the bytes of its answer. Pure.
//!
//! | file | what it is for |
//! |---|---|
//! | `answer` | body in, body out |
//! | `request`, `malformed` | what the API server asks, and requests that are not valid |
//! | `response` | what it is answered |
//! | `weight` | which requests are large, and the memory that they may take |

mod answer;
mod malformed;
mod request;
mod response;
mod weight;

pub use answer::{Answer, AnswerError, Decision, MAX_UID, Operation, Route, answer, uid_of};
pub use malformed::Malformed;
pub use weight::{MAX_VIEWS, is_large};
