//! The record: the annotation that says exactly what was added, so that it can be kept or taken out again.
//!
//! The format is documented in `docs/record.md`. It is read as untrusted input: whatever is not a record that we could have
//! written is ignored as a whole, and an entry counts as ours only where it is found unchanged.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::new_value::CONFIG_DIR;
use super::setting::{
    is_agent_host, is_agent_port, is_config_map_key, is_sampler_pair, is_sampler_param,
    is_sampler_type, is_service_name, is_tags,
};
use super::shape::Key;
use super::variable::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};

/// The annotation that holds the record.
pub const RECORD: &str = "tracing.seldon.io/injected";

/// The largest record that is written or read, in bytes: Kubernetes allows 256 KiB for all annotations together.
pub const MAX_RECORD: usize = 64 * 1024;

/// The version of the format that is written; no other is read.
const VERSION: u32 = 1;

/// A structure that had to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Annotations,
    SvcOrchSpec,
    ComponentSpecs,
    ComponentSpec,
    PodSpec,
    Containers,
    Container,
    Env,
    VolumeMounts,
    Volumes,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Annotations,
        Self::SvcOrchSpec,
        Self::ComponentSpecs,
        Self::ComponentSpec,
        Self::PodSpec,
        Self::Containers,
        Self::Container,
        Self::Env,
        Self::VolumeMounts,
        Self::Volumes,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Annotations => "annotations",
            Self::SvcOrchSpec => "svcOrchSpec",
            Self::ComponentSpecs => "componentSpecs",
            Self::ComponentSpec => "componentSpec",
            Self::PodSpec => "podSpec",
            Self::Containers => "containers",
            Self::Container => "container",
            Self::Env => "env",
            Self::VolumeMounts => "volumeMounts",
            Self::Volumes => "volumes",
        }
    }
}

/// A set of created structures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts(u16);

impl Parts {
    pub(crate) const fn has(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    pub(crate) const fn set(&mut self, part: Part) {
        self.0 |= 1 << part as u16;
    }

    pub(crate) const fn unset(&mut self, part: Part) {
        self.0 &= !(1 << part as u16);
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            Part::ALL
                .into_iter()
                .filter(|part| self.has(*part))
                .map(Part::name),
        )
    }
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut parts = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            let part = Part::ALL.into_iter().find(|part| part.name() == name);
            parts.set(part.ok_or_else(|| D::Error::custom("unknown part"))?);
        }
        Ok(parts)
    }
}

/// A map in the order in which it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a, T>(pub(crate) Vec<(Cow<'a, str>, T)>);

impl<T> Default for Named<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<'_, T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds a key, looking first behind `cursor`, where the last one was found: records are in the order of the object.
    pub(crate) fn find(&self, key: &str, cursor: &mut usize) -> Option<&T> {
        let count = self.0.len();
        let at = (0..count)
            .map(|step| (*cursor + step) % count)
            .find(|at| self.0[*at].0 == key)?;
        *cursor = at + 1;
        Some(&self.0[at].1)
    }
}

impl<T> Named<'_, T> {
    /// Sorts what is in `other` too as it stands there; the rest comes behind it.
    pub(crate) fn order_as(&mut self, other: &Named<'_, T>) {
        let places: HashMap<&str, usize> = (0..)
            .zip(&other.0)
            .map(|(at, (key, _))| (&**key, at))
            .collect();
        self.0
            .sort_by_key(|(key, _)| places.get(&**key).copied().unwrap_or(usize::MAX));
    }
}

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Named<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamedVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
            type Value = Named<'de, T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut named = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    named.push((key, value));
                }
                Ok(Named(named))
            }
        }
        deserializer.deserialize_map(NamedVisitor(std::marker::PhantomData))
    }
}

/// Variables that the user took out again, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Omitted(u8);

impl Omitted {
    pub(crate) const fn has(self, variable: Variable) -> bool {
        self.0 & (1 << variable as u8) != 0
    }

    pub(crate) const fn set(&mut self, variable: Variable) {
        self.0 |= 1 << variable as u8;
    }

    pub(crate) const fn unset(&mut self, variable: Variable) {
        self.0 &= !(1 << variable as u8);
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Serialize for Omitted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for variable in Variable::ALL
            .into_iter()
            .filter(|variable| self.has(*variable))
        {
            seq.serialize_element(variable.name())?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Omitted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut omitted = Self::default();
        for name in Vec::<Cow<'de, str>>::deserialize(deserializer)? {
            omitted.set(
                Variable::from_name(&name).ok_or_else(|| D::Error::custom("unknown variable"))?,
            );
        }
        Ok(omitted)
    }
}

