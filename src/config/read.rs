//! Reading the config file: strictly, and with everything that is wrong with it said at once.

use std::fmt;

use super::{Config, Settings, Targets};
use crate::inject::{ANNOTATION_PREFIX, RECORD, Setting, is_sampler_pair};
use crate::manifest::tree::{Node, ParseError, Position, Tree};

/// Something that is wrong with a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, from line 1 and column 1.
    pub position: Position,
    /// The key it is about, as `profiles.sampled.agentPort`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(formatter, "{line}:{column}: ")?;
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// All that is wrong with a config file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        let position = Position {
            line: error.line,
            column: error.column,
        };
        Self {
            position,
            path: String::new(),
            message: error.message,
        }
    }
}

impl Config {
    /// Reads a config file (YAML, one document). What it does not say is as built in.
    ///
    /// # Errors
    /// Unknown and duplicate keys, values of a wrong type or that the Jaeger clients do not accept:
    /// all of them at once.
    pub fn read(text: &str) -> Result<Self, Problems> {
        let tree = Tree::yaml(text).map_err(|error| Problems(vec![error.into()]))?;
        let mut reader = Reader::default();
        let mut config = Self::default();
        match tree.root() {
            None => {}
            Some(root) if is_null(root) => {}
            Some(root) => reader.file(root, &mut config),
        }
        if reader.problems.is_empty() {
            // Whatever only shows in the value, such as an alias that expands without end.
            tree.to_value()
                .map_err(|error| Problems(vec![error.into()]))?;
            Ok(config)
        } else {
            reader.problems.sort_by_key(|problem| problem.position);
            Err(Problems(reader.problems))
        }
    }
}

fn is_null(node: Node<'_>) -> bool {
    node.value().is_ok_and(|value| value.is_null())
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
}

/// The keys of the file.
const FILE: [&str; 5] = ["trigger", "targets", "defaults", "profiles", "namespaces"];

/// The keys below `targets`.
const TARGETS: [&str; 5] = [
    "containers",
    "orchestrator",
    "prepackagedServers",
    "explainer",
    "initContainers",
];

impl Reader {
    fn problem(&mut self, node: Node<'_>, path: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            position: node.position(),
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// The entries of a mapping, less those whose key is no text or came before.
    fn entries<'t>(&mut self, node: Node<'t>, path: &str) -> Vec<(&'t str, Node<'t>, Node<'t>)> {
        if is_null(node) {
            return Vec::new();
        }
        let Some(mapping) = node.as_mapping() else {
            self.problem(node, path, "must be a mapping of keys to values");
            return Vec::new();
        };
        let mut entries: Vec<(&str, Node<'_>, Node<'_>)> = Vec::new();
        for (key, value) in mapping {
            let Some(text) = key.as_str() else {
                self.problem(key, path, "a key must be plain text");
                continue;
            };
            if let Some((_, first, _)) = entries.iter().find(|(other, ..)| *other == text) {
                let line = first.position().line;
                self.problem(
                    key,
                    &join(path, text),
                    format!("is here twice; first on line {line}"),
                );
            } else {
                entries.push((text, key, value));
            }
        }
        entries
    }

