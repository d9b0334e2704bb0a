//! `ConfigMap`s with a Jaeger configuration file for Seldon's Python wrapper, rendered from the settings. Pure.
//!
//! The wrapper samples everything, whatever `JAEGER_SAMPLER_TYPE` says: it takes a sampler only from the file that `JAEGER_CONFIG_PATH` names
//! (<https://github.com/jaegertracing/jaeger-client-python/blob/4.4.0/jaeger_client/config.py>). The engine mounts such a file by the
//! setting `config-map`; what is rendered here is that file. It holds the sampler and nothing else: agent and tags come from the environment.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::inject::{ConfigMapRef, JaegerConfig};

/// The label that says who rendered a `ConfigMap`, and what is in it
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>).
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "seldon-tracing");
const COMPONENT: (&str, &str) = ("app.kubernetes.io/component", "jaeger-config");

/// A sampler as the Python client can be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// All traces or none.
    Const(bool),
    /// This share of the traces, from 0 to 1.
    Probabilistic(String),
    /// This many traces a second.
    RateLimiting(String),
    /// What the agent answers. The rate until then cannot be set in this client.
    Remote,
}

impl Sampler {
    /// The sampler of two settings; nothing if they do not go together.
    #[must_use]
    pub fn of(kind: &str, param: &str) -> Option<Self> {
        Some(match kind {
            "const" if matches!(param, "0" | "1") => Self::Const(param == "1"),
            "probabilistic" => Self::Probabilistic(number(param)),
            "ratelimiting" => Self::RateLimiting(number(param)),
            "remote" => Self::Remote,
            _ => return None,
        })
    }

    /// The text of the file.
    #[must_use]
    pub fn file(&self) -> String {
        let (kind, param) = match self {
            // Any other spelling of "on", such as 1.0, is off to this client.
            Self::Const(on) => ("const", if *on { "1" } else { "0" }),
            Self::Probabilistic(param) => ("probabilistic", param.as_str()),
            Self::RateLimiting(param) => ("ratelimiting", param.as_str()),
            // The client does not know the word remote, and an empty file ends its process.
            Self::Remote => {
                return "# Without a sampler here, the client asks the agent's host for one (port 5778).\n{}\n"
                    .to_owned();
            }
        };
        format!("sampler:\n  type: {kind}\n  param: {param}\n")
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Const(on) => write!(formatter, "const {}", u8::from(*on)),
            Self::Probabilistic(param) => write!(formatter, "probabilistic {param}"),
            Self::RateLimiting(param) => write!(formatter, "ratelimiting {param}"),
            Self::Remote => formatter.write_str("remote"),
        }
    }
}

/// A number in its one spelling: to a reader of YAML 1.1, as the wrapper is, 010 would be 8.
fn number(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// A file that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The namespace of the `ConfigMap`, as far as it is known.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The key of the file in it.
    pub key: String,
    /// What the file is to say.
    pub sampler: Sampler,
    /// Who asks, for people.
    pub by: String,
}

impl Wish {
    /// The wish of settings; nothing where they are not such as the engine takes.
    #[must_use]
    pub fn of(config: &JaegerConfig<'_>, namespace: Option<&str>, by: String) -> Option<Self> {
        let ConfigMapRef { name, key } = ConfigMapRef::parse(&config.config_map)?;
        Some(Self {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            key: key.to_owned(),
            sampler: Sampler::of(&config.sampler_type, &config.sampler_param)?,
            by,
        })
    }
}

/// Two that ask for one file with different samplers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "ConfigMap {name}, key {key}: {first} wants the sampler {first_sampler}, {second} wants {second_sampler}, \
     and both read one file; give one of them another name or key by tracing.seldon.io/config-map: {name}/OTHER-KEY"
)]
pub struct Clash {
    name: String,
    key: String,
    first: String,
    first_sampler: Sampler,
    second: String,
    second_sampler: Sampler,
}

/// The namespace of a `ConfigMap`, as far as it is known, and its name.
type Identity = (Option<String>, String);

/// The `ConfigMap`s that are asked for, and in each the files by key. Sorted, so that one input gives one text.
#[derive(Clone, Debug, Default)]
pub struct ConfigMaps(BTreeMap<Identity, BTreeMap<String, (Sampler, String)>>);

