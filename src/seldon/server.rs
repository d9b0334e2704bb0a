//! What Seldon runs for a node of the graph (<https://docs.seldon.ai/seldon-core-1/configuration/servers>).

/// What runs for a node with a prepackaged server, as far as tracing is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// Seldon's Python wrapper, which reads the variables of Jaeger.
    Wrapper,
    /// `MLServer`, which sends OTLP.
    MlServer,
    /// A server that traces by no variable.
    CannotTrace,
    /// A server that reads no tracing variable with this protocol.
    CannotTraceByProtocol,
}

impl Runtime {
    /// By the table of Seldon's servers. An `implementation` that Seldon does not know is a server that the cluster's admin configured. It
    /// most often runs the same software as Seldon's own servers.
    pub(crate) fn of(implementation: &str, protocol: Option<&str>) -> Self {
        let is_seldon = matches!(protocol, None | Some("" | "seldon"));
        match implementation {
            "TRITON_SERVER" => Self::CannotTrace,
            "TENSORFLOW_SERVER" if !is_seldon => Self::CannotTraceByProtocol,
            _ if speaks_v2(protocol) => Self::MlServer,
            "HUGGINGFACE_SERVER" | "TEMPO_SERVER" => Self::CannotTrace,
            _ if is_seldon => Self::Wrapper,
            _ => Self::CannotTraceByProtocol,
        }
    }
}

/// Whether the protocol is that of `MLServer`; kfserving is its older name.
pub(crate) fn speaks_v2(protocol: Option<&str>) -> bool {
    matches!(protocol, Some("v2" | "kfserving"))
}

/// Whether a node is one of the units that the orchestrator runs in its own process.
pub(crate) fn is_built_in(implementation: &str) -> bool {
    matches!(
        implementation,
        "SIMPLE_MODEL"
            | "SIMPLE_ROUTER"
            | "RANDOM_ABTEST"
            | "AVERAGE_COMBINER"
            | "UNKNOWN_IMPLEMENTATION"
    )
}
