//! The environment variables that this project may write, in the order in which it writes them.

use std::borrow::Cow;

table! {
    /// A variable that may be injected, in the order in which they are written. The first five are the ones of
    /// [Seldon's tracing page](https://docs.seldon.ai/seldon-core-1/configuration/distributed-tracing), in its order.
    pub enum Variable
    /// The name in the container's environment.
    pub fn name -> &'static str {
        /// `TRACING`: an integer to Seldon's Python wrapper, which turns tracing on for anything but 0.
        Tracing = "TRACING",
        /// `JAEGER_AGENT_HOST`: where spans are sent, by UDP.
        AgentHost = "JAEGER_AGENT_HOST",
        /// `JAEGER_AGENT_PORT`: the UDP port there.
        AgentPort = "JAEGER_AGENT_PORT",
        /// `JAEGER_SAMPLER_TYPE`: read by the orchestrator.
        SamplerType = "JAEGER_SAMPLER_TYPE",
        /// `JAEGER_SAMPLER_PARAM`: read by the orchestrator.
        SamplerParam = "JAEGER_SAMPLER_PARAM",
        /// `JAEGER_SERVICE_NAME`: the name of the orchestrator in Jaeger; the Python wrapper does not read it.
        ServiceName = "JAEGER_SERVICE_NAME",
        /// `JAEGER_TAGS`: tags of every span of the process.
        Tags = "JAEGER_TAGS",
        /// `JAEGER_CONFIG_PATH`: a Jaeger configuration file for the Python wrapper.
        ConfigPath = "JAEGER_CONFIG_PATH",
        /// `MLSERVER_TRACING_SERVER`: where `MLServer` sends its spans, by OTLP over gRPC. It reads none of the others.
        OtlpEndpoint = "MLSERVER_TRACING_SERVER",
    }
}

impl Variable {
    /// The variable of that name, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        // Most variables of a container have nothing to do with tracing.
        if !is_read_by_tracing(name) {
            return None;
        }
        Self::ALL
            .into_iter()
            .find(|variable| variable.name() == name)
    }

    /// The other half, for the pairs that are set both or not at all.
    #[must_use]
    pub const fn pair(self) -> Option<Self> {
        match self {
            Self::AgentHost => Some(Self::AgentPort),
            Self::AgentPort => Some(Self::AgentHost),
            Self::SamplerType => Some(Self::SamplerParam),
            Self::SamplerParam => Some(Self::SamplerType),
            _ => None,
        }
    }
}

/// Whether a variable of that name is read by a Jaeger client, by Seldon's tracing or by that of `MLServer`.
pub(crate) fn is_read_by_tracing(name: &str) -> bool {
    name == "TRACING" || name.starts_with("JAEGER_") || name == "MLSERVER_TRACING_SERVER"
}

/// What an injected variable is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue<'a> {
    /// `value: …`
    Literal(Cow<'a, str>),
    /// `valueFrom: {fieldRef: {fieldPath: status.hostIP}}`: the address of the node that the pod runs on.
    HostIp,
}

/// The one field path that is ever written, and the spelling of it in settings.
pub const HOST_IP: &str = "status.hostIP";

impl EnvValue<'_> {
    /// The value as settings and tables spell it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Literal(text) => text,
            Self::HostIp => HOST_IP,
        }
    }
}

/// One slot for each variable, without allocating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerVariable<T>([T; Variable::COUNT]);

impl<T: Default> Default for PerVariable<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| T::default()))
    }
}

impl<T> PerVariable<T> {
    /// The slot of a variable.
    #[must_use]
    pub fn get(&self, variable: Variable) -> &T {
        &self.0[variable as usize]
    }

    /// The slot of a variable, to write.
    pub fn get_mut(&mut self, variable: Variable) -> &mut T {
        &mut self.0[variable as usize]
    }

    /// Every variable with its slot, in writing order.
    pub fn iter(&self) -> impl Iterator<Item = (Variable, &T)> {
        Variable::ALL.into_iter().zip(&self.0)
    }
}

/// The variables and values that one target gets; a hole is a variable that it does not get.
pub type EnvSet<'a> = PerVariable<Option<EnvValue<'a>>>;

impl<'a> EnvSet<'a> {
    /// Those that are there, in writing order.
    pub fn entries(&self) -> impl Iterator<Item = (Variable, &EnvValue<'a>)> {
        self.iter()
            .filter_map(|(variable, value)| Some((variable, value.as_ref()?)))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().next().is_none()
    }
}
