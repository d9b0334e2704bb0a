//! The answer as the API server verifies it: uid, apiVersion and kind, and patch with patchType or neither of them.
//!
//! See <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::request::{API_VERSION, KIND};

/// What is answered beside "allowed".
pub(super) struct Response<'r> {
    pub(super) uid: &'r str,
    /// The JSON Patch as text; empty where there is none.
    pub(super) patch: &'r [u8],
    pub(super) audit_annotations: &'r [(&'static str, String)],
    pub(super) warnings: &'r [String],
}

impl Response<'_> {
    /// Writes it as JSON. The same answer gives the same bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let encoded = self.patch.len().div_ceil(3) * 4;
        let mut out = Vec::with_capacity(encoded + 1024);
        push(&mut out, r#"{"kind":""#);
        push(&mut out, KIND);
        push(&mut out, r#"","apiVersion":""#);
        push(&mut out, API_VERSION);
        push(&mut out, r#"","response":{"uid":"#);
        text(&mut out, self.uid);
        push(&mut out, r#","allowed":true"#);
        if !self.patch.is_empty() {
            push(&mut out, r#","patchType":"JSONPatch","patch":""#);
            let start = out.len();
            out.resize(start + encoded, 0);
            // There is room for exactly what it writes.
            let written = STANDARD
                .encode_slice(self.patch, &mut out[start..])
                .unwrap_or_default();
            out.truncate(start + written);
            push(&mut out, r#"""#);
        }
        if !self.audit_annotations.is_empty() {
            push(&mut out, r#","auditAnnotations":{"#);
            for (at, (key, value)) in self.audit_annotations.iter().enumerate() {
                push(&mut out, if at == 0 { "" } else { "," });
                text(&mut out, key);
                push(&mut out, ":");
                text(&mut out, value);
            }
            push(&mut out, "}");
        }
        if !self.warnings.is_empty() {
            push(&mut out, r#","warnings":["#);
            for (at, warning) in self.warnings.iter().enumerate() {
                push(&mut out, if at == 0 { "" } else { "," });
                text(&mut out, warning);
            }
            push(&mut out, "]");
        }
        push(&mut out, "}}");
        out
    }
}

fn push(out: &mut Vec<u8>, piece: &str) {
    out.extend_from_slice(piece.as_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    // Writing a string into memory does not fail.
    let _ = serde_json::to_writer(out, text);
}
