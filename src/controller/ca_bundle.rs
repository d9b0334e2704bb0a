//! `caBundle` of our two entries of the webhook configuration, and no other field of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, MutatingWebhookConfiguration};
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::secrets::MANAGER;
use super::trouble::{Trouble, ask};
use crate::cluster::names::{NAME, WEBHOOKS};

/// The webhook configuration, as it was read. It may not be there yet.
pub(super) struct Registered(Option<MutatingWebhookConfiguration>);

impl Registered {
    pub(super) async fn read(api: &Api<MutatingWebhookConfiguration>) -> Result<Self, Trouble> {
        let what = format!("read the MutatingWebhookConfiguration {NAME}");
        ask(&what, api.get_opt(NAME)).await.map(Self)
    }

    /// Our entries that are in it.
    fn entries(&self) -> impl Iterator<Item = &MutatingWebhook> {
        let all = self.0.iter().flat_map(|it| it.webhooks.iter().flatten());
        all.filter(|entry| WEBHOOKS.contains(&entry.name.as_str()))
    }

    /// What is in each of our entries.
    pub(super) fn bundles(&self) -> Vec<String> {
        let bundle = |entry: &MutatingWebhook| {
            let bundle = entry.client_config.ca_bundle.as_ref();
            bundle.map_or_else(String::new, |bytes| {
                String::from_utf8_lossy(&bytes.0).into_owned()
            })
        };
        self.entries().map(bundle).collect()
    }

    /// Writes it into each of our entries. The API server refuses that if the configuration has changed since it was read.
    ///
    /// A strategic merge patch finds the entries by their names, and makes the controller the manager of no other field.
    pub(super) async fn write(
        self,
        api: &Api<MutatingWebhookConfiguration>,
        bundle: &str,
    ) -> Result<(), Trouble> {
        let version = self
            .0
            .as_ref()
            .and_then(|it| it.metadata.resource_version.as_ref());
        let bundle = STANDARD.encode(bundle);
        let entry = |entry: &MutatingWebhook| json!({"name": entry.name, "clientConfig": {"caBundle": bundle}});
        let patch = json!({
            "metadata": {"resourceVersion": version},
            "webhooks": self.entries().map(entry).collect::<Vec<_>>(),
        });
        let parameters = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let what = format!("write caBundle of the MutatingWebhookConfiguration {NAME}");
        let patch = Patch::Strategic(&patch);
        ask(&what, api.patch(NAME, &parameters, &patch))
            .await
            .map(drop)
    }
}