    fn unknown(&mut self, key: Node<'_>, path: &str, name: &str, known: &[&str]) {
        let nearest = known
            .iter()
            .map(|known| (strsim::jaro(known, name), known))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|one, other| one.0.total_cmp(&other.0));
        let advice = nearest.map_or_else(
            || format!("allowed here: {}", known.join(", ")),
            |(_, known)| format!("did you mean {known}?"),
        );
        self.problem(
            key,
            &join(path, name),
            format!("is not a key that is known; {advice}"),
        );
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
                    for (profile, key, value) in self.entries(value, name) {
                        let path = join(name, profile);
                        if ["true", "false"].contains(&profile.to_ascii_lowercase().as_str())
                            || !is_dns_name(profile)
                        {
                            self.problem(
                                key,
                                &path,
                                "a profile needs a name of lower-case letters, digits, '-' and '.', other than true and false",
                            );
                        }
                        let settings = self.settings(value, &path);
                        config.profiles.insert(profile.to_owned(), settings);
                    }
                }
                "namespaces" => {
                    for (namespace, key, value) in self.entries(value, name) {
                        let path = join(name, namespace);
                        if !is_dns_name(namespace) || namespace.contains('.') {
                            self.problem(
                                key,
                                &path,
                                "is not a name that a namespace can have: lower-case letters, digits and '-'",
                            );
                        }
                        let settings = self.settings(value, &path);
                        config.namespaces.insert(namespace.to_owned(), settings);
                    }
                }
                _ => self.unknown(key, "", name, &FILE),
            }
        }
    }

    fn trigger(&mut self, value: Node<'_>, config: &mut Config) {
        match value.value() {
            Ok(serde_json::Value::String(key)) if is_taken(&key) => {
                self.problem(
                    value,
                    "trigger",
                    "this annotation is the record of what was injected, or a setting",
                );
            }
            Ok(serde_json::Value::String(key)) if is_annotation_key(&key) => config.trigger = key,
            _ => self.problem(
                value,
                "trigger",
                "must be the key of an annotation: NAME or PREFIX/NAME",
            ),
        }
    }

    fn targets(&mut self, node: Node<'_>, targets: &mut Targets) {
        for (name, key, value) in self.entries(node, "targets") {
            let slot = match name {
                "containers" => &mut targets.containers,
                "orchestrator" => &mut targets.orchestrator,
                "prepackagedServers" => &mut targets.prepackaged_servers,
                "explainer" => &mut targets.explainer,
                "initContainers" => &mut targets.init_containers,
                _ => {
                    self.unknown(key, "targets", name, &TARGETS);
                    continue;
                }
            };
            match value.value() {
                Ok(serde_json::Value::Bool(on)) => *slot = on,
                _ => self.problem(value, &join("targets", name), "must be true or false"),
            }
        }
    }

    fn settings(&mut self, node: Node<'_>, path: &str) -> Settings {
        let mut settings = Settings::default();
        let keys: Vec<&str> = Setting::ALL.into_iter().map(Setting::config_key).collect();
        let mut sampler = None;
        for (name, key, value) in self.entries(node, path) {
            let Some(setting) = Setting::ALL
                .into_iter()
                .find(|setting| setting.config_key() == name)
            else {
                self.unknown(key, path, name, &keys);
                continue;
            };
            if matches!(setting, Setting::SamplerType | Setting::SamplerParam) {
                sampler = Some(key);
            }
            match setting_text(value, setting) {
                Some(text) if setting.accepts(&text) => settings.set(setting, text),
                _ => self.problem(
                    value,
                    &join(path, name),
                    format!("must be {}", setting.expected()),
                ),
            }
        }
        if let Some(key) = sampler {
            self.sampler(key, path, &settings);
        }
        settings
    }

    /// Type and parameter stand together, so that no mixture of layers can be one that crashes.
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
        // A half that was refused has been spoken of.
        let spoken = self.problems.iter().any(|problem| {
            [Setting::SamplerType, Setting::SamplerParam]
                .iter()
                .any(|half| problem.path == join(path, half.config_key()))
        });
        if !spoken {
            self.problem(key, path, message);
        }
    }
}

/// The text of a setting: strings as they are, numbers as they are written, and lists of names joined.
fn setting_text(value: Node<'_>, setting: Setting) -> Option<String> {
    match value.value().ok()? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(_)
            if matches!(setting, Setting::AgentPort | Setting::SamplerParam) =>
        {
            value.as_str().map(str::to_owned)
        }
        serde_json::Value::Array(items) if setting == Setting::ExcludeContainers => {
            let names: Option<Vec<&str>> = items.iter().map(serde_json::Value::as_str).collect();
            Some(names?.join(","))
        }
        _ => None,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Lower-case labels joined by dots.
fn is_dns_name(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
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
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && name.ends_with(|letter: char| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
