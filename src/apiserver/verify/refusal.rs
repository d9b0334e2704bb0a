//! What the API server does not accept of an answer, and what that does to the user's request.

/// An answer that the API server does not accept, one variant for each of its rules.
///
/// The rules are those of kube-apiserver's `callAttrMutatingHook` and `VerifyAdmissionResponse` (`pkg/admission/plugin/webhook`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The status is not one of 200 to 206.
    #[error("the webhook answered with the HTTP status {status}{}", with_text(.text))]
    HttpStatus {
        /// The HTTP status.
        status: u16,
        /// What the answer says, cut short; nothing if it is not text.
        text: String,
    },
    /// The `Content-Type` cannot be parsed.
    #[error(
        "the answer's Content-Type {0:?} is not a media type; it has to be one such as application/json"
    )]
    ContentType(String),
    /// There is no body.
    #[error("the answer has no body")]
    Empty,
    /// The body is not JSON, or a field of it has the wrong type.
    #[error("the answer cannot be decoded as an AdmissionReview: {0}")]
    Undecodable(String),
    /// The body is a `Status` that says that something failed.
    #[error("the webhook answered with a Status instead of an AdmissionReview: {0}")]
    Status(String),
    /// There is no `response`.
    #[error("the AdmissionReview has no response; was the question sent back?")]
    NoResponse,
    /// The uid is not the one that was sent.
    #[error("response.uid is {found:?}, but {expected:?} was asked")]
    Uid {
        /// The uid of the request.
        expected: String,
        /// The uid of the answer.
        found: String,
    },
    /// It is not an `AdmissionReview` of `admission.k8s.io/v1`.
    #[error(
        "the answer is of apiVersion {api_version:?} and kind {kind:?}; it has to be admission.k8s.io/v1 and AdmissionReview"
    )]
    Kind {
        /// The `apiVersion` of the answer, empty where it has none.
        api_version: String,
        /// Its `kind`, empty where it has none.
        kind: String,
    },
    /// A patch came without its type.
    #[error("there is a response.patch but no response.patchType")]
    PatchWithoutType,
    /// A patch type came without a patch.
    #[error("there is a response.patchType but no response.patch")]
    TypeWithoutPatch,
    /// The patch type is an empty text.
    #[error("response.patchType is empty; it has to be JSONPatch")]
    EmptyPatchType,
    /// The patch type is one that the API server does not know.
    #[error("response.patchType is {0:?}; it has to be JSONPatch")]
    PatchType(String),
    /// The patch is not a JSON array of objects.
    #[error("response.patch is not a JSON Patch: {0}")]
    UndecodablePatch(String),
    /// The patch holds what is no operation of RFC 6902.
    #[error("response.patch holds an operation that is none: {0}")]
    NoOperation(String),
    /// The patch does not fit the object.
    #[error("the patch does not apply: {0}")]
    DoesNotApply(String),
    /// There is a patch but no object to apply it to, as on a `DELETE`.
    #[error("there is a patch, but no object that it could change, which is so on a DELETE")]
    NothingToPatch,
    /// What the patch makes of the object is no longer a Kubernetes object.
    #[error("the patch leaves no Kubernetes object: {0}")]
    NoObject(String),
}

impl Refusal {
    /// Whether `failurePolicy: Ignore` lets the user's request pass, as if there were no webhook.
    ///
    /// It covers what the API server counts as a failed call. A patch that could be read but not applied is an internal error of
    /// its own, and fails the request whatever the policy
    /// ([kubernetes#129459](https://github.com/kubernetes/kubernetes/issues/129459)).
    #[must_use]
    pub const fn saved_by_ignore(&self) -> bool {
        !matches!(
            self,
            Self::NoOperation(_) | Self::DoesNotApply(_) | Self::NothingToPatch | Self::NoObject(_)
        )
    }
}

fn with_text(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
