//! Variables with their values, as the record spells them, and whether we could have written them.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::inject::patch::CONFIG_DIR;
use crate::jaeger::accepts::{
    is_agent_host, is_agent_port, is_config_map_key, is_otlp_endpoint, is_sampler_pair,
    is_sampler_param, is_sampler_type, is_service_name, is_tags,
};
use crate::jaeger::variable::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};

/// Whether the halves of a sampler go together. One half may be alone: the user changed the other while the trigger was unclear.
pub(crate) fn is_sampler(set: &EnvSet<'_>) -> bool {
    match (
        set.get(Variable::SamplerType),
        set.get(Variable::SamplerParam),
    ) {
        (Some(kind), Some(param)) => is_sampler_pair(kind.text(), param.text()),
        _ => true,
    }
}

/// Whether we could have written that value.
pub(crate) fn is_ours(variable: Variable, value: &EnvValue<'_>) -> bool {
    let EnvValue::Literal(text) = value else {
        return variable == Variable::AgentHost;
    };
    match variable {
        Variable::Tracing => text == "1",
        Variable::AgentHost => text != HOST_IP && is_agent_host(text),
        Variable::AgentPort => is_agent_port(text),
        Variable::SamplerType => is_sampler_type(text),
        Variable::SamplerParam => is_sampler_param(text),
        Variable::ServiceName => is_service_name(text),
        Variable::Tags => is_tags(text),
        Variable::ConfigPath => text
            .strip_prefix(CONFIG_DIR)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(is_config_map_key),
        Variable::OtlpEndpoint => is_otlp_endpoint(text),
    }
}

/// Variables with their values, as the record spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordedSet<'a>(pub(crate) EnvSet<'a>);

/// The address of the node, as the record spells it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FieldPath<'a> {
    field_path: Cow<'a, str>,
}

impl Serialize for RecordedSet<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (variable, value) in self.0.entries() {
            match value {
                EnvValue::Literal(text) => map.serialize_entry(variable.name(), text)?,
                EnvValue::HostIp => map.serialize_entry(
                    variable.name(),
                    &FieldPath {
                        field_path: HOST_IP.into(),
                    },
                )?,
            }
        }
        map.end()
    }
}

/// A value as the record spells it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Spelled {
    Literal(String),
    Field(FieldPath<'static>),
}

impl<'de> Deserialize<'de> for RecordedSet<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spelled = IndexMap::<String, Spelled>::deserialize(deserializer)?;
        if spelled.is_empty() {
            return Err(D::Error::custom("an empty set"));
        }
        let mut set = PerVariable::default();
        for (name, value) in spelled {
            let variable =
                Variable::from_name(&name).ok_or_else(|| D::Error::custom("unknown variable"))?;
            *set.get_mut(variable) = Some(match value {
                Spelled::Literal(text) => EnvValue::Literal(Cow::Owned(text)),
                Spelled::Field(FieldPath { field_path }) if field_path == HOST_IP => {
                    EnvValue::HostIp
                }
                Spelled::Field(_) => return Err(D::Error::custom("unknown fieldPath")),
            });
        }
        Ok(Self(set))
    }
}
