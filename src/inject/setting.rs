//! What a setting may hold, so that nothing we write can crash a container.
//!
//! The rules are those of the clients that read the values: `jaeger-client-go` in the orchestrator, `jaeger_client` in the
//! Python wrapper (see <https://www.jaegertracing.io/docs/1.22/client-features/>). The config file and the annotations go through
//! the same checks.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::variable::HOST_IP;

/// The longest text that a setting may hold, in bytes.
pub const MAX_SETTING: usize = 2048;

/// A setting: something that a layer (config, profile, annotation …) can say about how to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// Host that spans are sent to, or `status.hostIP` for the pod's own node.
    AgentHost,
    /// UDP port of the receiver there.
    AgentPort,
    /// Sampler of the orchestrator.
    SamplerType,
    /// Parameter of that sampler.
    SamplerParam,
    /// Template of the orchestrator's name in Jaeger.
    ServiceName,
    /// Template of the tags of every span.
    Tags,
    /// `ConfigMap` with a Jaeger configuration file, `NAME` or `NAME/KEY`.
    ConfigMap,
    /// Names of containers that are left alone, separated by commas.
    ExcludeContainers,
}

impl Setting {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// All of them, as the documentation lists them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::AgentHost,
        Self::AgentPort,
        Self::SamplerType,
        Self::SamplerParam,
        Self::ServiceName,
        Self::Tags,
        Self::ConfigMap,
        Self::ExcludeContainers,
    ];

    /// The name in an annotation, behind `tracing.seldon.io/`.
    #[must_use]
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::AgentHost => "agent-host",
            Self::AgentPort => "agent-port",
            Self::SamplerType => "sampler-type",
            Self::SamplerParam => "sampler-param",
            Self::ServiceName => "service-name",
            Self::Tags => "tags",
            Self::ConfigMap => "config-map",
            Self::ExcludeContainers => "exclude-containers",
        }
    }

    /// The key in the config file.
    #[must_use]
    pub const fn config_key(self) -> &'static str {
        match self {
            Self::AgentHost => "agentHost",
            Self::AgentPort => "agentPort",
            Self::SamplerType => "samplerType",
            Self::SamplerParam => "samplerParam",
            Self::ServiceName => "serviceName",
            Self::Tags => "tags",
            Self::ConfigMap => "configMap",
            Self::ExcludeContainers => "excludeContainers",
        }
    }

    /// The built-in default, which is that of Seldon's documentation
    /// (<https://docs.seldon.ai/seldon-core-1/configuration/distributed-tracing>).
    #[must_use]
    pub const fn built_in(self) -> Option<&'static str> {
        match self {
            Self::AgentHost => Some(HOST_IP),
            Self::AgentPort => Some("5775"),
            Self::SamplerType => Some("const"),
            Self::SamplerParam => Some("1"),
            _ => None,
        }
    }

    /// Whether an empty text is allowed; it takes back what a weaker layer says.
    #[must_use]
    pub const fn may_be_cleared(self) -> bool {
        matches!(
            self,
            Self::ServiceName | Self::Tags | Self::ConfigMap | Self::ExcludeContainers
        )
    }

    /// What the setting accepts, for people: it ends the sentence "… must be".
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::AgentHost => {
                "status.hostIP, a host name, an IPv4 address or an IPv6 address in brackets, without a port"
            }
            Self::AgentPort => {
                "a port from 1 to 65535, and not 6832, which speaks another protocol"
            }
            Self::SamplerType => "const, probabilistic, ratelimiting or remote, in lower case",
            Self::SamplerParam => "a plain decimal number such as 1 or 0.05",
            Self::ServiceName => {
                "letters, digits, '.', '_', '-', '/', ':' and {namespace} {name} {predictor} {container}, at most 2048 bytes"
            }
            Self::Tags => {
                "key=value(,key=value)* with one '=' in each, and only {namespace} {name} {predictor} {container} in braces"
            }
            Self::ConfigMap => "NAME or NAME/KEY of a ConfigMap in the namespace of the model",
            Self::ExcludeContainers => "names of containers, separated by commas",
        }
    }

    /// Whether that text can be used.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        if text.len() > MAX_SETTING || text.chars().any(char::is_control) {
            return false;
        }
        if text.is_empty() {
            return self.may_be_cleared();
        }
        match self {
            Self::AgentHost => is_agent_host(text),
            Self::AgentPort => is_agent_port(text),
            Self::SamplerType => is_sampler_type(text),
            Self::SamplerParam => is_sampler_param(text),
            Self::ServiceName => is_service_name_template(text),
            Self::Tags => is_tags_template(text),
            Self::ConfigMap => ConfigMapRef::parse(text).is_some(),
            Self::ExcludeContainers => excluded(text).all(is_dns_label),
        }
    }
}

