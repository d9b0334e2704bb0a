//! The request: an `AdmissionReview` as the API server writes it.
//!
//! The fields are those of
//! [`AdmissionRequest`](https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/#admission-k8s-io-v1-AdmissionRequest),
//! in the order in which kube-apiserver writes them.

use serde_json::{Map, Value, json};

/// The group of the resource.
const GROUP: &str = "machinelearning.seldon.io";

/// The version that webhooks receive, whatever version the user wrote.
const VERSION: &str = "v1";

/// What the user does with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Create it.
    Create,
    /// Change it.
    Update,
    /// Delete it.
    Delete,
}

impl Operation {
    /// Its name in a request.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

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
        let mut options = json!({"kind": self.operation.options(), "apiVersion": "meta.k8s.io/v1"});
        if self.dry_run {
            options["dryRun"] = json!(["All"]);
        }
        let mut request = Map::new();
        let mut put = |key: &str, value: Value| request.insert(key.to_owned(), value);
        put("uid", json!(self.uid));
        put("kind", kind(VERSION));
        put("resource", resource(VERSION));
        put("requestKind", kind(self.version));
        put("requestResource", resource(self.version));
        if let Some(name) = self.name {
            put("name", json!(name));
        }
        put("namespace", json!(self.namespace));
        put("operation", json!(self.operation.word()));
        put(
            "userInfo",
            json!({"username": self.user, "groups": ["system:authenticated"]}),
        );
        put("object", json!(self.object));
        put("oldObject", json!(self.old_object));
        put("dryRun", json!(self.dry_run));
        put("options", options);
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
