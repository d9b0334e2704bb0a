//! The config file: the key of the trigger, which targets are on, the settings of the cluster, of profiles and of namespaces.
//!
//! [`Config::default`] is the built-in configuration; `manifests/base/config.yaml` is the same as a commented file. Pure: reading takes
//! text, and reports all problems at once.

mod problem;
mod read;
mod schema;
pub(crate) mod setting;
pub(crate) mod template;

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

pub(crate) use problem::nearest;
pub use problem::{Problem, Problems};

pub use setting::{ConfigMapRef, Setting};

/// The settings of one place; a hole is a setting that is left to a weaker layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings([Option<String>; Setting::COUNT]);

impl Settings {
    /// The text of a setting.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0[setting as usize].as_deref()
    }

    /// Sets a setting; the text has been checked by [`Setting::accepts`].
    pub fn set(&mut self, setting: Setting, text: impl Into<String>) {
        self.0[setting as usize] = Some(text.into());
    }

    /// Whether no setting is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The built-in settings.
    #[must_use]
    pub fn built_in() -> Self {
        Self(Setting::ALL.map(|setting| setting.built_in().map(str::to_owned)))
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let said = Setting::ALL.into_iter();
        serializer.collect_map(said.filter_map(|it| Some((it.config_key(), self.get(it)?))))
    }
}

/// Which kinds of targets are injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(default, deny_unknown_fields, transform = schema::rules::or_null))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent switches, named as in the file"
)]
pub struct Targets {
    /// Containers of the manifest.
    pub containers: bool,
    /// The orchestrator of each predictor.
    pub orchestrator: bool,
    /// Prepackaged servers that have no container in the manifest.
    pub prepackaged_servers: bool,
    /// Explainers with a container of the user's.
    pub explainer: bool,
    /// Init containers of the manifest.
    pub init_containers: bool,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            containers: true,
            orchestrator: true,
            prepackaged_servers: true,
            explainer: true,
            init_containers: false,
        }
    }
}

/// The whole configuration. It is serialized in the shape of the file, which [`Config::read`] reads back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(default, deny_unknown_fields, transform = schema::rules::or_null))]
#[cfg_attr(
    test,
    schemars(
        description = "The config file of seldon-tracing. Omitted keys have their built-in defaults."
    )
)]
pub struct Config {
    /// Key of the annotation that turns tracing on.
    #[cfg_attr(test, schemars(schema_with = "schema::rules::trigger"))]
    pub trigger: String,
    /// Which kinds of targets are injected.
    pub targets: Targets,
    /// The settings of the cluster: the built-in ones where the file says nothing.
    pub defaults: Settings,
    /// Settings that a trigger can name, by name.
    #[cfg_attr(test, schemars(schema_with = "schema::rules::profiles"))]
    pub profiles: BTreeMap<String, Settings>,
    /// Settings of single namespaces, by name.
    #[cfg_attr(test, schemars(schema_with = "schema::rules::namespaces"))]
    pub namespaces: BTreeMap<String, Settings>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            trigger: Self::DEFAULT_TRIGGER.to_owned(),
            targets: Targets::default(),
            defaults: Settings::built_in(),
            profiles: BTreeMap::new(),
            namespaces: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The key of the trigger unless the file says otherwise.
    pub const DEFAULT_TRIGGER: &'static str = "tracing";
}
