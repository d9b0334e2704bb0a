//! Requests that are answered with an HTTP error instead of a review.

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::admission::Malformed;

table! {
    /// What a request could not get in time.
    pub(super) enum Shortage
    /// The name in metrics.
    pub(super) fn code -> &'static str {
        Memory = "memory",
        Time = "time",
    }
}

/// Why a request gets no review.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    #[error("nothing is served at this path; the webhook serves /mutate and /mutate/default-on")]
    UnknownPath,
    #[error("send an AdmissionReview with POST")]
    NotPost,
    #[error("send an AdmissionReview with Content-Type: application/json")]
    NotJson,
    #[error(transparent)]
    Malformed(Malformed),
    /// The limit, in bytes.
    #[error("the body is larger than {0} bytes, which is more than the API server sends")]
    TooLarge(usize),
    #[error("the body did not arrive in time")]
    Slow,
    #[error("the body ended too early")]
    Broken,
    #[error("overloaded ({}); try again in a second", .0.code())]
    Shed(Shortage),
    /// A bug, with the uid of the request that it affects.
    #[error(
        "a bug prevented a decision on request {}; nothing was changed; the webhook's log says where the bug is",
        .0.as_deref().unwrap_or("without a readable uid")
    )]
    Bug(Option<String>),
}

impl HttpError {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed(_) | Self::Broken => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Shed(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        let text = format!("seldon-tracing: {self}\n");
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        match self {
            // The body has been read, so the connection can be used again.
            Self::Malformed(_) | Self::Bug(_) => None,
            // The API server tries again after this many seconds, within its own timeout.
            Self::Shed(_) => set(header::RETRY_AFTER, "1"),
            Self::NotPost => {
                set(header::ALLOW, "POST");
                set(header::CONNECTION, "close")
            }
            _ => set(header::CONNECTION, "close"),
        };
        response
    }
}