/// What one target holds of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetRecord {
    /// Index into the record's `sets`.
    pub(crate) set: usize,
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub(crate) new: Parts,
    #[serde(default, skip_serializing_if = "Omitted::is_empty")]
    pub(crate) omit: Omitted,
}

/// What one predictor holds of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PredictorRecord<'a> {
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub(crate) new: Parts,
    /// The mounted `ConfigMap`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) config_map: Option<Cow<'a, str>>,
    #[serde(default, borrow, skip_serializing_if = "Named::is_empty")]
    pub(crate) containers: Named<'a, TargetRecord>,
    #[serde(default, borrow, skip_serializing_if = "Named::is_empty")]
    pub(crate) init_containers: Named<'a, TargetRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) orchestrator: Option<TargetRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) explainer: Option<TargetRecord>,
}

impl PredictorRecord<'_> {
    fn targets_mut(&mut self) -> impl Iterator<Item = &mut TargetRecord> {
        let lists = self
            .containers
            .0
            .iter_mut()
            .chain(&mut self.init_containers.0);
        lists
            .map(|(_, target)| target)
            .chain(&mut self.orchestrator)
            .chain(&mut self.explainer)
    }

    fn targets(&self) -> impl Iterator<Item = &TargetRecord> {
        let lists = self.containers.0.iter().chain(&self.init_containers.0);
        lists
            .map(|(_, target)| target)
            .chain(&self.orchestrator)
            .chain(&self.explainer)
    }

    /// Whether nothing of ours is in the predictor.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets().next().is_none()
    }
}

/// Everything in an object that is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record<'a> {
    v: u32,
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    pub(crate) new: Parts,
    /// The trigger, where the command line wrote it too.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) sets: Vec<RecordedSet<'a>>,
    #[serde(borrow)]
    pub(crate) predictors: Named<'a, PredictorRecord<'a>>,
}

impl<'a> Record<'a> {
    pub(crate) fn new() -> Self {
        Self {
            v: VERSION,
            ..Self::default()
        }
    }

    /// Reads a record, or nothing if we cannot have written it.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        if text.len() > MAX_RECORD {
            return None;
        }
        let record: Self = serde_json::from_str(text).ok()?;
        let whole = record.v == VERSION
            && record.sets.iter().all(|set| {
                set.0
                    .entries()
                    .all(|(variable, value)| is_ours(variable, value))
                    && is_whole_sampler(&set.0)
            })
            && record.predictors.0.iter().all(|(_, predictor)| {
                predictor
                    .targets()
                    .all(|target| target.set < record.sets.len())
                    && predictor
                        .config_map
                        .as_deref()
                        .is_none_or(|name| super::setting::ConfigMapRef::parse(name).is_some())
            });
        whole.then_some(record)
    }

    /// The same, borrowing nothing.
    pub(crate) fn into_owned(self) -> Record<'static> {
        let Self {
            v,
            new,
            trigger,
            sets,
            predictors,
        } = self;
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        let own_all = |Named(targets): Named<'a, TargetRecord>| {
            Named(
                targets
                    .into_iter()
                    .map(|(key, target)| (own(key), target))
                    .collect(),
            )
        };
        let own_predictor = |predictor: PredictorRecord<'a>| PredictorRecord {
            new: predictor.new,
            config_map: predictor.config_map.map(own),
            containers: own_all(predictor.containers),
            init_containers: own_all(predictor.init_containers),
            orchestrator: predictor.orchestrator,
            explainer: predictor.explainer,
        };
        Record {
            v,
            new,
            trigger: trigger.map(own),
            sets: sets
                .into_iter()
                .map(|RecordedSet(set)| RecordedSet(set.into_owned()))
                .collect(),
            predictors: Named(
                predictors
                    .0
                    .into_iter()
                    .map(|(key, predictor)| (own(key), own_predictor(predictor)))
                    .collect(),
            ),
        }
    }

    /// The text of the annotation.
    pub(crate) fn write(&self) -> String {
        let mut text = Vec::with_capacity(1024);
        // Strings and small integers always serialise, and into memory.
        let _ = serde_json::to_writer(&mut text, self);
        String::from_utf8(text).unwrap_or_default()
    }

    /// The index of a set of variables, which many targets share.
    pub(crate) fn intern(&mut self, set: &EnvSet<'a>) -> usize {
        // The last one is the likeliest, and a set for each target (by a template) must not make the search quadratic.
        let recent = self.sets.len().saturating_sub(8);
        if let Some(at) = self.sets[recent..]
            .iter()
            .rposition(|known| known.0 == *set)
        {
            return recent + at;
        }
        self.sets.push(RecordedSet(set.clone()));
        self.sets.len() - 1
    }

    /// Numbers the sets as they come in the record, whatever the order in which they were made: one content, one text.
    pub(crate) fn number_sets(&mut self) {
        let mut numbered = Self::new();
        for (_, predictor) in &mut self.predictors.0 {
            for target in predictor.targets_mut() {
                target.set = numbered.intern(&self.sets[target.set].0);
            }
        }
        self.sets = numbered.sets;
    }

    pub(crate) fn set_of(&self, target: &TargetRecord) -> &EnvSet<'a> {
        &self.sets[target.set].0
    }
}

