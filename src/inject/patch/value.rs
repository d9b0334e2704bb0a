//! The values that a patch may add: an environment, a stub container, a mounted `ConfigMap`, our annotations.

use std::borrow::Cow;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::jaeger::variable::{EnvValue, HOST_IP, Variable};

/// Name of the volume, and of its mount, that hold the custom Jaeger configuration. A user's volume of this name is left alone, and
/// the `ConfigMap` is then not mounted.
pub const CONFIG_VOLUME: &str = "seldon-tracing-config";

/// Where that volume is mounted.
pub const CONFIG_DIR: &str = "/etc/seldon-tracing";

/// The `ConfigMap` that is mounted, and the key of it that becomes a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigVolume<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) key: Cow<'a, str>,
}

/// Variables in the order in which they are written.
pub(crate) type EnvEntries<'a> = Vec<(Variable, EnvValue<'a>)>;

/// A container that only carries variables; Seldon's defaulting fills in the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stub<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) env: EnvEntries<'a>,
    pub(crate) mounts_config: bool,
}

/// A pod spec made for stubs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewPod<'a> {
    pub(crate) stubs: Vec<Stub<'a>>,
    pub(crate) volume: Option<ConfigVolume<'a>>,
}

/// What an operation adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewValue<'a> {
    /// The null that stood there, as its text had it.
    Null(&'static str),
    Text(Cow<'a, str>),
    Annotations(Vec<(&'a str, Cow<'a, str>)>),
    EnvVar(Variable, EnvValue<'a>),
    Env(EnvEntries<'a>),
    SvcOrchSpec(EnvEntries<'a>),
    Stub(Stub<'a>),
    Stubs(Vec<Stub<'a>>),
    PodSpec(NewPod<'a>),
    ComponentSpec(NewPod<'a>),
    ComponentSpecs(NewPod<'a>),
    Mount,
    Mounts,
    Volume(ConfigVolume<'a>),
    Volumes(ConfigVolume<'a>),
}

fn map1<S: Serializer>(
    serializer: S,
    key: &str,
    value: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

struct EnvVar<'v, 'a>(Variable, &'v EnvValue<'a>);

impl Serialize for EnvVar<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", self.0.name())?;
        match self.1 {
            EnvValue::Literal(text) => map.serialize_entry("value", text)?,
            EnvValue::HostIp => {
                map.serialize_entry("valueFrom", &One("fieldRef", One("fieldPath", HOST_IP)))?;
            }
        }
        map.end()
    }
}

/// An object of one key.
struct One<T>(&'static str, T);

impl<T: Serialize> Serialize for One<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map1(serializer, self.0, &self.1)
    }
}

struct Entries<'v, 'a>(&'v [(Variable, EnvValue<'a>)]);

impl Serialize for Entries<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0
                .iter()
                .map(|(variable, value)| EnvVar(*variable, value)),
        )
    }
}

struct Mount;

impl Serialize for Mount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("name", CONFIG_VOLUME)?;
        map.serialize_entry("mountPath", CONFIG_DIR)?;
        map.serialize_entry("readOnly", &true)?;
        map.end()
    }
}

impl Serialize for Stub<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("env", &Entries(&self.env))?;
        if self.mounts_config {
            map.serialize_entry("volumeMounts", &[Mount])?;
        }
        map.end()
    }
}

/// Only the one key is projected: a pod whose key is missing waits and says so, where a missing file would end the process.
struct Volume<'v, 'a>(&'v ConfigVolume<'a>);

impl Serialize for Volume<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Item<'a> {
            key: &'a str,
            path: &'a str,
        }
        #[derive(Serialize)]
        struct Source<'a> {
            name: &'a str,
            items: [Item<'a>; 1],
        }
        let ConfigVolume { name, key } = self.0;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", CONFIG_VOLUME)?;
        map.serialize_entry(
            "configMap",
            &Source {
                name,
                items: [Item { key, path: key }],
            },
        )?;
        map.end()
    }
}

impl Serialize for NewPod<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("containers", &self.stubs)?;
        if let Some(config_map) = &self.volume {
            map.serialize_entry("volumes", &[Volume(config_map)])?;
        }
        map.end()
    }
}

impl Serialize for NewValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null(_) => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Annotations(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
            Self::EnvVar(variable, value) => EnvVar(*variable, value).serialize(serializer),
            Self::Env(entries) => Entries(entries).serialize(serializer),
            Self::SvcOrchSpec(entries) => map1(serializer, "env", &Entries(entries)),
            Self::Stub(stub) => stub.serialize(serializer),
            Self::Stubs(stubs) => stubs.serialize(serializer),
            Self::PodSpec(pod) => pod.serialize(serializer),
            Self::ComponentSpec(pod) => map1(serializer, "spec", pod),
            Self::ComponentSpecs(pod) => {
                let mut seq = serializer.serialize_seq(Some(1))?;
                seq.serialize_element(&One("spec", pod))?;
                seq.end()
            }
            Self::Mount => Mount.serialize(serializer),
            Self::Mounts => [Mount].serialize(serializer),
            Self::Volume(config_map) => Volume(config_map).serialize(serializer),
            Self::Volumes(config_map) => [Volume(config_map)].serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1;
    use serde_json::{Value, to_value};

    use super::*;

    /// What we write must be what Kubernetes' own types write, with nothing lost on the way through them.
    fn is_kubernetes<T: serde::de::DeserializeOwned + Serialize>(value: &Value) {
        let typed: T = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(&to_value(typed).unwrap(), value);
    }

    #[test]
    fn values_are_those_of_the_kubernetes_types() {
        let env = vec![
            (Variable::Tracing, EnvValue::Literal("1".into())),
            (Variable::AgentHost, EnvValue::HostIp),
        ];
        let config_map = ConfigVolume {
            name: "tracing".into(),
            key: "jaeger.yml".into(),
        };
        let stub = Stub {
            name: "model".into(),
            env: env.clone(),
            mounts_config: true,
        };
        is_kubernetes::<Vec<v1::EnvVar>>(&to_value(NewValue::Env(env.clone())).unwrap());
        is_kubernetes::<v1::EnvVar>(
            &to_value(NewValue::EnvVar(Variable::AgentHost, EnvValue::HostIp)).unwrap(),
        );
        is_kubernetes::<v1::Container>(&to_value(NewValue::Stub(stub.clone())).unwrap());
        is_kubernetes::<Vec<v1::Container>>(
            &to_value(NewValue::Stubs(vec![stub.clone()])).unwrap(),
        );
        let pod = NewPod {
            stubs: vec![stub],
            volume: Some(config_map.clone()),
        };
        is_kubernetes::<v1::PodSpec>(&to_value(NewValue::PodSpec(pod.clone())).unwrap());
        is_kubernetes::<v1::PodSpec>(
            &to_value(NewValue::ComponentSpec(pod.clone())).unwrap()["spec"],
        );
        is_kubernetes::<v1::PodSpec>(&to_value(NewValue::ComponentSpecs(pod)).unwrap()[0]["spec"]);
        is_kubernetes::<v1::VolumeMount>(&to_value(NewValue::Mount).unwrap());
        is_kubernetes::<Vec<v1::VolumeMount>>(&to_value(NewValue::Mounts).unwrap());
        is_kubernetes::<v1::Volume>(&to_value(NewValue::Volume(config_map.clone())).unwrap());
        is_kubernetes::<Vec<v1::Volume>>(&to_value(NewValue::Volumes(config_map)).unwrap());
        is_kubernetes::<Vec<v1::EnvVar>>(&to_value(NewValue::SvcOrchSpec(env)).unwrap()["env"]);
    }
}
