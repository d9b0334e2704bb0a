//! The question as the API server writes it, read in one pass into types that borrow from it.
//!
//! Only what is looked at has a field; everything else is skipped, whatever it is
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>).

use std::borrow::Cow;

use serde::Deserialize;

/// The version of the contract that is spoken.
pub const API_VERSION: &str = "admission.k8s.io/v1";

/// The kind of question and answer.
pub const KIND: &str = "AdmissionReview";

/// A string without a copy where it has no escapes, also inside of an `Option`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// An AdmissionReview with objects of type `T`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Review<'a, T> {
    #[serde(borrow, default)]
    pub(super) api_version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) request: Option<Request<'a, T>>,
}

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Request<'a, T> {
    #[serde(borrow, default)]
    pub(super) uid: Text<'a>,
    #[serde(borrow, default)]
    pub(super) kind: GroupKind<'a>,
    #[serde(borrow)]
    pub(super) sub_resource: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) operation: Text<'a>,
    pub(super) dry_run: Option<bool>,
    pub(super) object: Option<T>,
    pub(super) old_object: Option<T>,
}

/// The kind of the object, without its version: the API server may send any that is served.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GroupKind<'a> {
    #[serde(borrow, default)]
    pub(super) group: Text<'a>,
    #[serde(borrow, default)]
    pub(super) kind: Text<'a>,
}

impl GroupKind<'_> {
    pub(super) fn is_seldon_deployment(&self) -> bool {
        self.group.0 == "machinelearning.seldon.io" && self.kind.0 == "SeldonDeployment"
    }
}

impl<'a> Text<'a> {
    /// The string; nothing for an empty one, which is how the API server writes that there is none.
    pub(super) fn non_empty(text: Option<Self>) -> Option<Cow<'a, str>> {
        text.map(|Self(text)| text).filter(|text| !text.is_empty())
    }
}
