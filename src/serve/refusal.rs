//! What is answered instead of a review, and to whom it says what to do.

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::metrics::Shortage;
use crate::admission::Malformed;

/// Why there is no review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownPath,
    NotPost,
    NotJson,
    Malformed(Malformed),
    /// The limit, in bytes.
    TooLarge(usize),
    Slow,
    Broken,
    Shed(Shortage),
    /// A bug of ours, with the uid of the request that met it.
    Bug(Option<String>),
}

impl Refusal {
    /// The table of README.md.
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

    fn text(&self) -> String {
        match self {
            Self::UnknownPath => {
                "there is nothing at this path; the webhook's are /mutate and /mutate/default-on"
                    .to_owned()
            }
            Self::NotPost => "an AdmissionReview comes by POST".to_owned(),
            Self::NotJson => {
                "an AdmissionReview comes as Content-Type: application/json".to_owned()
            }
            Self::Malformed(malformed) => malformed.to_string(),
            Self::TooLarge(most) => format!(
                "the body is larger than {most} bytes, which is more than the API server sends"
            ),
            Self::Slow => "the body did not come in time".to_owned(),
            Self::Broken => "the body broke off".to_owned(),
            Self::Shed(shortage) => format!(
                "too much to do at the moment ({}); come back in a second",
                shortage.code()
            ),
            Self::Bug(uid) => format!(
                "a bug kept request {} from being decided; nothing was changed; the log of the webhook says where it is",
                uid.as_deref().unwrap_or("without a readable uid")
            ),
        }
    }

    /// Whether what may be left of the body is not read.
    const fn closes(&self) -> bool {
        !matches!(self, Self::Malformed(_) | Self::Shed(_) | Self::Bug(_))
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        let text = format!("seldon-tracing: {}\n", self.text());
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
        say(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        if self.closes() {
            say(header::CONNECTION, "close");
        }
        match self {
            Self::NotPost => say(header::ALLOW, "POST"),
            // The API server's client comes back after so many seconds, inside of its own time limit.
            Self::Shed(_) => say(header::RETRY_AFTER, "1"),
            _ => None,
        };
        response
    }
}
