//! The values that a patch may add: an environment, a stub container, a mounted `ConfigMap`, our annotations.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

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

/// A variable with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvVar<'a>(pub(crate) Variable, pub(crate) EnvValue<'a>);

/// Variables in the order in which they are written.
pub(crate) type EnvEntries<'a> = Vec<EnvVar<'a>>;

/// The mount in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VolumeMount {
    name: &'static str,
    mount_path: &'static str,
    read_only: bool,
}

/// The one mount that we write.
pub(crate) const MOUNT: VolumeMount = VolumeMount {
    name: CONFIG_VOLUME,
    mount_path: CONFIG_DIR,
    read_only: true,
};

/// A container that only carries variables; Seldon's defaulting fills in the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stub<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) env: EnvEntries<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) volume_mounts: Option<[VolumeMount; 1]>,
}

/// A pod spec made for stubs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewPod<'a> {
    pub(crate) containers: Vec<Stub<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) volumes: Option<[ConfigVolume<'a>; 1]>,
}

/// A componentSpec made for stubs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewComponent<'a> {
    pub(crate) spec: NewPod<'a>,
}

/// What an operation adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum NewValue<'a> {
    /// The null that stood there, as its text had it.
    #[serde(serialize_with = "null")]
    Null(&'static str),
    Text(Cow<'a, str>),
    Annotations(IndexMap<&'a str, Cow<'a, str>>),
    EnvVar(EnvVar<'a>),
    Env(EnvEntries<'a>),
    SvcOrchSpec {
        env: EnvEntries<'a>,
    },
    Stub(Stub<'a>),
    Stubs(Vec<Stub<'a>>),
    PodSpec(NewPod<'a>),
    ComponentSpec(NewComponent<'a>),
    ComponentSpecs([NewComponent<'a>; 1]),
    Mount(VolumeMount),
    Mounts([VolumeMount; 1]),
    Volume(ConfigVolume<'a>),
    Volumes([ConfigVolume<'a>; 1]),
}

fn null<S: Serializer>(_: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_unit()
}

/// The source of the address of the node, as Kubernetes spells it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ValueFrom<'a> {
    #[serde(borrow)]
    pub(crate) field_ref: FieldRef<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FieldRef<'a> {
    #[serde(borrow)]
    pub(crate) field_path: Cow<'a, str>,
}

impl FieldRef<'_> {
    pub(crate) const HOST_IP: Self = Self {
        field_path: Cow::Borrowed(HOST_IP),
    };
}

impl Serialize for EnvVar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", self.0.name())?;
        match &self.1 {
            EnvValue::Literal(text) => map.serialize_entry("value", text)?,
            EnvValue::HostIp => {
                let field_ref = FieldRef::HOST_IP;
                map.serialize_entry("valueFrom", &ValueFrom { field_ref })?;
            }
        }
        map.end()
    }
}

/// The source of the volume, as Kubernetes spells it. Only the one key is projected: a pod whose key is missing waits and says so, where a
/// missing file would end the process.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigMapSource<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) items: [ConfigMapItem<'a>; 1],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigMapItem<'a> {
    #[serde(borrow)]
    pub(crate) key: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) path: Cow<'a, str>,
}

impl Serialize for ConfigVolume<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = || Cow::Borrowed(&*self.key);
        let source = ConfigMapSource {
            name: Cow::Borrowed(&self.name),
            items: [ConfigMapItem {
                key: key(),
                path: key(),
            }],
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", CONFIG_VOLUME)?;
        map.serialize_entry("configMap", &source)?;
        map.end()
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
            EnvVar(Variable::Tracing, EnvValue::Literal("1".into())),
            EnvVar(Variable::AgentHost, EnvValue::HostIp),
        ];
        let config_map = ConfigVolume {
            name: "tracing".into(),
            key: "jaeger.yml".into(),
        };
        let stub = Stub {
            name: "model".into(),
            env: env.clone(),
            volume_mounts: Some([MOUNT]),
        };
        is_kubernetes::<Vec<v1::EnvVar>>(&to_value(NewValue::Env(env.clone())).unwrap());
        is_kubernetes::<v1::EnvVar>(&to_value(NewValue::EnvVar(env[1].clone())).unwrap());
        is_kubernetes::<v1::Container>(&to_value(NewValue::Stub(stub.clone())).unwrap());
        is_kubernetes::<Vec<v1::Container>>(
            &to_value(NewValue::Stubs(vec![stub.clone()])).unwrap(),
        );
        let pod = NewPod {
            containers: vec![stub],
            volumes: Some([config_map.clone()]),
        };
        is_kubernetes::<v1::PodSpec>(&to_value(NewValue::PodSpec(pod.clone())).unwrap());
        let component = NewComponent { spec: pod };
        is_kubernetes::<v1::PodSpec>(
            &to_value(NewValue::ComponentSpec(component.clone())).unwrap()["spec"],
        );
        is_kubernetes::<v1::PodSpec>(
            &to_value(NewValue::ComponentSpecs([component])).unwrap()[0]["spec"],
        );
        is_kubernetes::<v1::VolumeMount>(&to_value(NewValue::Mount(MOUNT)).unwrap());
        is_kubernetes::<Vec<v1::VolumeMount>>(&to_value(NewValue::Mounts([MOUNT])).unwrap());
        is_kubernetes::<v1::Volume>(&to_value(NewValue::Volume(config_map.clone())).unwrap());
        is_kubernetes::<Vec<v1::Volume>>(&to_value(NewValue::Volumes([config_map])).unwrap());
        is_kubernetes::<Vec<v1::EnvVar>>(&to_value(NewValue::SvcOrchSpec { env }).unwrap()["env"]);
    }
}
