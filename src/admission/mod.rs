//! AdmissionReview v1 as the webhook sees it: from the bytes of a request to the bytes of its answer. Pure.
//!
//! | file | what it is for |
//! |---|---|
//! | `answer` | body in, body out |
//! | `request`, `malformed` | the question of the API server, and requests that get no review |
//! | `response` | the answer |
//! | `weight` | what a request may cost, and which requests are large |

mod answer;
mod malformed;
mod request;
mod response;
mod weight;

pub use answer::{Answer, Decision, Operation, Route, answer, uid_of};
pub use malformed::{AnswerError, Malformed};
pub use weight::{MAX_UID, MAX_VIEWS, is_large};
