//! The answer as the API server verifies it: uid, apiVersion and kind, and patch with patchType or neither of them.
//!
//! See <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::malformed::AnswerError;
use super::request::{API_VERSION, KIND};
use crate::inject::AuditAnnotations;

/// The answer that allows a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'r> {
    pub(super) uid: &'r str,
    pub(super) allowed: bool,
    /// The type of the patch, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) patch_type: Option<&'static str>,
    /// The JSON Patch as text; empty if there is none.
    #[serde(skip_serializing_if = "<[u8]>::is_empty", serialize_with = "base64")]
    pub(super) patch: &'r [u8],
    pub(super) audit_annotations: &'r AuditAnnotations,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) warnings: &'r [String],
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(bytes, &STANDARD))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'r> {
    kind: &'static str,
    api_version: &'static str,
    response: &'r Response<'r>,
}

impl Response<'_> {
    /// Writes it as JSON. The same answer gives the same bytes.
    pub(super) fn write(&self) -> Result<Vec<u8>, AnswerError> {
        let mut out = Vec::with_capacity(self.patch.len().div_ceil(3) * 4 + 1024);
        let review = Envelope {
            kind: KIND,
            api_version: API_VERSION,
            response: self,
        };
        serde_json::to_writer(&mut out, &review)
            .map_err(|error| AnswerError::Unwritten(error.to_string()))?;
        Ok(out)
    }
}
