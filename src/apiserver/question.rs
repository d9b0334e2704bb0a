//! The request: an `AdmissionReview` as the API server writes it.
//!
//! The fields are those of
//! [`AdmissionRequest`](https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/#admission-k8s-io-v1-AdmissionRequest),
//! in the order in which kube-apiserver writes them.

use serde_json::{Value, json};

/// The group of the resource.
const GROUP: &str = "machinelearning.seldon.io";

/// The version that webhooks receive; the API server converts other versions to it.
const VERSION: &str = "v1";

table! {
    /// What the user does with the object.
    pub enum Operation
    /// Its name in a request.
    pub fn word -> &'static str {
        /// Create it.
        Create = "CREATE",
        /// Change it.
        Update = "UPDATE",
        /// Delete it.
        Delete = "DELETE",
    }
}

impl Operation {
    const fn options(self) -> &'static str {
        match self {
            Self::Create => "CreateOptions",
            Self::Update => "UpdateOptions",
            Self::Delete => "DeleteOptions",
        }
    }
}

/// What the API server sends about a `SeldonDeployment`.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The identity of the request, which the answer must repeat.
    pub uid: &'a str,
    /// What the user does.
    pub operation: Operation,
    /// The namespace of the request.
    pub namespace: &'a str,
    /// The name of the object. A `CREATE` with `generateName` has none yet.
    pub name: Option<&'a str>,
    /// The version of the API that the user called, such as `v1alpha2`: see [`version`].
    pub version: &'a str,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The user, as in `userInfo.username`.
    pub user: &'a str,
    /// The new object: see [`admitted`]. A `DELETE` has none.
    pub object: Option<&'a Value>,
    /// The stored object. A `CREATE` has none.
    pub old_object: Option<&'a Value>,
}

impl Question<'_> {
    /// The body of the request. Numbers and the order of keys stay as they are in the objects.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind =
            |version: &str| json!({"group": GROUP, "version": version, "kind": "SeldonDeployment"});
        let resource = |version: &str| json!({"group": GROUP, "version": version, "resource": "seldondeployments"});
        let mut request = json!({
            "uid": self.uid,
            "kind": kind(VERSION),
            "resource": resource(VERSION),
            "requestKind": kind(self.version),
            "requestResource": resource(self.version),
            "name": self.name,
            "namespace": self.namespace,
            "operation": self.operation.word(),
            "userInfo": {"username": self.user, "groups": ["system:authenticated"]},
            "object": self.object,
            "oldObject": self.old_object,
            "dryRun": self.dry_run,
            "options": {"kind": self.operation.options(), "apiVersion": "meta.k8s.io/v1"},
        });
        if self.dry_run {
            request["options"]["dryRun"] = json!(["All"]);
        }
        if let (None, Some(request)) = (self.name, request.as_object_mut()) {
            request.shift_remove("name");
        }
        json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})
            .to_string()
            .into_bytes()
    }
}

/// The version in an object's `apiVersion`, or `v1` if it has none.
#[must_use]
pub fn version(object: &Value) -> &str {
    object
        .get("apiVersion")
        .and_then(Value::as_str)
        .and_then(|it| it.split_once('/'))
        .map_or(VERSION, |(_, version)| version)
}

/// What the API server makes of a manifest before it calls a webhook: it fills in the namespace of the request if the object has
/// none, and converts an older version. For this resource that changes only the `apiVersion` (the CRD has no conversion webhook, and
/// our webhook is registered with
/// [`matchPolicy: Equivalent`](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchpolicy)).
#[must_use]
pub fn admitted(manifest: &Value, namespace: &str) -> Value {
    let mut object = manifest.clone();
    let Some(fields) = object.as_object_mut() else {
        return object;
    };
    if fields
        .get("apiVersion")
        .and_then(Value::as_str)
        .is_some_and(|it| it.starts_with(GROUP))
    {
        fields.insert("apiVersion".to_owned(), json!(format!("{GROUP}/{VERSION}")));
    }
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut() {
        let given = metadata.get("namespace").and_then(Value::as_str);
        if given.is_none_or(str::is_empty) {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
    }
    object
}
