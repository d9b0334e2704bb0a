//! The record: the annotation that says exactly what was added, so that it can be kept or taken out again.
//!
//! The format is documented in `docs/record.md`. It is read as untrusted input: everything that is not a record that we could have
//! written is ignored as a whole, and an entry counts as ours only where it is found unchanged.

mod parts;
mod set;

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::keys::{self, name_in_key};
use crate::jaeger::variable::{EnvSet, Variable};
pub(crate) use parts::{Before, Omitted, Part, Parts, spelling};
use set::{RecordedSet, is_ours, is_sampler};

/// The largest record that is written or read, in bytes: Kubernetes allows 256 KiB for all annotations together.
pub const MAX_RECORD: usize = 64 * 1024;

/// The version of the format that is written; no other is read.
const VERSION: u32 = 1;

/// Things by the keys of [`super::keys`], in the order of the object.
pub(crate) type Named<'a, T> = IndexMap<Cow<'a, str>, T>;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config_map: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) containers: Named<'a, TargetRecord>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) init_containers: Named<'a, TargetRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) orchestrator: Option<TargetRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) explainer: Option<TargetRecord>,
}

impl PredictorRecord<'_> {
    fn targets_mut(&mut self) -> impl Iterator<Item = &mut TargetRecord> {
        self.containers
            .values_mut()
            .chain(self.init_containers.values_mut())
            .chain(&mut self.orchestrator)
            .chain(&mut self.explainer)
    }

    pub(crate) fn targets(&self) -> impl Iterator<Item = &TargetRecord> {
        self.in_pods()
            .chain(&self.orchestrator)
            .chain(&self.explainer)
    }

    /// The containers and init containers.
    pub(crate) fn in_pods(&self) -> impl Iterator<Item = &TargetRecord> {
        self.containers
            .values()
            .chain(self.init_containers.values())
    }

    /// Whether nothing else is recorded as a stub.
    fn stubs_are_containers(&self) -> bool {
        let mut others = self.targets().skip(self.containers.len());
        others.all(|target| !target.new.has(Part::Container))
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Cow<'a, str>>,
    #[serde(with = "set")]
    pub(crate) sets: Vec<RecordedSet<'a>>,
    pub(crate) predictors: Named<'a, PredictorRecord<'a>>,
}

impl Record<'static> {
    /// Reads a record, or nothing if we cannot have written it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_RECORD {
            return None;
        }
        let record: Self = serde_json::from_str(text).ok()?;
        let whole = record.v == VERSION
            && record.sets.iter().all(|set| {
                let mut entries = set.0.entries();
                entries.all(|(variable, value)| is_ours(variable, value)) && is_sampler(&set.0)
            })
            && record.predictors.values().all(|predictor| {
                predictor
                    .targets()
                    .all(|target| target.set < record.sets.len())
                    && predictor.stubs_are_containers()
                    && predictor.config_map.as_deref().is_none_or(|name| {
                        crate::config::setting::ConfigMapRef::parse(name).is_some()
                    })
            });
        whole.then_some(record)
    }
}

impl<'a> Record<'a> {
    pub(crate) fn new() -> Self {
        Self {
            v: VERSION,
            ..Self::default()
        }
    }

