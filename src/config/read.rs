//! Reads the config file strictly, and reports all its problems at once.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::problem::{nearest, shown};
use super::setting::{ANNOTATION_PREFIX, RECORD, Setting};
use super::{Config, Problem, Problems, Settings, Targets};
use crate::jaeger::accepts::{is_dns_name, is_sampler_pair, is_word};
use crate::manifest::tree::{Node, Position, Tree};

impl Config {
    /// The largest config file that is read, in bytes. It has room for the settings of thousands of namespaces. A `ConfigMap` can
    /// hold four times as much, but a list of that size could take all the memory that the webhook is given.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads a config file (YAML, one document). Omitted keys have their built-in defaults. The cost is in proportion to the text.
    ///
    /// # Errors
    /// A text of more than [`Config::MAX_BYTES`], unknown and duplicate keys, values of a wrong type or that the Jaeger clients
    /// do not accept: all of them at once.
    pub fn read(text: &str) -> Result<Self, Problems> {
        let whole = |message| Problem {
            position: Position { line: 1, column: 1 },
            path: String::new(),
            message,
        };
        if text.len() > Self::MAX_BYTES {
            return Err(whole(format!(
                "the file has {} bytes, and at most {} (256 KiB) are read; settings that many namespaces share belong in `defaults` or in a profile",
                text.len(),
                Self::MAX_BYTES
            ))
            .into());
        }
        let tree = Tree::yaml(text).map_err(Problem::from)?;
        let mut reader = Reader {
            problems: Problems::default(),
            // More than a file without aliases can take.
            left: Some(Self::MAX_BYTES * 16),
        };
        let mut config = Self::default();
        if let Some(root) = tree.root() {
            reader.file(root, &mut config);
        }
        if reader.left.is_none() {
            return Err(whole(
                "the aliases expand to too much text; shorten the text of their anchors, or use a profile".to_owned(),
            )
            .into());
        }
        let mut problems = reader.problems;
        if problems.first.is_empty() {
            Ok(config)
        } else {
            problems.first.sort_by_key(|problem| problem.position);
            Err(problems)
        }
    }
}

/// The value of a scalar. What a collection holds is not looked at.
fn scalar(node: Node<'_>) -> Option<Value> {
    node.as_str()?;
    node.value().ok()
}

struct Reader {
    problems: Problems,
    /// How much may still be read; `None` once that was too little.
    left: Option<usize>,
}

/// The keys of the file.
const FILE: [&str; 5] = ["trigger", "targets", "defaults", "profiles", "namespaces"];

impl Reader {
    /// Whether the node may be read. Each alias costs as much as the node that it refers to.
    fn may_read(&mut self, node: Node<'_>) -> bool {
        let cost = 8 + node.as_str().map_or(0, str::len);
        self.left = self.left.and_then(|left| left.checked_sub(cost));
        self.left.is_some()
    }

    fn problem(&mut self, node: Node<'_>, path: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            position: node.position(),
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// The entries of a mapping, without those whose key is not text or came before.
    fn entries<'t>(&mut self, node: Node<'t>, path: &str) -> Vec<(&'t str, Node<'t>, Node<'t>)> {
        if scalar(node).is_some_and(|value| value.is_null()) {
            return Vec::new();
        }
        let Some(mapping) = node.as_mapping() else {
            self.problem(node, path, "must be a mapping of keys to values");
            return Vec::new();
        };
        let mut entries = Vec::new();
        let mut lines = HashMap::new();
        for (key, value) in mapping {
            if !self.may_read(key) || !self.may_read(value) {
                break;
            }
            let Some(text) = key.as_str() else {
                self.problem(key, path, "a key must be plain text");
                continue;
            };
            match lines.entry(text) {
                Entry::Occupied(first) => {
                    let message = format!("is here twice; first on line {}", first.get());
                    self.problem(key, &join(path, text), message);
                }
                Entry::Vacant(entry) => {
                    entry.insert(key.position().line);
                    entries.push((text, key, value));
                }
            }
        }
        entries
    }

    fn unknown(&mut self, key: Node<'_>, path: &str, name: &str, known: &[&str]) {
        let name = &*shown(name, MOST_OF_A_NAME);
        let advice = nearest(name, known.iter().copied()).map_or_else(
            || format!("allowed here: {}", known.join(", ")),
            |known| format!("did you mean {known}?"),
        );
        self.problem(key, &join(path, name), format!("unknown key; {advice}"));
    }

    fn file(&mut self, root: Node<'_>, config: &mut Config) {
        for (name, key, value) in self.entries(root, "") {
            match name {
                "trigger" => self.trigger(value, config),
                "targets" => self.targets(value, &mut config.targets),
                "defaults" => {
                    let said = self.settings(value, name);
                    for setting in Setting::ALL {
                        if let Some(text) = said.get(setting) {
                            config.defaults.set(setting, text);
                        }
                    }
                }
                "profiles" => {
                    let is_valid =
                        |name: &str| is_dns_name(name) && !["true", "false"].contains(&name);
                    let expected = "a profile needs a name of lower-case letters, digits, '-' and '.', other than true and false";
                    config.profiles = self.named(value, name, is_valid, expected);
                }
                "namespaces" => {
                    let is_valid = |name: &str| is_dns_name(name) && !name.contains('.');
                    let expected = "is not a name that a namespace can have: lower-case letters, digits and '-'";
                    config.namespaces = self.named(value, name, is_valid, expected);
                }
                _ => self.unknown(key, "", name, &FILE),
            }
        }
    }