/// Whether a sampler has both halves, and such as go together, or none.
fn is_whole_sampler(set: &EnvSet<'_>) -> bool {
    match (
        set.get(Variable::SamplerType),
        set.get(Variable::SamplerParam),
    ) {
        (Some(kind), Some(param)) => is_sampler_pair(kind.text(), param.text()),
        (kind, param) => kind.is_none() && param.is_none(),
    }
}

/// Whether we could have written that value.
fn is_ours(variable: Variable, value: &EnvValue<'_>) -> bool {
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

/// The key of the `ordinal`th thing of that name (from 0): names need not be distinct in what is not yet validated.
pub(crate) fn key(name: &str, ordinal: usize) -> Cow<'_, str> {
    let plain = !name.contains(['#', '%']);
    match (plain, ordinal) {
        (true, 0) => Cow::Borrowed(name),
        (true, _) => Cow::Owned(format!("{name}#{}", ordinal + 1)),
        (false, _) => Cow::Owned(format!(
            "{}#{}",
            name.replace('%', "%25").replace('#', "%23"),
            ordinal + 1
        )),
    }
}

/// The name in a key.
pub(crate) fn name_in_key(key: &str) -> Cow<'_, str> {
    match key.rsplit_once('#') {
        None => Cow::Borrowed(key),
        Some((name, _)) if !name.contains('%') => Cow::Borrowed(name),
        Some((name, _)) => Cow::Owned(name.replace("%23", "#").replace("%25", "%")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = concat!(
        r##"{"v":1,"new":["annotations"],"trigger":"true","sets":[{"TRACING":"1","JAEGER_AGENT_HOST":{"fieldPath":"status.hostIP"}},"##,
        r##"{"JAEGER_CONFIG_PATH":"/etc/seldon-tracing/tracing.yml"}],"predictors":{"default":{"new":["svcOrchSpec"],"configMap":"cm","##,
        r##""containers":{"model":{"set":0,"new":["env"],"omit":["JAEGER_TAGS"]},"model#2":{"set":1}},"orchestrator":{"set":0}}}}"##
    );

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = Record::read(GOOD).unwrap();
        assert_eq!(record.write(), GOOD);
    }

    #[test]
    fn what_we_cannot_have_written_is_ignored() {
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"v\":1", "\"w\":1"),
            ("\"TRACING\":\"1\"", "\"TRACING\":\"true\""),
            ("\"TRACING\":\"1\"", "\"PATH\":\"1\""),
            ("status.hostIP", "metadata.name"),
            ("/etc/seldon-tracing/tracing.yml", "/etc/passwd"),
            ("\"set\":1", "\"set\":7"),
            ("\"set\":1", "\"set\":-1"),
            ("\"set\":1", "\"set\":1,\"more\":1"),
            ("\"env\"", "\"spec\""),
            ("JAEGER_TAGS", "HOME"),
            ("\"cm\"", "\"../cm\""),
            ("\"TRACING\":\"1\"", "\"JAEGER_SAMPLER_TYPE\":\"const\""),
            ("}}}}", "}}}"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from} is not in the text");
            assert_eq!(Record::read(&text), None, "{text}");
        }
        assert_eq!(
            Record::read(&format!("{GOOD}{}", " ".repeat(MAX_RECORD))),
            None
        );
    }

    #[test]
    fn keys_of_odd_names_are_distinct() {
        let keys = [
            key("a", 0),
            key("a", 1),
            key("a#2", 0),
            key("a%232", 0),
            key("", 0),
            key("", 1),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(one), "{one}");
        }
        for name in ["a", "a#2", "a%232", "100%", "%25", "#", ""] {
            assert_eq!(name_in_key(&key(name, 0)), name);
            assert_eq!(name_in_key(&key(name, 1)), name);
        }
    }
}