impl ConfigMaps {
    /// Takes a wish.
    ///
    /// # Errors
    /// If somebody else wants another sampler in the same file.
    pub fn add(&mut self, wish: Wish) -> Result<(), Box<Clash>> {
        let Wish {
            namespace,
            name,
            key,
            sampler,
            by,
        } = wish;
        let files = self.0.entry((namespace, name.clone())).or_default();
        let (first_sampler, first) = files
            .entry(key.clone())
            .or_insert_with(|| (sampler.clone(), by.clone()));
        if *first_sampler == sampler {
            return Ok(());
        }
        Err(Box::new(Clash {
            name,
            key,
            first: first.clone(),
            first_sampler: first_sampler.clone(),
            second: by,
            second_sampler: sampler,
        }))
    }

    /// Whether none is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The objects, sorted by namespace and name.
    pub fn objects(&self) -> impl Iterator<Item = Value> {
        self.0.iter().map(|((namespace, name), files)| {
            let mut metadata = Map::new();
            metadata.insert("name".to_owned(), json!(name));
            if let Some(namespace) = namespace {
                metadata.insert("namespace".to_owned(), json!(namespace));
            }
            let labels = [MANAGED_BY, COMPONENT]
                .map(|(label, value)| (label.to_owned(), Value::from(value)));
            metadata.insert(
                "labels".to_owned(),
                Value::Object(labels.into_iter().collect()),
            );
            let data: Map<_, _> = files
                .iter()
                .map(|(key, (sampler, _))| (key.clone(), Value::from(sampler.file())))
                .collect();
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sampler_becomes_a_file_that_the_python_client_takes() {
        for (kind, param, file) in [
            ("const", "1", "sampler:\n  type: const\n  param: 1\n"),
            ("const", "0", "sampler:\n  type: const\n  param: 0\n"),
            (
                "probabilistic",
                "0.50",
                "sampler:\n  type: probabilistic\n  param: 0.5\n",
            ),
            (
                "probabilistic",
                "1.0",
                "sampler:\n  type: probabilistic\n  param: 1\n",
            ),
            (
                "ratelimiting",
                "010",
                "sampler:\n  type: ratelimiting\n  param: 10\n",
            ),
            (
                "ratelimiting",
                "000.250",
                "sampler:\n  type: ratelimiting\n  param: 0.25\n",
            ),
        ] {
            assert_eq!(Sampler::of(kind, param).unwrap().file(), file);
        }
        let remote = Sampler::of("remote", "0.5").unwrap().file();
        assert!(
            !remote.contains("sampler:") && remote.ends_with("\n{}\n"),
            "{remote}"
        );
        assert_eq!(Sampler::of("const", "1.0"), None);
        assert_eq!(Sampler::of("Const", "1"), None);
    }

    #[test]
    fn one_file_has_one_sampler() {
        let wish = |name: &str, key: &str, param: &str, by: &str| Wish {
            namespace: None,
            name: name.to_owned(),
            key: key.to_owned(),
            sampler: Sampler::of("probabilistic", param).unwrap(),
            by: by.to_owned(),
        };
        let mut maps = ConfigMaps::default();
        maps.add(wish("b", "t.yml", "0.5", "one")).unwrap();
        maps.add(wish("b", "t.yml", "0.50", "two")).unwrap();
        maps.add(wish("b", "s.yml", "1", "three")).unwrap();
        maps.add(wish("a", "t.yml", "1", "four")).unwrap();
        let clash = maps.add(wish("b", "t.yml", "0.1", "five")).unwrap_err();
        assert_eq!(
            clash.to_string(),
            "ConfigMap b, key t.yml: one wants the sampler probabilistic 0.5, five wants probabilistic 0.1, \
             and both read one file; give one of them another name or key by tracing.seldon.io/config-map: b/OTHER-KEY"
        );
        let objects: Vec<_> = maps.objects().collect();
        assert_eq!(objects[0]["metadata"]["name"], "a");
        let keys: Vec<_> = objects[1]["data"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["s.yml", "t.yml"]);
    }
}
