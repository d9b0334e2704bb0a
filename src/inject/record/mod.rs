//! The record: the annotation that says exactly what was added, so that it can be kept or taken out again.
//!
//! The format is documented in `docs/record.md`. It is read as untrusted input: whatever is not a record that we could have
//! written is ignored as a whole, and an entry counts as ours only where it is found unchanged.

mod named;
mod parts;
mod set;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::variable::EnvSet;
pub(crate) use named::{Named, key, name_in_key};
pub(crate) use parts::{Omitted, Part, Parts};
use set::{RecordedSet, is_ours, is_whole_sampler};

/// The annotation that holds the record.
pub const RECORD: &str = "tracing.seldon.io/injected";

/// The largest record that is written or read, in bytes: Kubernetes allows 256 KiB for all annotations together.
pub const MAX_RECORD: usize = 64 * 1024;

/// The version of the format that is written; no other is read.
const VERSION: u32 = 1;

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
    fn an_otlp_endpoint_is_an_addition_to_the_format() {
        let text = GOOD.replace(
            "\"JAEGER_CONFIG_PATH\":\"/etc/seldon-tracing/tracing.yml\"",
            "\"MLSERVER_TRACING_SERVER\":\"otel:4317\"",
        );
        assert_eq!(Record::read(&text).unwrap().write(), text);
        for bad in ["otel", "http://otel:4317", "otel:0", "status.hostIP:1"] {
            let forged = text.replace("otel:4317", bad);
            assert_eq!(Record::read(&forged), None, "{forged}");
        }
        let field = text.replace("\"otel:4317\"", "{\"fieldPath\":\"status.hostIP\"}");
        assert_eq!(Record::read(&field), None, "{field}");
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
