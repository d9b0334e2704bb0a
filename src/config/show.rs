//! The effective configuration as a value, in the shape of the file.

use serde_json::{Map, Value, json};

use super::{Config, Setting, Settings};

impl Config {
    /// The configuration as a config file would say it; [`Config::read`] reads it back.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let all = |named: &std::collections::BTreeMap<String, Settings>| -> Value {
            named
                .iter()
                .map(|(name, settings)| (name.clone(), settings.to_value()))
                .collect()
        };
        let targets = self.targets;
        json!({
            "trigger": self.trigger,
            "targets": {
                "containers": targets.containers,
                "orchestrator": targets.orchestrator,
                "prepackagedServers": targets.prepackaged_servers,
                "explainer": targets.explainer,
                "initContainers": targets.init_containers,
            },
            "defaults": self.defaults.to_value(),
            "profiles": all(&self.profiles),
            "namespaces": all(&self.namespaces),
        })
    }
}

impl Settings {
    fn to_value(&self) -> Value {
        let said = Setting::ALL.into_iter().filter_map(|setting| {
            Some((
                setting.config_key().to_owned(),
                Value::from(self.get(setting)?),
            ))
        });
        Value::Object(said.collect::<Map<_, _>>())
    }
}
