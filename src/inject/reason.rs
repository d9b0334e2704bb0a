//! Why something was or was not done: the one list that warnings, audit annotations, logs, metrics and `explain` share.

/// Defines [`Reason`] from the one table of reasons: name, code, whether it is a problem, and text.
macro_rules! reasons {
    ($($name:ident $code:literal $kind:ident $text:literal)*) => {
        /// A reason, with a code that never changes its meaning. `docs/reasons.md` says what to do about each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = concat!("`", $code, "`: ", $text, ".")] $name,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn row(self) -> (&'static str, Kind, &'static str) {
                match self {
                    $(Self::$name => ($code, Kind::$kind, $text),)*
                }
            }
        }
    };
}

/// Whether the user or the admin should act.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Note,
    /// They should. The reason is an admission warning too.
    Problem,
}

reasons! {
    BeingDeleted "being-deleted" Note "the object has a deletionTimestamp, so it is not changed"
    OtherRequest "other-request" Note "the request does not create or update a SeldonDeployment, so there is nothing to do"
    TooManyParts "too-many-parts" Problem "the object has more parts than the webhook reads, so it is not changed"
    TooManyPredictors "too-many-predictors" Problem "the object has too many predictors, so it is not changed"
    TooManyTargets "too-many-targets" Problem "the object has too many containers, or the variables for them would not fit into an object, so it is not changed"
    NoTrigger "no-trigger" Note "no tracing annotation"
    OptedOut "opted-out" Note "the tracing annotation is false"
    UnknownTriggerValue "unknown-trigger-value" Problem "the tracing annotation is neither true, false nor the name of a profile; nothing is added or removed"
    TriggerNotText "trigger-not-text" Problem "the tracing annotation is not a string (in YAML, put it in quotes); nothing is added or removed"
    MisplacedTrigger "misplaced-trigger" Problem "a tracing trigger in this place is ignored"
    NoPredictors "no-predictors" Note "the object has no predictors, so there is nothing to trace"
    TracedByHand "traced-by-hand" Note "you set the tracing variables, so nothing is added"
    PartialObject "partial-object" Problem "there is neither a graph nor a container, as in a kustomize patch, so nothing is written into it"
    NothingToTrace "nothing-to-trace" Note "nothing here can be traced"
    Injected "injected" Note "the variables were added"
    Removed "removed" Note "what was injected before was removed"
    Restored "restored" Note "spec and tracing annotations have not changed, so what was injected before is kept or put back exactly"
    Resync "resync" Note "the resync annotation asks for a new decision; the webhook removes it"
    UserSet "user-set" Note "set by you"
    Outdated "outdated" Note "the current config would inject something else; what was injected stays until the model or its annotations change"
    ByNamespace "by-namespace" Note "no tracing annotation asks for tracing, so what was injected stays only while the namespace has the label tracing=enabled"
    EnvFrom "env-from" Note "envFrom adds variables known only in the cluster; where one has the same name, the injected one wins"
    NotExpanded "not-expanded" Note "Kubernetes does not expand an injected variable in a variable that is defined before it"
    UserChanged "user-changed" Note "changed by you after the injection, so it is yours now"
    UserRemoved "user-removed" Note "removed by you from a target that keeps other injected variables, so it stays out"
    EngineAnnotation "engine-annotation" Note "set by a seldon.io/engine-... annotation"
    PairUserSet "pair-user-set" Note "you set the other variable of the pair"
    PortWithoutHost "port-without-host" Problem "you set JAEGER_AGENT_PORT without JAEGER_AGENT_HOST; no spans arrive until both are set"
    HostWithoutPort "host-without-port" Problem "you set JAEGER_AGENT_HOST without JAEGER_AGENT_PORT; each client then uses its own default port, and a Service named jaeger-agent can set a port that crashes the orchestrator"
    UserDisabled "user-disabled" Note "you turned tracing off here with TRACING=0 or JAEGER_DISABLED"
    UserEndpoint "user-endpoint" Note "JAEGER_ENDPOINT is set, so the agent's host and port are not needed"
    UserConfigPath "user-config-path" Note "you set JAEGER_CONFIG_PATH; the Python wrapper reads that file, so only TRACING is added"
    ConfigMapDecides "config-map-decides" Note "the file in the mounted ConfigMap decides the sampler"
    ConfigMapBlocked "config-map-blocked" Problem "the ConfigMap cannot be mounted here, because a volume, a mount or its path is taken or unreadable; JAEGER_CONFIG_PATH is not set"
    NotReadHere "not-read-here" Note "nothing in this target reads it"
    NoOrchestrator "no-orchestrator" Note "the annotation seldon.io/no-engine removes it"
    OwnContainer "own-container" Note "the manifest has a container with the name of the prepackaged server; that container is a target itself"
    BuiltInNode "built-in-node" Note "the node is one of Seldon's built-in units, which run inside the orchestrator"
    ServerCannotTrace "server-cannot-trace" Note "this prepackaged server does not read the tracing variables"
    ProtocolCannotTrace "protocol-cannot-trace" Note "with this spec.protocol, the prepackaged server does not read the tracing variables"
    NeedsOtlpEndpoint "needs-otlp-endpoint" Note "MLServer traces by OTLP only; nothing is added until otlp-endpoint is set"
    OwnMlserver "own-mlserver" Note "with this spec.protocol the image probably runs MLServer, which does not read the variables"
    ExplainerWithoutType "explainer-without-type" Note "Seldon runs no explainer without a type"
    ExplainerWithoutContainer "explainer-without-container" Note "without a containerSpec, Seldon runs an image that does not trace"
    ExplainerOverwritten "explainer-overwritten" Note "with protocol v2 or kfserving, Seldon replaces the explainer's env"
    TargetSwitchedOff "target-switched-off" Note "the config switches this kind of target off"
    Excluded "excluded" Note "named by exclude-containers"
    ExcludedUnknown "excluded-unknown" Problem "the setting exclude-containers names a container that does not exist"
    OddType "odd-type" Problem "the type is wrong here, so the value is neither read nor changed"
    GraphTooDeep "graph-too-deep" Problem "the graph is nested too deeply, so its prepackaged servers are not traced"
    BadSetting "bad-setting" Problem "the setting is not valid and is ignored"
    BadSamplerPair "bad-sampler-pair" Problem "sampler type and parameter do not go together, so the setting is ignored"
    UnknownSetting "unknown-setting" Problem "there is no setting of that name"
    TemplateUnresolved "template-unresolved" Problem "a placeholder of the template has no value here, so the variable is not set"
    CrashingValue "crashing-value" Problem "the value crashes the process that reads it; it is yours, so it stays"
    RecordUnreadable "record-unreadable" Problem "the record of what was injected is damaged, forged or written by a newer version, so it is ignored"
    RecordTooLarge "record-too-large" Problem "the record of what is injected does not fit into an annotation, so nothing is injected"
}

impl Reason {
    /// The stable code, in kebab case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().0
    }

    /// One line for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.row().2
    }

    /// Whether the user or the admin should do something about it.
    #[must_use]
    pub const fn is_problem(self) -> bool {
        matches!(self.row().1, Kind::Problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_distinct() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        for code in &codes {
            let mut bytes = code.bytes();
            let is_kebab = bytes.all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(is_kebab, "{code}");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