    /// The text of the annotation.
    pub(crate) fn write(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
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

    /// Numbers the sets by their order in the record, not by the order in which they were made: equal content has equal text.
    pub(crate) fn number_sets(&mut self) {
        let mut numbered = Self::new();
        for predictor in self.predictors.values_mut() {
            for target in predictor.targets_mut() {
                target.set = numbered.intern(&self.sets[target.set].0);
            }
        }
        self.sets = numbered.sets;
    }

    /// How many variables of all targets it has.
    pub(crate) fn variables(&self) -> usize {
        let targets = self.predictors.values().flat_map(PredictorRecord::targets);
        targets
            .map(|target| self.set_of(target).entries().count())
            .sum()
    }

    /// This record with what another one says of its targets, if that one can have come of restoring this one: it has nothing else.
    pub(crate) fn restored_as(mut self, other: &Self) -> Option<Self> {
        let first = self.sets.len();
        self.sets.extend_from_slice(&other.sets);
        let (sets, predictors) = (&self.sets, &mut self.predictors);
        let set = |target: &mut TargetRecord, beside: &TargetRecord| {
            let mounts_config = other.mounts_config(beside);
            let mut beside = TargetRecord {
                set: first + beside.set,
                ..*beside
            };
            let (had, has) = (&sets[target.set].0, &sets[beside.set].0);
            // The record of a target that lost its mount does not say what had been created for that.
            if !mounts_config {
                let for_mount = [Part::VolumeMounts, Part::Volumes];
                let created = for_mount.into_iter().filter(|part| target.new.has(*part));
                created.for_each(|part| beside.new.set(part, target.new.before(part)));
            }
            let mut entries = has.entries();
            let is_part = entries.all(|(variable, _)| had.get(variable) == has.get(variable));
            is_part.then(|| *target = beside)
        };
        for (key, beside) in &other.predictors {
            let predictor = predictors.get_mut(key)?;
            if beside.config_map.is_some() && beside.config_map != predictor.config_map {
                return None;
            }
            predictor.new = beside.new;
            for (key, target) in &beside.containers {
                // A copy of a stub goes by the record of the stub, until it is recorded itself.
                let containers = &mut predictor.containers;
                let first = || containers.get(&*keys::key(&name_in_key(key), 0));
                let known = *containers.get(key).or_else(first)?;
                set(containers.entry(key.clone()).or_insert(known), target)?;
            }
            for (key, target) in &beside.init_containers {
                set(predictor.init_containers.get_mut(key)?, target)?;
            }
            if let Some(target) = &beside.orchestrator {
                set(predictor.orchestrator.as_mut()?, target)?;
            }
            if let Some(target) = &beside.explainer {
                set(predictor.explainer.as_mut()?, target)?;
            }
        }
        self.new = other.new;
        Some(self)
    }

    /// Whether a target mounts the `ConfigMap`.
    pub(crate) fn mounts_config(&self, target: &TargetRecord) -> bool {
        self.set_of(target).get(Variable::ConfigPath).is_some()
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
        assert_eq!(record.write().unwrap(), GOOD);
    }

    #[test]
    fn a_set_that_differs_in_little_is_written_as_the_difference() {
        let set = r#"{"TRACING":"1","JAEGER_AGENT_HOST":"jaeger","JAEGER_AGENT_PORT":"5775","JAEGER_TAGS":"c=0"}"#;
        let other = set.replace("c=0", "c=1");
        let less = other.replace(
            r#""JAEGER_AGENT_HOST":"jaeger","JAEGER_AGENT_PORT":"5775","#,
            "",
        );
        let record = |sets: &str| {
            format!(
                r#"{{"v":1,"sets":[{sets}],"predictors":{{"p":{{"containers":{{"a":{{"set":0}},"b":{{"set":1}},"c":{{"set":2}}}}}}}}}}"#
            )
        };
        let long = record(&format!("{set},{other},{less}"));
        let short = record(&format!(r#"{set},{{"like":0,"JAEGER_TAGS":"c=1"}},{less}"#));
        let shortest = record(&format!(
            r#"{set},{{"like":0,"JAEGER_TAGS":"c=1"}},{{"like":1,"JAEGER_AGENT_HOST":null,"JAEGER_AGENT_PORT":null}}"#
        ));
        // As long as an older version wrote it, it is read too.
        let read = Record::read(&long).unwrap();
        assert_eq!(read.write().unwrap(), short);
        assert_eq!(Record::read(&short), Some(read.clone()));
        assert_eq!(Record::read(&shortest), Some(read));
        for (from, to) in [
            (r#""like":0"#, r#""like":1"#),
            (r#""like":0"#, r#""like":"0""#),
            (r#""like":0"#, r#""like":null"#),
            (r#""c=1""#, r#""c""#),
            (r#""c=1""#, "7"),
        ] {
            let forged = shortest.replacen(from, to, 1);
            assert_ne!(forged, shortest);
            assert_eq!(Record::read(&forged), None, "{forged}");
        }
    }

    #[test]
    fn a_short_record_does_not_stand_for_too_much() {
        let first = format!(r#"{{"JAEGER_TAGS":"c={}"}}"#, "x".repeat(4000));
        let like = r#",{"like":0,"TRACING":"1"}"#.repeat(300);
        let text = format!(r#"{{"v":1,"sets":[{first}{like}],"predictors":{{}}}}"#);
        assert!(text.len() < MAX_RECORD);
        assert_eq!(Record::read(&text), None);
    }

    #[test]
    fn an_otlp_endpoint_is_an_addition_to_the_format() {
        let text = GOOD.replace(
            "\"JAEGER_CONFIG_PATH\":\"/etc/seldon-tracing/tracing.yml\"",
            "\"MLSERVER_TRACING_SERVER\":\"otel:4317\"",
        );
        assert_eq!(Record::read(&text).unwrap().write().unwrap(), text);
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
            (
                "\"orchestrator\":{\"set\":0",
                "\"orchestrator\":{\"set\":0,\"new\":[\"container\"]",
            ),
            (
                "\"TRACING\":\"1\"",
                "\"JAEGER_SAMPLER_TYPE\":\"const\",\"JAEGER_SAMPLER_PARAM\":\"5\"",
            ),
            (
                "{\"JAEGER_CONFIG_PATH\":\"/etc/seldon-tracing/tracing.yml\"}",
                "{}",
            ),
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
}
