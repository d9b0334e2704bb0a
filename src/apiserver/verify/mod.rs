//! The check of an answer, by the rules of the API server.
//!
//! `review`, the tests and the load test use this one implementation of what kube-apiserver accepts (`callAttrMutatingHook` in `pkg/admission/plugin/webhook/mutating/dispatcher.go` and `VerifyAdmissionResponse` in
//! `pkg/admission/plugin/webhook/request/admissionreview.go` of
//! [kubernetes/apiserver](https://github.com/kubernetes/apiserver)). It shares no code with the side that answers, so that a
//! mistake there is not repeated here.

mod feedback;
mod refusal;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use json_patch::Patch;
use mime::Mime;
use serde::de::{Deserialize, DeserializeOwned};
use serde_json::{Map, Value};

pub use refusal::Refusal;

/// The longest quote of an answer that is not 2xx, in characters.
const MAX_QUOTE: usize = 2048;

/// An HTTP answer as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`, if the answer has one.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// An answer that the API server accepts.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Whether the write is allowed.
    pub allowed: bool,
    /// Why it is not, if it is not.
    pub denial: Option<Denial>,
    /// The patch; `None` if there is none, if it is empty, or if the write is denied.
    pub patch: Option<Patch>,
    /// The warnings that kubectl prints.
    pub warnings: Vec<String>,
    /// The audit annotations that are recorded. Their keys lack the prefix that the API server adds, the name of the webhook.
    pub audit_annotations: BTreeMap<String, String>,
    /// Warnings and audit annotations that the API server drops: none, if the webhook follows the rules.
    pub losses: Vec<String>,
}

/// The reason why a write is denied, as the user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The HTTP status for the user: at least 400.
    pub code: i64,
    /// The message for the user.
    pub message: String,
}

impl Verified {
    /// The object after the patch. A request without an object, such as a `DELETE`, has none.
    ///
    /// # Errors
    /// A patch that does not apply, or that has no object to apply to.
    pub fn result(&self, object: Option<&Value>) -> Result<Option<Value>, Refusal> {
        match (&self.patch, object) {
            (None, object) => Ok(object.cloned()),
            (Some(_), None) => Err(Refusal::NothingToPatch),
            (Some(patch), Some(object)) => apply(patch, object).map(Some),
        }
    }
}

/// Checks an answer to the question with this uid.
///
/// # Errors
/// The first rule of the API server that it breaks.
pub fn verify(uid: &str, reply: &Reply) -> Result<Verified, Refusal> {
    let review = review(reply)?;
    let Some(response) = field::<Map<String, Value>>(&review, "", "response")? else {
        return Err(Refusal::NoResponse);
    };
    let found: String = text(&response, "response.", "uid")?;
    // Go decodes all fields before the API server checks the first.
    let allowed = field(&response, "response.", "allowed")?.unwrap_or(false);
    let status = field::<Map<String, Value>>(&response, "response.", "status")?.unwrap_or_default();
    let denial = denial(&status)?;
    let patch = patch_bytes(&response)?;
    let patch_type: Option<String> = field(&response, "response.", "patchType")?;
    let annotations: BTreeMap<String, Option<String>> =
        field(&response, "response.", "auditAnnotations")?.unwrap_or_default();
    let warnings: Vec<Option<String>> =
        field(&response, "response.", "warnings")?.unwrap_or_default();

    if found != uid {
        return Err(Refusal::Uid(uid.to_owned(), found));
    }
    let (api_version, kind) = (text(&review, "", "apiVersion")?, text(&review, "", "kind")?);
    if (api_version.as_str(), kind.as_str()) != ("admission.k8s.io/v1", "AdmissionReview") {
        return Err(Refusal::Kind(api_version, kind));
    }
    match (patch.is_empty(), &patch_type) {
        (false, None) => return Err(Refusal::PatchWithoutType),
        (true, Some(_)) => return Err(Refusal::TypeWithoutPatch),
        (false, Some(empty)) if empty.is_empty() => return Err(Refusal::PatchType(String::new())),
        _ => {}
    }
    let mut losses = Vec::new();
    let annotations = annotations
        .into_iter()
        .map(|(key, value)| (key, value.unwrap_or_default()))
        .collect();
    let audit_annotations = feedback::audit_annotations(annotations, &mut losses);
    let warnings = feedback::warnings(warnings.into_iter().flatten().collect(), &mut losses);
    Ok(Verified {
        allowed,
        denial: (!allowed).then_some(denial),
        patch: if allowed {
            decode_patch(&patch, patch_type.as_deref())?
        } else {
            None
        },
        warnings,
        audit_annotations,
        losses,
    })
}

/// Applies a patch as the API server does, with an implementation that shares no code with the writer of the patch.
///
/// # Errors
/// A patch that does not apply, or whose result is not a Kubernetes object.
pub fn apply(patch: &Patch, object: &Value) -> Result<Value, Refusal> {
    let mut patched = object.clone();
    json_patch::patch(&mut patched, patch)
        .map_err(|error| Refusal::DoesNotApply(error.to_string()))?;
    match patched.get("kind").map(Value::as_str) {
        Some(Some(kind)) if !kind.is_empty() => Ok(patched),
        _ if patched.is_object() => Err(Refusal::NoObject("its kind is missing".to_owned())),
        _ => Err(Refusal::NoObject("it is not a JSON object".to_owned())),
    }
}

