//! The two Secrets.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::{Api, ObjectMeta, PostParams, Resource};

use super::trouble::{Trouble, ask};
use crate::pki::lifecycle::{CaSecret, LeafSecret};

/// The name of the controller in `managedFields`.
pub(super) const MANAGER: &str = "seldon-tracing-controller";

/// One of the Secrets, as it was read.
pub(super) struct Stored {
    name: &'static str,
    /// It may not be there.
    secret: Option<Secret>,
}

impl Stored {
    pub(super) async fn read(api: &Api<Secret>, name: &'static str) -> Result<Self, Trouble> {
        let what = format!("read the Secret {name}");
        let secret = ask(&what, api.get_opt(name)).await?;
        Ok(Self { name, secret })
    }

    pub(super) fn ca(&self) -> CaSecret {
        CaSecret {
            certificate: self.text("ca.crt"),
            key: self.text("ca.key"),
            old: self.text("old.crt"),
        }
    }

    pub(super) fn leaf(&self) -> LeafSecret {
        LeafSecret {
            chain: self.text("tls.crt"),
            key: self.text("tls.key"),
        }
    }

    /// A key of the Secret as text. Bytes that are not text are not a certificate either.
    fn text(&self, key: &str) -> String {
        let data = self.secret.as_ref().and_then(|secret| secret.data.as_ref());
        let bytes = data.and_then(|data| data.get(key));
        bytes.map_or_else(String::new, |bytes| {
            String::from_utf8_lossy(&bytes.0).into_owned()
        })
    }

    pub(super) async fn write_ca(
        self,
        api: &Api<Secret>,
        ca: CaSecret,
    ) -> Result<ObjectReference, Trouble> {
        let mut data = vec![("ca.crt", ca.certificate), ("ca.key", ca.key)];
        if !ca.old.is_empty() {
            data.push(("old.crt", ca.old));
        }
        self.write(api, "Opaque", data).await
    }

    pub(super) async fn write_leaf(
        self,
        api: &Api<Secret>,
        leaf: LeafSecret,
    ) -> Result<ObjectReference, Trouble> {
        let data = vec![("tls.crt", leaf.chain), ("tls.key", leaf.key)];
        self.write(api, "kubernetes.io/tls", data).await
    }

    /// Writes all of it. The API server refuses that if the Secret has changed since it was read.
    async fn write(
        self,
        api: &Api<Secret>,
        kind: &str,
        data: Vec<(&str, String)>,
    ) -> Result<ObjectReference, Trouble> {
        let name = self.name;
        let parameters = PostParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PostParams::default()
        };
        let entry = |(key, text): (&str, String)| (key.to_owned(), ByteString(text.into_bytes()));
        let data = Some(data.into_iter().map(entry).collect());
        let stored = if let Some(mut secret) = self.secret {
            secret.data = data;
            let what = format!("write the Secret {name}");
            ask(&what, api.replace(name, &parameters, &secret)).await
        } else {
            let secret = new(name, kind, data);
            let what = format!("create the Secret {name}");
            ask(&what, api.create(&parameters, &secret)).await
        };
        stored.map(|secret| secret.object_ref(&()))
    }

    /// The Secret in an Event.
    pub(super) fn reference(&self) -> Option<ObjectReference> {
        self.secret.as_ref().map(|secret| secret.object_ref(&()))
    }
}

fn new(name: &str, kind: &str, data: Option<BTreeMap<String, ByteString>>) -> Secret {
    let labels = [
        ("app.kubernetes.io/name", "seldon-tracing"),
        ("app.kubernetes.io/part-of", "seldon-tracing"),
        ("app.kubernetes.io/managed-by", MANAGER),
    ];
    let label = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(labels.into_iter().map(label).collect()),
            ..ObjectMeta::default()
        },
        type_: Some(kind.to_owned()),
        data,
        ..Secret::default()
    }
}
