//! Variables with their values, as the record spells them, and whether we could have written them.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::inject::bounds::MAX_ADDED;
use crate::inject::patch::{CONFIG_DIR, FieldRef};
use crate::jaeger::accepts::{
    is_agent_host, is_agent_port, is_config_map_key, is_otlp_endpoint, is_sampler_pair,
    is_sampler_param, is_sampler_type, is_service_name, is_tags,
};
use crate::jaeger::variable::{EnvSet, EnvValue, HOST_IP, Variable};

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

/// Variables with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordedSet<'a>(pub(crate) EnvSet<'a>);

/// The key of the index of an earlier set, of which a set says only what differs.
const LIKE: &str = "like";

/// Writes the sets. A set that differs little from the set before it is written as the difference: of twenty containers with a tag of
/// their own, each has the same values but for that.
pub(super) fn serialize<S: Serializer>(
    sets: &[RecordedSet<'_>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq((0..sets.len()).map(|at| {
        let set = &sets[at].0;
        let like = at.checked_sub(1).map(|before| (before, &sets[before].0));
        let is_like = |(_, other): &(usize, &EnvSet<'_>)| {
            differences(set, other).count() < set.entries().count()
        };
        Written {
            set,
            like: like.filter(is_like),
        }
    }))
}

/// The variables in which two sets differ.
fn differences<'s>(
    one: &'s EnvSet<'_>,
    other: &'s EnvSet<'_>,
) -> impl Iterator<Item = Variable> + 's {
    let all = Variable::ALL.into_iter();
    all.filter(|variable| one.get(*variable) != other.get(*variable))
}

struct Written<'s, 'a> {
    set: &'s EnvSet<'a>,
    like: Option<(usize, &'s EnvSet<'a>)>,
}

impl Serialize for Written<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let nothing = EnvSet::default();
        let other = self.like.map_or(&nothing, |(_, other)| other);
        if let Some((index, _)) = self.like {
            map.serialize_entry(LIKE, &index)?;
        }
        for variable in differences(self.set, other) {
            match self.set.get(variable) {
                None => map.serialize_entry(variable.name(), &())?,
                Some(EnvValue::Literal(text)) => map.serialize_entry(variable.name(), text)?,
                Some(EnvValue::HostIp) => {
                    map.serialize_entry(variable.name(), &FieldRef::HOST_IP)?;
                }
            }
        }
        map.end()
    }
}

/// What a set says of a variable, or of the set that it is like.
#[derive(Deserialize)]
#[serde(untagged)]
enum Spelled<'a> {
    Literal(String),
    #[serde(borrow)]
    Field(FieldRef<'a>),
    Index(usize),
    None(()),
}

/// Reads the sets. All values together are bounded as those that we write are: a few bytes can be like a long set.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<RecordedSet<'static>>, D::Error> {
    let mut sets: Vec<RecordedSet<'static>> = Vec::new();
    let mut bytes = 0;
    for mut spelled in Vec::<IndexMap<&str, Spelled<'de>>>::deserialize(deserializer)? {
        let like = spelled.shift_remove(LIKE);
        let mut set = match like {
            None => EnvSet::default(),
            Some(Spelled::Index(index)) if index < sets.len() => sets[index].0.clone(),
            Some(_) => return Err(D::Error::custom("like no earlier set")),
        };
        for (name, value) in spelled {
            let variable =
                Variable::from_name(name).ok_or_else(|| D::Error::custom("unknown variable"))?;
            *set.get_mut(variable) = match value {
                Spelled::Literal(text) => Some(EnvValue::Literal(Cow::Owned(text))),
                Spelled::Field(FieldRef { field_path }) if field_path == HOST_IP => {
                    Some(EnvValue::HostIp)
                }
                Spelled::None(()) => None,
                _ => return Err(D::Error::custom("unknown value")),
            };
        }
        bytes += set.entries().map(|(_, it)| it.text().len()).sum::<usize>();
        if set.is_empty() || bytes > MAX_ADDED {
            return Err(D::Error::custom("an empty set, or too much"));
        }
        sets.push(RecordedSet(set));
    }
    Ok(sets)
}
