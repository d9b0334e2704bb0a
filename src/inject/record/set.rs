//! Variables with their values, as the record spells them, and whether we could have written them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::accepted::{
    is_agent_host, is_agent_port, is_config_map_key, is_otlp_endpoint, is_sampler_pair,
    is_sampler_param, is_sampler_type, is_service_name, is_tags,
};
use super::super::new_value::CONFIG_DIR;
use super::super::variable::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};
use super::named::Named;

/// Whether a sampler has both halves, and such as go together, or none.
pub(super) fn is_whole_sampler(set: &EnvSet<'_>) -> bool {
    match (
        set.get(Variable::SamplerType),
        set.get(Variable::SamplerParam),
    ) {
        (Some(kind), Some(param)) => is_sampler_pair(kind.text(), param.text()),
        (kind, param) => kind.is_none() && param.is_none(),
    }
}

/// Whether we could have written that value.
pub(super) fn is_ours(variable: Variable, value: &EnvValue<'_>) -> bool {
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
    #[serde(borrow)]
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

impl<'de: 'a, 'a> Deserialize<'de> for EnvValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = EnvValue<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a fieldPath")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(EnvValue::Literal(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(EnvValue::Literal(Cow::Owned(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let source =
                    FieldPath::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                if source.field_path != HOST_IP {
                    return Err(A::Error::custom("unknown fieldPath"));
                }
                Ok(EnvValue::HostIp)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Err(A::Error::custom("a list"))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RecordedSet<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = PerVariable::default();
        for (name, value) in Named::<EnvValue<'de>>::deserialize(deserializer)?.0 {
            let variable =
                Variable::from_name(&name).ok_or_else(|| D::Error::custom("unknown variable"))?;
            *set.get_mut(variable) = Some(value);
        }
        Ok(Self(set))
    }
}