/// The body as a JSON object, if status and type are right: `transformResponse` in client-go's `rest/request.go`.
fn review(reply: &Reply) -> Result<Map<String, Value>, Refusal> {
    // Without a type, the API server expects what it sent: JSON. Any type that can be parsed is accepted.
    if let Some(content_type) = reply.content_type.as_deref().filter(|it| !it.is_empty())
        && content_type.parse::<Mime>().is_err()
    {
        return Err(Refusal::ContentType(content_type.to_owned()));
    }
    if !(200..=206).contains(&reply.status) {
        return Err(Refusal::HttpStatus(reply.status, quote(reply)));
    }
    if reply.body.is_empty() {
        return Err(Refusal::Empty);
    }
    let body: Value = serde_json::from_slice(&reply.body)
        .map_err(|error| Refusal::Undecodable(error.to_string()))?;
    let Value::Object(review) = body else {
        return Err(Refusal::Undecodable("it is not a JSON object".to_owned()));
    };
    if review.get("kind").and_then(Value::as_str) == Some("Status")
        && review.get("apiVersion").and_then(Value::as_str) == Some("v1")
    {
        return Err(Refusal::Status(text(&review, "", "message")?));
    }
    Ok(review)
}

/// What an error answer says: the message of a `Status`, or its text.
fn quote(reply: &Reply) -> String {
    let status = serde_json::from_slice::<Value>(&reply.body).ok();
    let message = status
        .as_ref()
        .filter(|status| status.get("kind").and_then(Value::as_str) == Some("Status"))
        .and_then(|status| status.get("message"))
        .and_then(Value::as_str);
    let is_text = reply
        .content_type
        .as_deref()
        .is_some_and(|it| it.starts_with("text/"));
    let text = match message {
        Some(message) => message.to_owned(),
        None if is_text => String::from_utf8_lossy(&reply.body).trim().to_owned(),
        None => return String::new(),
    };
    text.chars().take(MAX_QUOTE).collect()
}

/// A field, or `None` if it is absent or null, which are the same to Go.
fn field<T: DeserializeOwned>(
    map: &Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<T>, Refusal> {
    map.get(key).map_or(Ok(None), |value| {
        Option::<T>::deserialize(value)
            .map_err(|error| Refusal::Undecodable(format!("{path}{key}: {error}")))
    })
}

fn text(map: &Map<String, Value>, path: &str, key: &str) -> Result<String, Refusal> {
    Ok(field(map, path, key)?.unwrap_or_default())
}

/// The reason for a denial: `ToStatusErr` in `pkg/admission/plugin/webhook/errors/statuserror.go`.
fn denial(status: &Map<String, Value>) -> Result<Denial, Refusal> {
    let path = "response.status.";
    let code = i64::from(field::<i32>(status, path, "code")?.unwrap_or_default());
    let message = text(status, path, "message")?;
    let reason = text(status, path, "reason")?;
    Ok(Denial {
        // A denial is always an error.
        code: code.max(400),
        message: [message, reason]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_else(|| "without explanation".to_owned()),
    })
}

/// The patch, decoded from base64. Go accepts an array of numbers too, which kube once sent
/// ([kube#1781](https://github.com/kube-rs/kube/issues/1781)).
fn patch_bytes(response: &Map<String, Value>) -> Result<Vec<u8>, Refusal> {
    match response.get("patch") {
        Some(Value::String(text)) => {
            let text: String = text
                .chars()
                .filter(|letter| !matches!(letter, '\r' | '\n'))
                .collect();
            STANDARD
                .decode(text)
                .map_err(|error| Refusal::Undecodable(format!("response.patch: {error}")))
        }
        _ => Ok(field(response, "response.", "patch")?.unwrap_or_default()),
    }
}

/// The operations, if there are any. The API server checks the patch type only in that case.
fn decode_patch(patch: &[u8], patch_type: Option<&str>) -> Result<Option<Patch>, Refusal> {
    if patch.is_empty() {
        return Ok(None);
    }
    let operations: Option<Vec<Option<Map<String, Value>>>> = serde_json::from_slice(patch)
        .map_err(|error| Refusal::UndecodablePatch(error.to_string()))?;
    let operations = operations.unwrap_or_default();
    if operations.is_empty() {
        return Ok(None);
    }
    if patch_type != Some("JSONPatch") {
        return Err(Refusal::PatchType(
            patch_type.unwrap_or_default().to_owned(),
        ));
    }
    let operations = operations
        .into_iter()
        .map(|operation| {
            serde_json::from_value(Value::Object(operation.unwrap_or_default()))
                .map_err(|error| Refusal::NoOperation(error.to_string()))
        })
        .collect::<Result<_, _>>()?;
    Ok(Some(Patch(operations)))
}
