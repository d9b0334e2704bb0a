//! The variables that we may write. Listed here without the engine, so that the lists can check each other.

/// All of them, in their order.
pub(crate) const OURS: [&str; 9] = [
    "TRACING",
    "JAEGER_AGENT_HOST",
    "JAEGER_AGENT_PORT",
    "JAEGER_SAMPLER_TYPE",
    "JAEGER_SAMPLER_PARAM",
    "JAEGER_SERVICE_NAME",
    "JAEGER_TAGS",
    "JAEGER_CONFIG_PATH",
    "MLSERVER_TRACING_SERVER",
];

/// The five of Seldon's documentation. A container without tracing variables gets these by default.
pub(crate) const FIVE: [&str; 5] = [OURS[0], OURS[1], OURS[2], OURS[3], OURS[4]];