/// `status.hostIP`, a host name, IPv4, or IPv6 in brackets: the Go client ends its process on anything with a further colon.
pub(crate) fn is_agent_host(text: &str) -> bool {
    if text == HOST_IP || text.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    // A name whose last label is a number would be read as a mistyped IPv4 address.
    name.len() <= 253
        && name.split('.').all(is_dns_label)
        && !name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// 1 to 65535 in plain digits. 6832 is refused: it expects binary thrift, which neither client sends.
pub(crate) fn is_agent_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
        && text
            .parse::<u16>()
            .is_ok_and(|port| port != 0 && port != 6832)
}

/// The types that every client knows, spelled as every client reads them.
pub(crate) fn is_sampler_type(text: &str) -> bool {
    matches!(text, "const" | "probabilistic" | "ratelimiting" | "remote")
}

/// `[0-9]+(\.[0-9]+)?`, of a length that every client's number can hold.
pub(crate) fn is_sampler_param(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| {
        (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    digits(whole) && digits(fraction)
}

/// Whether the two halves of a sampler go together; each of them is known to be well formed.
pub(crate) fn is_sampler_pair(kind: &str, param: &str) -> bool {
    let Ok(number) = param.parse::<f64>() else {
        return false;
    };
    match kind {
        "const" => matches!(param, "0" | "1"),
        "probabilistic" | "remote" => (0.0..=1.0).contains(&number),
        "ratelimiting" => number >= 0.0,
        _ => false,
    }
}

/// What goes with a sampler type, for people.
pub(crate) fn sampler_param_expected(kind: &str) -> &'static str {
    match kind {
        "const" => "0 or 1",
        "probabilistic" | "remote" => "from 0 to 1",
        _ => "0 or more",
    }
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 bytes, upper case allowed as DNS allows it
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names>).
fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The names in an `exclude-containers` text.
pub(crate) fn excluded(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// The placeholders of a template.
const PLACEHOLDERS: [&str; 4] = ["namespace", "name", "predictor", "container"];

/// A template split at its first placeholder: text before, name of the placeholder, text behind.
fn split_template(text: &str) -> Option<(&str, &str, &str)> {
    // `${VAR:default}` is the clients' own form and no placeholder.
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        if text[..open].ends_with('$') {
            from = open + 1;
            continue;
        }
        let close = text[open..].find('}')? + open;
        return Some((&text[..open], &text[open + 1..close], &text[close + 1..]));
    }
    None
}

/// What a template is filled from. A part that is not known makes what uses it unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'a> {
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) predictor: Option<&'a str>,
    pub(crate) container: Option<&'a str>,
}

