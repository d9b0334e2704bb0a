//! Why something was or was not done: the one list that warnings, audit annotations, logs, metrics and `explain` share.

/// A reason, with a code that never changes its meaning. `docs/reasons.md` says what to do about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// `being-deleted`: the object has a `deletionTimestamp`: it is never touched.
    BeingDeleted,
    /// `other-request`: the request is not to create or update a `SeldonDeployment`: there is nothing to do.
    OtherRequest,
    /// `too-many-parts`: the object has more parts than a webhook reads: it is left as it is.
    TooManyParts,
    /// `too-many-predictors`: the object has more predictors than are looked at: it is left as it is.
    TooManyPredictors,
    /// `too-many-targets`: the object has more containers than are looked at, or the variables for it would take more room than an object has: it is left as it is.
    TooManyTargets,
    /// `no-trigger`: no tracing annotation asks for tracing.
    NoTrigger,
    /// `opted-out`: the tracing annotation is false.
    OptedOut,
    /// `unknown-trigger-value`: the tracing annotation is neither true, false nor the name of a profile: what is there stays, nothing is added.
    UnknownTriggerValue,
    /// `trigger-not-text`: the tracing annotation is not a string (in YAML, write it in quotes): what is there stays, nothing is added.
    TriggerNotText,
    /// `injected`: the variables were added.
    Injected,
    /// `removed`: what had been injected was taken out.
    Removed,
    /// `restored`: spec and tracing annotations are as before: what was injected before is kept or put back exactly.
    Restored,
    /// `user-set`: the user set this variable: it stays as it is.
    UserSet,
    /// `env-from`: envFrom brings variables that only the cluster knows: where one has a name of ours, ours wins.
    EnvFrom,
    /// `user-changed`: the user changed this variable after it was injected: it is the user's now.
    UserChanged,
    /// `user-removed`: the user took this variable out of a target that has others of ours: it stays out.
    UserRemoved,
    /// `engine-annotation`: a seldon.io/engine-... annotation sets this variable of the orchestrator.
    EngineAnnotation,
    /// `pair-user-set`: its other half is the user's, and the pair is set both or not at all.
    PairUserSet,
    /// `port-without-host`: `JAEGER_AGENT_PORT` is set by hand without `JAEGER_AGENT_HOST`: the spans go nowhere until both are set.
    PortWithoutHost,
    /// `host-without-port`: `JAEGER_AGENT_HOST` is set by hand without `JAEGER_AGENT_PORT`: each client has a port of its own then, and a Service named jaeger-agent can set one that ends the orchestrator.
    HostWithoutPort,
    /// `user-disabled`: the user turned tracing off here by `TRACING=0` or `JAEGER_DISABLED`: the target is left alone.
    UserDisabled,
    /// `user-endpoint`: `JAEGER_ENDPOINT` is set: the agent's host and port are not needed.
    UserEndpoint,
    /// `user-config-path`: `JAEGER_CONFIG_PATH` is the user's: the Python wrapper reads that file, so only TRACING is added.
    UserConfigPath,
    /// `config-map-decides`: the mounted Jaeger configuration decides the sampler; agent host and port are its fallback.
    ConfigMapDecides,
    /// `config-map-blocked`: the `ConfigMap` cannot be mounted here because a volume, a mount or its path is taken or unreadable: `JAEGER_CONFIG_PATH` is not set.
    ConfigMapBlocked,
    /// `not-read-here`: nothing in this kind of target reads the variable.
    NotReadHere,
    /// `no-orchestrator`: seldon.io/no-engine: the predictor has no orchestrator.
    NoOrchestrator,
    /// `own-container`: the prepackaged server has a container of its name in the manifest, which is a target itself.
    OwnContainer,
    /// `built-in-node`: the node is one of Seldon's built-in units, which run inside the orchestrator.
    BuiltInNode,
    /// `server-cannot-trace`: this prepackaged server does not read the tracing variables.
    ServerCannotTrace,
    /// `protocol-cannot-trace`: with this spec.protocol the prepackaged server does not read the tracing variables.
    ProtocolCannotTrace,
    /// `needs-otlp-endpoint`: `MLServer` traces by OTLP only: nothing is added until otlp-endpoint says where to.
    NeedsOtlpEndpoint,
    /// `explainer-without-type`: Seldon runs no explainer without a type.
    ExplainerWithoutType,
    /// `explainer-without-container`: without a containerSpec Seldon runs an image that does not trace.
    ExplainerWithoutContainer,
    /// `explainer-overwritten`: with protocol v2 or kfserving Seldon replaces the explainer's env.
    ExplainerOverwritten,
    /// `target-switched-off`: this kind of target is switched off in the config.
    TargetSwitchedOff,
    /// `excluded`: exclude-containers names it.
    Excluded,
    /// `excluded-unknown`: exclude-containers names a container that is not there.
    ExcludedUnknown,
    /// `odd-type`: this part is not of the type that the resource has there: it is left as it is, and so is what is in it.
    OddType,
    /// `graph-too-deep`: the graph is nested too deeply to be read: its prepackaged servers are not traced.
    GraphTooDeep,
    /// `bad-setting`: the setting is not usable and was ignored.
    BadSetting,
    /// `bad-sampler-pair`: sampler type and parameter do not go together: the setting was ignored.
    BadSamplerPair,
    /// `unknown-setting`: there is no setting of that name.
    UnknownSetting,
    /// `template-unresolved`: a placeholder of the template has no value here: the variable is not set.
    TemplateUnresolved,
    /// `crashing-value`: the value is known to end the container's process; it is the user's and stays.
    CrashingValue,
    /// `record-unreadable`: the record of what was injected is damaged, forged or of a newer version: it is ignored.
    RecordUnreadable,
    /// `record-too-large`: the record of what is injected would be or is too large for an annotation: nothing was injected.
    RecordTooLarge,
}