    /// Settings by name.
    fn named(
        &mut self,
        node: Node<'_>,
        path: &str,
        is_valid: impl Fn(&str) -> bool,
        expected: &str,
    ) -> BTreeMap<String, Settings> {
        let mut all = BTreeMap::new();
        for (name, key, value) in self.entries(node, path) {
            let path = join(path, name);
            if !is_valid(name) {
                self.problem(key, &path, expected);
            }
            all.insert(name.to_owned(), self.settings(value, &path));
        }
        all
    }

    fn trigger(&mut self, value: Node<'_>, config: &mut Config) {
        match scalar(value) {
            Some(Value::String(key)) if is_taken(&key) => {
                self.problem(
                    value,
                    "trigger",
                    "this annotation is the record of what was injected, or a setting",
                );
            }
            Some(Value::String(key)) if is_annotation_key(&key) => config.trigger = key,
            _ => self.problem(
                value,
                "trigger",
                "must be the key of an annotation: NAME or PREFIX/NAME",
            ),
        }
    }

    fn targets(&mut self, node: Node<'_>, targets: &mut Targets) {
        let mut slots = [
            ("containers", &mut targets.containers),
            ("orchestrator", &mut targets.orchestrator),
            ("prepackagedServers", &mut targets.prepackaged_servers),
            ("explainer", &mut targets.explainer),
            ("initContainers", &mut targets.init_containers),
        ];
        let known = slots.each_ref().map(|(name, _)| *name);
        for (name, key, value) in self.entries(node, "targets") {
            let Some((_, slot)) = slots.iter_mut().find(|(known, _)| *known == name) else {
                self.unknown(key, "targets", name, &known);
                continue;
            };
            match scalar(value) {
                Some(Value::Bool(on)) => **slot = on,
                _ => self.problem(value, &join("targets", name), "must be true or false"),
            }
        }
    }

    fn settings(&mut self, node: Node<'_>, path: &str) -> Settings {
        let mut settings = Settings::default();
        let keys: Vec<&str> = Setting::ALL.into_iter().map(Setting::config_key).collect();
        let mut sampler = None;
        let mut refused = false;
        for (name, key, value) in self.entries(node, path) {
            let Some(setting) = Setting::ALL
                .into_iter()
                .find(|setting| setting.config_key() == name)
            else {
                self.unknown(key, path, name, &keys);
                continue;
            };
            let of_sampler = matches!(setting, Setting::SamplerType | Setting::SamplerParam);
            if of_sampler {
                sampler = Some(key);
            }
            match self.text(value, setting) {
                Some(text) if setting.accepts(&text) => settings.set(setting, text),
                _ => {
                    refused |= of_sampler;
                    let message = format!("must be {}", setting.expected());
                    self.problem(value, &join(path, name), message);
                }
            }
        }
        // A half that was refused has been reported.
        if let Some(key) = sampler.filter(|_| !refused) {
            self.sampler(key, path, &settings);
        }
        settings
    }

    /// Type and parameter come from one layer, because a mixture of two layers could crash the client.
    fn sampler(&mut self, key: Node<'_>, path: &str, settings: &Settings) {
        let halves = (
            settings.get(Setting::SamplerType),
            settings.get(Setting::SamplerParam),
        );
        let message = match halves {
            (Some(kind), Some(param)) if !is_sampler_pair(kind, param) => {
                "samplerType and samplerParam do not go together: const takes 0 or 1, probabilistic and remote 0 to 1"
            }
            (Some(_), None) => "samplerType needs a samplerParam beside it",
            (None, Some(_)) => "samplerParam needs a samplerType beside it",
            _ => return,
        };
        self.problem(key, path, message);
    }

    /// The text of a setting: strings as they are, numbers as they are written, and lists of names joined.
    fn text(&mut self, value: Node<'_>, setting: Setting) -> Option<String> {
        if let (Setting::ExcludeContainers, Some(items)) = (setting, value.as_sequence()) {
            let mut names = Vec::new();
            for item in items {
                match self.may_read(item).then(|| scalar(item))?? {
                    Value::String(name) => names.push(name),
                    _ => return None,
                }
            }
            return Some(names.join(","));
        }
        match scalar(value)? {
            Value::String(text) => Some(text),
            Value::Number(_) if matches!(setting, Setting::AgentPort | Setting::SamplerParam) => {
                value.as_str().map(str::to_owned)
            }
            _ => None,
        }
    }
}

/// How many characters of a key are shown.
const MOST_OF_A_NAME: usize = 64;

fn join(path: &str, name: &str) -> String {
    let name = shown(name, MOST_OF_A_NAME);
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

/// Whether an annotation has another meaning to us.
fn is_taken(key: &str) -> bool {
    let own = key.strip_prefix(ANNOTATION_PREFIX);
    let is_setting = |name: &str| {
        Setting::ALL
            .into_iter()
            .any(|setting| setting.annotation() == name)
    };
    key == RECORD || own.is_some_and(is_setting)
}

/// `NAME` or `PREFIX/NAME`
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set>).
fn is_annotation_key(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, _)) if !is_dns_name(prefix) => return false,
        Some((_, name)) => name,
        None => key,
    };
    is_word(name, 63, b"-_.")
        && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && name.ends_with(|letter: char| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