/// Fills a template. The error is the placeholder that has no value here.
pub(crate) fn expand<'a>(
    template: &'a str,
    names: &Names<'_>,
) -> Result<std::borrow::Cow<'a, str>, &'a str> {
    let mut rest = template;
    let mut text = String::new();
    while let Some((before, placeholder, behind)) = split_template(rest) {
        let value = match placeholder {
            "namespace" => names.namespace,
            "name" => names.name,
            "predictor" => names.predictor,
            _ => names.container,
        };
        text.push_str(before);
        text.push_str(value.filter(|value| !value.is_empty()).ok_or(placeholder)?);
        rest = behind;
    }
    if text.is_empty() {
        return Ok(rest.into());
    }
    text.push_str(rest);
    Ok(text.into())
}

/// The template with every placeholder filled by a letter; nothing if one is not known.
fn sample(template: &str) -> Option<String> {
    let mut rest = template;
    let mut text = String::new();
    while let Some((before, placeholder, behind)) = split_template(rest) {
        if !PLACEHOLDERS.contains(&placeholder) {
            return None;
        }
        text.push_str(before);
        text.push('x');
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

fn is_service_name_template(text: &str) -> bool {
    sample(text).is_some_and(|text| is_service_name(&text))
}

/// A name that shells, Jaeger and Kubernetes' own `$(VAR)` expansion leave as it is.
pub(crate) fn is_service_name(text: &str) -> bool {
    (1..=MAX_SETTING).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte))
}

fn is_tags_template(text: &str) -> bool {
    sample(text).is_some_and(|text| is_tags(&text))
}

/// `key=value(,key=value)*`: both clients end their process on an item without exactly one `=`, and the Go client on a
/// `${VAR}` without `:default`.
pub(crate) fn is_tags(text: &str) -> bool {
    // What Kubernetes puts in for $(VAR) could hold anything.
    text.len() <= 2 * MAX_SETTING
        && !text.contains("$(")
        && text.split(',').all(|item| {
            let Some((key, value)) = item.split_once('=') else {
                return false;
            };
            let value = value.trim();
            let variable_has_default = match value.strip_prefix("${") {
                Some(variable) => variable.strip_suffix('}').is_some_and(|inner| {
                    inner
                        .split_once(':')
                        .is_some_and(|(name, default)| !name.is_empty() && !default.contains(':'))
                }),
                None => !value.contains(['{', '}']),
            };
            !key.trim().is_empty()
                && !key.contains(['{', '}', '$'])
                && !value.contains('=')
                && variable_has_default
        })
}

/// A `ConfigMap` that holds a Jaeger configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigMapRef<'a> {
    /// The name of the `ConfigMap`, in the namespace of the model.
    pub name: &'a str,
    /// The key in it, which becomes the name of the file.
    pub key: &'a str,
}

impl<'a> ConfigMapRef<'a> {
    /// The key where only a name is given; Seldon's documentation calls the file so.
    pub const DEFAULT_KEY: &'static str = "tracing.yml";

    /// Reads `NAME` or `NAME/KEY`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (name, key) = text.split_once('/').unwrap_or((text, Self::DEFAULT_KEY));
        let lower = name.bytes().all(|byte| !byte.is_ascii_uppercase());
        let name_is_good = lower && name.len() <= 253 && name.split('.').all(is_dns_label);
        (name_is_good && is_config_map_key(key)).then_some(Self { name, key })
    }
}

