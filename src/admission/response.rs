//! The answer as the API server verifies it: uid, apiVersion and kind, and patch with patchType or neither of them.
//!
//! See <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::to_writer;

use super::malformed::AnswerError;
use super::request::{API_VERSION, KIND};

/// The answer that allows a request.
pub(super) struct Response<'r> {
    pub(super) uid: &'r str,
    /// The JSON Patch as text; empty if there is none.
    pub(super) patch: &'r [u8],
    pub(super) audit_annotations: &'r [(&'static str, String)],
    pub(super) warnings: &'r [String],
}

impl Response<'_> {
    /// Writes it as JSON. The same answer gives the same bytes.
    pub(super) fn write(&self) -> Result<Vec<u8>, AnswerError> {
        let encoded = self.patch.len().div_ceil(3) * 4;
        let mut out = Vec::with_capacity(encoded + 1024);
        for piece in [
            r#"{"kind":""#,
            KIND,
            r#"","apiVersion":""#,
            API_VERSION,
            r#"","response":{"uid":"#,
        ] {
            out.extend_from_slice(piece.as_bytes());
        }
        to_writer(&mut out, self.uid).map_err(unwritten)?;
        out.extend_from_slice(br#","allowed":true"#);
        if !self.patch.is_empty() {
            out.extend_from_slice(br#","patchType":"JSONPatch","patch":""#);
            let start = out.len();
            out.resize(start + encoded, 0);
            let written = STANDARD
                .encode_slice(self.patch, &mut out[start..])
                .map_err(unwritten)?;
            out.truncate(start + written);
            out.push(b'"');
        }
        if !self.audit_annotations.is_empty() {
            out.extend_from_slice(br#","auditAnnotations":{"#);
            let mut comma = "";
            for (key, value) in self.audit_annotations {
                out.extend_from_slice(comma.as_bytes());
                to_writer(&mut out, key).map_err(unwritten)?;
                out.push(b':');
                to_writer(&mut out, value).map_err(unwritten)?;
                comma = ",";
            }
            out.push(b'}');
        }
        if !self.warnings.is_empty() {
            out.extend_from_slice(br#","warnings":"#);
            to_writer(&mut out, self.warnings).map_err(unwritten)?;
        }
        out.extend_from_slice(b"}}");
        Ok(out)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form of map_err")]
fn unwritten(error: impl ToString) -> AnswerError {
    AnswerError::Unwritten(error.to_string())
}