impl Reason {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::BeingDeleted,
        Self::OtherRequest,
        Self::TooManyParts,
        Self::TooManyPredictors,
        Self::TooManyTargets,
        Self::NoTrigger,
        Self::OptedOut,
        Self::UnknownTriggerValue,
        Self::TriggerNotText,
        Self::Injected,
        Self::Removed,
        Self::Restored,
        Self::UserSet,
        Self::EnvFrom,
        Self::UserChanged,
        Self::UserRemoved,
        Self::EngineAnnotation,
        Self::PairUserSet,
        Self::PortWithoutHost,
        Self::HostWithoutPort,
        Self::UserDisabled,
        Self::UserEndpoint,
        Self::UserConfigPath,
        Self::ConfigMapDecides,
        Self::ConfigMapBlocked,
        Self::NotReadHere,
        Self::NoOrchestrator,
        Self::OwnContainer,
        Self::BuiltInNode,
        Self::ServerCannotTrace,
        Self::ProtocolCannotTrace,
        Self::NeedsOtlpEndpoint,
        Self::ExplainerWithoutType,
        Self::ExplainerWithoutContainer,
        Self::ExplainerOverwritten,
        Self::TargetSwitchedOff,
        Self::Excluded,
        Self::ExcludedUnknown,
        Self::OddType,
        Self::GraphTooDeep,
        Self::BadSetting,
        Self::BadSamplerPair,
        Self::UnknownSetting,
        Self::TemplateUnresolved,
        Self::CrashingValue,
        Self::RecordUnreadable,
        Self::RecordTooLarge,
    ];

    /// The stable code, in kebab case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BeingDeleted => "being-deleted",
            Self::OtherRequest => "other-request",
            Self::TooManyParts => "too-many-parts",
            Self::TooManyPredictors => "too-many-predictors",
            Self::TooManyTargets => "too-many-targets",
            Self::NoTrigger => "no-trigger",
            Self::OptedOut => "opted-out",
            Self::UnknownTriggerValue => "unknown-trigger-value",
            Self::TriggerNotText => "trigger-not-text",
            Self::Injected => "injected",
            Self::Removed => "removed",
            Self::Restored => "restored",
            Self::UserSet => "user-set",
            Self::EnvFrom => "env-from",
            Self::UserChanged => "user-changed",
            Self::UserRemoved => "user-removed",
            Self::EngineAnnotation => "engine-annotation",
            Self::PairUserSet => "pair-user-set",
            Self::PortWithoutHost => "port-without-host",
            Self::HostWithoutPort => "host-without-port",
            Self::UserDisabled => "user-disabled",
            Self::UserEndpoint => "user-endpoint",
            Self::UserConfigPath => "user-config-path",
            Self::ConfigMapDecides => "config-map-decides",
            Self::ConfigMapBlocked => "config-map-blocked",
            Self::NotReadHere => "not-read-here",
            Self::NoOrchestrator => "no-orchestrator",
            Self::OwnContainer => "own-container",
            Self::BuiltInNode => "built-in-node",
            Self::ServerCannotTrace => "server-cannot-trace",
            Self::ProtocolCannotTrace => "protocol-cannot-trace",
            Self::NeedsOtlpEndpoint => "needs-otlp-endpoint",
            Self::ExplainerWithoutType => "explainer-without-type",
            Self::ExplainerWithoutContainer => "explainer-without-container",
            Self::ExplainerOverwritten => "explainer-overwritten",
            Self::TargetSwitchedOff => "target-switched-off",
            Self::Excluded => "excluded",
            Self::ExcludedUnknown => "excluded-unknown",
            Self::OddType => "odd-type",
            Self::GraphTooDeep => "graph-too-deep",
            Self::BadSetting => "bad-setting",
            Self::BadSamplerPair => "bad-sampler-pair",
            Self::UnknownSetting => "unknown-setting",
            Self::TemplateUnresolved => "template-unresolved",
            Self::CrashingValue => "crashing-value",
            Self::RecordUnreadable => "record-unreadable",
            Self::RecordTooLarge => "record-too-large",
        }
    }

    /// One line for people.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "a list of texts, one for each reason"
    )]
    pub const fn text(self) -> &'static str {
        match self {
            Self::BeingDeleted => "the object has a deletionTimestamp: it is never touched",
            Self::OtherRequest => {
                "the request is not to create or update a SeldonDeployment: there is nothing to do"
            }
            Self::TooManyParts => {
                "the object has more parts than a webhook reads: it is left as it is"
            }
            Self::TooManyPredictors => {
                "the object has more predictors than are looked at: it is left as it is"
            }
            Self::TooManyTargets => {
                "the object has more containers than are looked at, or the variables for it would take more room than an object has: it is left as it is"
            }
            Self::NoTrigger => "no tracing annotation asks for tracing",
            Self::OptedOut => "the tracing annotation is false",
            Self::UnknownTriggerValue => {
                "the tracing annotation is neither true, false nor the name of a profile: what is there stays, nothing is added"
            }
            Self::TriggerNotText => {
                "the tracing annotation is not a string (in YAML, write it in quotes): what is there stays, nothing is added"
            }
            Self::Injected => "the variables were added",
            Self::Removed => "what had been injected was taken out",
            Self::Restored => {
                "spec and tracing annotations are as before: what was injected before is kept or put back exactly"
            }
            Self::UserSet => "the user set this variable: it stays as it is",
            Self::EnvFrom => {
                "envFrom brings variables that only the cluster knows: where one has a name of ours, ours wins"
            }
            Self::UserChanged => {
                "the user changed this variable after it was injected: it is the user's now"
            }
            Self::UserRemoved => {
                "the user took this variable out of a target that has others of ours: it stays out"
            }
            Self::EngineAnnotation => {
                "a seldon.io/engine-... annotation sets this variable of the orchestrator"
            }
            Self::PairUserSet => {
                "its other half is the user's, and the pair is set both or not at all"
            }
            Self::PortWithoutHost => {
                "JAEGER_AGENT_PORT is set by hand without JAEGER_AGENT_HOST: the spans go nowhere until both are set"
            }
            Self::HostWithoutPort => {
                "JAEGER_AGENT_HOST is set by hand without JAEGER_AGENT_PORT: each client has a port of its own then, and a Service named jaeger-agent can set one that ends the orchestrator"
            }
            Self::UserDisabled => {
                "the user turned tracing off here by TRACING=0 or JAEGER_DISABLED: the target is left alone"
            }
            Self::UserEndpoint => {
                "JAEGER_ENDPOINT is set: the agent's host and port are not needed"
            }
            Self::UserConfigPath => {
                "JAEGER_CONFIG_PATH is the user's: the Python wrapper reads that file, so only TRACING is added"
            }
            Self::ConfigMapDecides => {
                "the mounted file decides the sampler (see docs/annotations.md); agent host and port are its fallback"
            }
            Self::ConfigMapBlocked => {
                "the ConfigMap cannot be mounted here because a volume, a mount or its path is taken or unreadable: JAEGER_CONFIG_PATH is not set"
            }
            Self::NotReadHere => "nothing in this kind of target reads the variable",
            Self::NoOrchestrator => {
                "the annotation seldon.io/no-engine says that the predictor has no orchestrator"
            }
            Self::OwnContainer => {
                "the prepackaged server has a container of its name in the manifest, which is a target itself"
            }
            Self::BuiltInNode => {
                "the node is one of Seldon's built-in units, which run inside the orchestrator"
            }
            Self::ServerCannotTrace => {
                "this prepackaged server does not read the tracing variables"
            }
            Self::ProtocolCannotTrace => {
                "with this spec.protocol the prepackaged server does not read the tracing variables"
            }
            Self::NeedsOtlpEndpoint => {
                "MLServer traces by OTLP only: nothing is added until the setting otlp-endpoint says where to"
            }
            Self::ExplainerWithoutType => "Seldon runs no explainer without a type",
            Self::ExplainerWithoutContainer => {
                "without a containerSpec Seldon runs an image that does not trace"
            }
            Self::ExplainerOverwritten => {
                "with protocol v2 or kfserving Seldon replaces the explainer's env"
            }
            Self::TargetSwitchedOff => "this kind of target is switched off in the config",
            Self::Excluded => "the setting exclude-containers names it",
            Self::ExcludedUnknown => {
                "the setting exclude-containers names a container that is not there"
            }
            Self::OddType => {
                "this part is not of the type that the resource has there: it is left as it is, and so is what is in it"
            }
            Self::GraphTooDeep => {
                "the graph is nested too deeply to be read: its prepackaged servers are not traced"
            }
            Self::BadSetting => "the setting is not usable and was ignored",
            Self::BadSamplerPair => {
                "sampler type and parameter do not go together: the setting was ignored"
            }
            Self::UnknownSetting => "there is no setting of that name",
            Self::TemplateUnresolved => {
                "a placeholder of the template has no value here: the variable is not set"
            }
            Self::CrashingValue => {
                "the value is known to end the container's process; it is the user's and stays"
            }
            Self::RecordUnreadable => {
                "the record of what was injected is damaged, forged or of a newer version: it is ignored"
            }
            Self::RecordTooLarge => {
                "the record of what is injected would be or is too large for an annotation: nothing was injected"
            }
        }
    }

    /// Whether somebody should do something about it; then it is an admission warning too.
    #[must_use]
    pub const fn is_problem(self) -> bool {
        matches!(
            self,
            Self::TooManyParts
                | Self::TooManyPredictors
                | Self::TooManyTargets
                | Self::UnknownTriggerValue
                | Self::TriggerNotText
                | Self::PortWithoutHost
                | Self::HostWithoutPort
                | Self::ConfigMapBlocked
                | Self::ExcludedUnknown
                | Self::OddType
                | Self::GraphTooDeep
                | Self::BadSetting
                | Self::BadSamplerPair
                | Self::UnknownSetting
                | Self::TemplateUnresolved
                | Self::CrashingValue
                | Self::RecordUnreadable
                | Self::RecordTooLarge
        )
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_distinct() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        for code in &codes {
            assert!(
                code.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{code}"
            );
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