/// `[-._a-zA-Z0-9]+` and no way out of the folder
/// (<https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object>).
pub(crate) fn is_config_map_key(key: &str) -> bool {
    (1..=253).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && !key.starts_with("..")
        && key != "."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn settings_accept_what_the_clients_accept() {
        let table: &[(Setting, &[&str], &[&str])] = &[
            (
                Setting::AgentHost,
                &[
                    "status.hostIP",
                    "jaeger-agent",
                    "jaeger.tracing.svc.cluster.local",
                    "a.b.",
                    "10.0.0.1",
                    "[::1]",
                    "[fd00::5]",
                ],
                &[
                    "",
                    "::1",
                    "host:6831",
                    "http://host",
                    "[::1",
                    "256.0.0.1",
                    "1.2.3",
                    "a b",
                    "a_b",
                    "-a",
                    "status.podIP/x",
                    "a..b",
                ],
            ),
            (
                Setting::AgentPort,
                &["1", "5775", "6831", "65535"],
                &[
                    "",
                    "0",
                    "-1",
                    "65536",
                    "6832",
                    "+1",
                    "05775",
                    " 6831",
                    "6831\n",
                    "udp://10.0.0.1:5775",
                    "abc",
                ],
            ),
            (
                Setting::SamplerType,
                &["const", "probabilistic", "ratelimiting", "remote"],
                &["", "Const", "const ", "rate_limiting", "always_on"],
            ),
            (
                Setting::SamplerParam,
                &["0", "1", "0.5", "5", "100", "0.001"],
                &[
                    "", "10%", "-1", "+1", "1e3", ".5", "1.", "NaN", "true", "0,5", " 1", "1.2.3",
                ],
            ),
            (
                Setting::ServiceName,
                &[
                    "",
                    "model",
                    "{namespace}/{name}",
                    "{name}-{predictor}-{container}",
                    "a.b_c:d",
                ],
                &[
                    "{pod}",
                    "{name",
                    "a b",
                    "$(NAME)",
                    "${NAME:x}",
                    "{}",
                    "name}",
                ],
            ),
            (
                Setting::Tags,
                &[
                    "",
                    "team=a",
                    "team=a,model={name}",
                    "node=${NODE:none}",
                    "a=",
                    "a=b c",
                    "ns={namespace}",
                ],
                &[
                    "team",
                    "a=b=c",
                    "a=b,",
                    ",a=b",
                    "=b",
                    "a=${NODE}",
                    "a={pod}",
                    "a={name",
                    "{name=x",
                    "a=${NODE:x",
                    "a=$(NODE)",
                ],
            ),
            (
                Setting::ConfigMap,
                &["", "tracing", "tracing/jaeger.yml", "my.config/tracing.yml"],
                &[
                    "Tracing", "tracing/", "/x", "a/b/c", "a/..", "a/../b", "a b", "a/x y", "_a",
                ],
            ),
            (
                Setting::ExcludeContainers,
                &["", "a", "a,b", "a, b"],
                &["a b", "a,b/c", "é"],
            ),
        ];
        for (setting, good, bad) in table {
            for text in *good {
                assert!(setting.accepts(text), "{setting:?} must accept {text:?}");
            }
            for text in *bad {
                assert!(!setting.accepts(text), "{setting:?} must refuse {text:?}");
            }
            assert!(
                !setting.accepts(&"a".repeat(MAX_SETTING + 1)),
                "{setting:?} must refuse what is too long"
            );
            assert!(
                !setting.accepts("a=\u{7}"),
                "{setting:?} must refuse control characters"
            );
        }
    }

    #[test]
    fn sampler_halves_must_go_together() {
        for (kind, param, fits) in [
            ("const", "0", true),
            ("const", "1", true),
            ("const", "0.5", false),
            ("const", "2", false),
            ("probabilistic", "0.1", true),
            ("probabilistic", "1", true),
            ("probabilistic", "5", false),
            ("remote", "1.5", false),
            ("ratelimiting", "5", true),
            ("other", "1", false),
        ] {
            assert_eq!(is_sampler_pair(kind, param), fits, "{kind} {param}");
        }
    }

    #[test]
    fn templates_are_filled_or_name_what_is_missing() {
        let names = Names {
            namespace: Some("ns"),
            name: Some("m"),
            predictor: Some("p"),
            container: None,
        };
        assert_eq!(
            expand("{namespace}/{name}.{predictor}", &names).unwrap(),
            "ns/m.p"
        );
        assert_eq!(expand("plain", &names).unwrap(), "plain");
        assert_eq!(
            expand("n=${NODE:x},m={name}", &names).unwrap(),
            "n=${NODE:x},m=m"
        );
        assert_eq!(expand("{container}", &names), Err("container"));
    }
}
