//! What a setting may hold, so that nothing we write can crash a container.
//!
//! The rules are those of the clients that read the values: `jaeger-client-go` in the orchestrator, `jaeger_client` in the
//! Python wrapper (see <https://www.jaegertracing.io/docs/1.22/client-features/>). The config file and the annotations go through
//! the same checks.

use super::template::sample;
use crate::jaeger::HOST_IP;
use crate::jaeger::accepts::{
    is_agent_host, is_agent_port, is_config_map_key, is_dns_label, is_dns_name, is_otlp_endpoint,
    is_sampler_param, is_sampler_type, is_service_name, is_tags,
};

/// What the annotations of this project begin with.
pub const ANNOTATION_PREFIX: &str = "tracing.seldon.io/";

/// The annotation that holds the record of what was injected.
pub const RECORD: &str = "tracing.seldon.io/injected";

/// The annotation that asks the webhook for a new decision. It is a request: the webhook removes it in its answer.
pub const RESYNC: &str = "tracing.seldon.io/resync";

/// The longest text that a setting may hold, in bytes.
pub const MAX_SETTING: usize = 2048;

/// The most names in `exclude-containers`.
pub(super) const MAX_EXCLUDED: usize = 128;

/// The facts of a setting: its annotation, its key in the config file, its default, and what it accepts.
type Row = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
);

table! {
    /// A setting: something that a layer (config, profile, annotation …) can say about how to trace. In the order of the documentation.
    pub enum Setting fn row -> Row {
        /// Host that spans are sent to, or `status.hostIP` for the pod's own node.
        AgentHost = ("agent-host", "agentHost", Some(HOST_IP),
            "status.hostIP, a host name, an IPv4 address or an IPv6 address in brackets, without a port"),
        /// UDP port of the receiver there.
        AgentPort = ("agent-port", "agentPort", Some("5775"), "a port from 1 to 65535, but not 6832"),
        /// Sampler of the orchestrator.
        SamplerType = ("sampler-type", "samplerType", Some("const"),
            "const, probabilistic, ratelimiting or remote, in lower case"),
        /// Parameter of that sampler.
        SamplerParam = ("sampler-param", "samplerParam", Some("1"), "a plain decimal number such as 1 or 0.05"),
        /// Template of the orchestrator's name in Jaeger.
        ServiceName = ("service-name", "serviceName", None,
            "letters, digits, '.', '_', '-', '/', ':' and {namespace} {name} {predictor} {container} (at most 16 times), at most 2048 bytes"),
        /// Template of the tags of every span.
        Tags = ("tags", "tags", None,
            "key=value(,key=value)* with one '=' in each, and only {namespace} {name} {predictor} {container} in braces (at most 16 times)"),
        /// `ConfigMap` with a Jaeger configuration file, `NAME` or `NAME/KEY`.
        ConfigMap = ("config-map", "configMap", None, "NAME or NAME/KEY of a ConfigMap in the namespace of the model"),
        /// Host and port that `MLServer` sends spans to, by OTLP over gRPC.
        OtlpEndpoint = ("otlp-endpoint", "otlpEndpoint", None,
            "HOST:PORT without a scheme: a host name, an IPv4 address or an IPv6 address in brackets, and a port from 1 to 65535"),
        /// Names of containers that are left alone, separated by commas.
        ExcludeContainers = ("exclude-containers", "excludeContainers", None, "at most 128 names of containers, separated by commas"),
    }
}

impl Setting {
    /// The name in an annotation, behind `tracing.seldon.io/`.
    #[must_use]
    pub const fn annotation(self) -> &'static str {
        self.row().0
    }

    /// The key in the config file.
    #[must_use]
    pub const fn config_key(self) -> &'static str {
        self.row().1
    }

    /// The built-in default, which is that of Seldon's documentation
    /// (<https://docs.seldon.ai/seldon-core-1/configuration/distributed-tracing>).
    #[must_use]
    pub const fn built_in(self) -> Option<&'static str> {
        self.row().2
    }

    /// What the setting accepts, for people: it ends the sentence "… must be".
    #[must_use]
    pub const fn expected(self) -> &'static str {
        self.row().3
    }

    /// Whether that text can be used.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        if text.len() > MAX_SETTING || !text.chars().all(can_be_shown) {
            return false;
        }
        if text.is_empty() {
            // An empty text resets the setting of a weaker layer. A setting with a default always has a value.
            return self.built_in().is_none();
        }
        match self {
            Self::AgentHost => is_agent_host(text),
            Self::AgentPort => is_agent_port(text),
            Self::SamplerType => is_sampler_type(text),
            Self::SamplerParam => is_sampler_param(text),
            Self::ServiceName => sample(text).is_some_and(|text| is_service_name(&text)),
            Self::Tags => sample(text).is_some_and(|text| is_tags(&text)),
            Self::ConfigMap => ConfigMapRef::parse(text).is_some(),
            Self::OtlpEndpoint => is_otlp_endpoint(text),
            Self::ExcludeContainers => {
                excluded(text).all(is_dns_label) && excluded(text).count() <= MAX_EXCLUDED
            }
        }
    }
}

/// Whether a file of YAML can have it in plain text, so that a setting can be shown and read again
/// (<https://yaml.org/spec/1.2.2/#51-character-set>).
fn can_be_shown(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}')
}

/// The names in an `exclude-containers` text.
pub(crate) fn excluded(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
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
        (is_dns_name(name) && is_config_map_key(key)).then_some(Self { name, key })
    }
}

#[cfg(test)]
mod tests;
