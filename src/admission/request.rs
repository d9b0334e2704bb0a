//! A request as the API server writes it, read in one pass into types that borrow from it.
//!
//! Only what is used has a field; everything else is skipped
//! (<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request>).

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Error, IgnoredAny, MapAccess, Unexpected};

use crate::inject::{Budget, Key, Lenient, SeldonDeployment};
use crate::seldon::lenient::FromJson;

/// The version of AdmissionReview that is supported.
pub(super) const API_VERSION: &str = "admission.k8s.io/v1";

/// The kind of request and answer.
pub(super) const KIND: &str = "AdmissionReview";

/// A string, borrowed if it has no escapes; unlike with `Cow`, also inside an `Option`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// An AdmissionReview.
#[derive(Debug)]
pub(super) struct Review<'a> {
    pub(super) api_version: Text<'a>,
    pub(super) kind: Text<'a>,
    pub(super) request: Option<Request<'a>>,
}

/// What the API server asks about.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) uid: Text<'a>,
    pub(super) kind: GroupKind<'a>,
    pub(super) sub_resource: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) namespace: Option<Text<'a>>,
    pub(super) operation: Text<'a>,
    pub(super) dry_run: Option<bool>,
    pub(super) object: Option<SeldonDeployment<'a>>,
    pub(super) old_object: Option<SeldonDeployment<'a>>,
}

impl<'de> FromJson<'de> for Review<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A, budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        let (mut api_version, mut kind, mut request) = (None, None, None);
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "apiVersion" => once(&mut api_version, map.next_value()?, "apiVersion")?,
                "kind" => once(&mut kind, map.next_value()?, "kind")?,
                "request" => {
                    let read = match map.next_value_seed(budget.part::<Request<'_>>())? {
                        Lenient::Is(request) => Some(request),
                        Lenient::Absent | Lenient::Null => None,
                        Lenient::Odd(found) => {
                            let found = Unexpected::Other(found);
                            return Err(A::Error::invalid_type(found, &"an AdmissionRequest"));
                        }
                    };
                    once(&mut request, read, "request")?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Lenient::Is(Self {
            api_version: api_version.unwrap_or_default(),
            kind: kind.unwrap_or_default(),
            request: request.flatten(),
        }))
    }
}

/// Sets a field that may occur only once.
fn once<T, E: Error>(slot: &mut Option<T>, value: T, field: &'static str) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(field)),
    }
}

impl<'de> FromJson<'de> for Request<'de> {
    fn from_map<A: MapAccess<'de>>(mut map: A, budget: &Budget) -> Result<Lenient<Self>, A::Error> {
        let (mut uid, mut kind, mut operation, mut dry_run) = (None, None, None, None);
        let (mut sub_resource, mut name, mut namespace) = (None, None, None);
        let (mut object, mut old_object) = (None, None);
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "uid" => once(&mut uid, map.next_value()?, "uid")?,
                "kind" => once(&mut kind, map.next_value()?, "kind")?,
                "subResource" => once(&mut sub_resource, map.next_value()?, "subResource")?,
                "name" => once(&mut name, map.next_value()?, "name")?,
                "namespace" => once(&mut namespace, map.next_value()?, "namespace")?,
                "operation" => once(&mut operation, map.next_value()?, "operation")?,
                "dryRun" => once(&mut dry_run, map.next_value()?, "dryRun")?,
                "object" => once(&mut object, read_object(&mut map, budget)?, "object")?,
                "oldObject" => once(&mut old_object, read_object(&mut map, budget)?, "oldObject")?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Lenient::Is(Self {
            uid: uid.unwrap_or_default(),
            kind: kind.unwrap_or_default(),
            sub_resource: sub_resource.flatten(),
            name: name.flatten(),
            namespace: namespace.flatten(),
            operation: operation.unwrap_or_default(),
            dry_run: dry_run.flatten(),
            object: object.flatten(),
            old_object: old_object.flatten(),
        }))
    }
}

/// Reads an object. Without a budget, it is skipped.
fn read_object<'de, A: MapAccess<'de>>(
    map: &mut A,
    budget: &Budget,
) -> Result<Option<SeldonDeployment<'de>>, A::Error> {
    if budget.is_spent() {
        return map.next_value::<IgnoredAny>().map(|_| None);
    }
    Ok(match map.next_value_seed(budget.part())? {
        Lenient::Null => None,
        shape => Some(SeldonDeployment::from(shape)),
    })
}

/// The kind of the object. The API server may send any version of it.
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
    /// The string, or `None` if it is empty, which is how the API server writes an absent one.
    pub(super) fn non_empty(text: Option<Self>) -> Option<Cow<'a, str>> {
        text.map(|Self(text)| text).filter(|text| !text.is_empty())
    }
}
