//! Answers that the API server does not accept, and what happens to the user's request then.

/// Why the API server does not accept an answer: one variant for each of its rules.
///
/// The rules are those of kube-apiserver's `callAttrMutatingHook` and `VerifyAdmissionResponse` (`pkg/admission/plugin/webhook`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The status is not one of 200 to 206. With the start of the answer, if it is text.
    #[error("the webhook answered with the HTTP status {0}{text}{whose}", text = with_text(.1), whose = whose(*.0, .1))]
    HttpStatus(u16, String),
    /// The `Content-Type` cannot be parsed.
    #[error(
        "the answer's Content-Type {0:?} is not a media type; it must be one such as application/json"
    )]
    ContentType(String),
    /// There is no body.
    #[error("the answer has no body")]
    Empty,
    /// The body is not JSON, or a field of it has the wrong type.
    #[error(
        "the answer cannot be decoded as an AdmissionReview: {0}; is this a seldon-tracing webhook?"
    )]
    Undecodable(String),
    /// The body is a `Status`, which reports an error.
    #[error("the webhook answered with a Status instead of an AdmissionReview: {0}")]
    Status(String),
    /// There is no `response`.
    #[error("the AdmissionReview has no response; did the webhook send the request back?")]
    NoResponse,
    /// The uid that was sent, and another that was received.
    #[error("response.uid is {1:?}, but the request has {0:?}")]
    Uid(String, String),
    /// The `apiVersion` and `kind` are not those of an `AdmissionReview` of `admission.k8s.io/v1`.
    #[error(
        "the answer has apiVersion {0:?} and kind {1:?}; it must have admission.k8s.io/v1 and AdmissionReview"
    )]
    Kind(String, String),
    /// A patch came without its type.
    #[error("the answer has a response.patch but no response.patchType")]
    PatchWithoutType,
    /// A patch type came without a patch.
    #[error("the answer has a response.patchType but no response.patch")]
    TypeWithoutPatch,
    /// The API server does not know the patch type, which may be empty.
    #[error("response.patchType is {0:?}; it must be JSONPatch")]
    PatchType(String),
    /// The patch is not a JSON array of objects.
    #[error("response.patch is not a JSON Patch: {0}")]
    UndecodablePatch(String),
    /// The patch has an operation that RFC 6902 does not allow.
    #[error("response.patch has an invalid JSON Patch operation: {0}")]
    NoOperation(String),
    /// The patch does not apply to the object.
    #[error("the patch does not apply: {0}")]
    DoesNotApply(String),
    /// There is no object to apply the patch to, for example on a `DELETE`.
    #[error(
        "the answer has a patch, but the request has no object that it could change, as on a DELETE"
    )]
    NothingToPatch,
    /// The result of the patch is not a Kubernetes object.
    #[error("the result of the patch is not a Kubernetes object: {0}")]
    NoObject(String),
}

impl Refusal {
    /// Whether `failurePolicy: Ignore` lets the user's request pass, as if there were no webhook.
    ///
    /// The policy covers failed calls. A patch that can be decoded but not applied is an internal error, which fails the request with
    /// either policy
    /// ([kubernetes#129459](https://github.com/kubernetes/kubernetes/issues/129459)).
    #[must_use]
    pub const fn saved_by_ignore(&self) -> bool {
        !matches!(
            self,
            Self::NoOperation(_) | Self::DoesNotApply(_) | Self::NothingToPatch | Self::NoObject(_)
        )
    }
}

/// Asks whether the server is a seldon-tracing webhook: it rejects the path or the method, in words that are not ours.
fn whose(status: u16, text: &str) -> &'static str {
    match status {
        404 | 405 | 501 if !text.starts_with("seldon-tracing: ") => {
            "; is this a seldon-tracing webhook?"
        }
        _ => "",
    }
}

fn with_text(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
