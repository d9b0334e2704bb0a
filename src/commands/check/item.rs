//! The list of the checks, and what each of them can come to.

use crate::cluster::ask::{Answer, Asked};

/// The section, the code in JSON, and the name for people.
type Row = (Section, &'static str, &'static str);

/// The heading of a group of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Cluster,
    Installation,
    Pods,
    Webhook,
    Certificates,
    Models,
}

impl Section {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Cluster => ("cluster", "Cluster"),
            Self::Installation => ("installation", "Before the installation"),
            Self::Pods => ("pods", "Pods"),
            Self::Webhook => ("webhook", "Webhook configuration"),
            Self::Certificates => ("certificates", "Certificates"),
            Self::Models => ("models", "Models"),
        }
    }

    pub(super) const fn code(self) -> &'static str {
        self.names().0
    }

    pub(super) const fn title(self) -> &'static str {
        self.names().1
    }
}

/// A check. `docs/check.md` describes each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    ApiServer,
    Seldon,
    AdmissionApi,
    Rights,
    Leftovers,
    Namespace,
    Config,
    Pods,
    Version,
    Service,
    Controller,
    Entries,
    Calls,
    Trigger,
    FailurePolicy,
    OtherWebhooks,
    CaBundle,
    Certificate,
    Expiry,
    Namespaces,
    DryRun,
    Receivers,
}

impl Item {
    const fn row(self) -> Row {
        match self {
            Self::ApiServer => (Section::Cluster, "api-server", "API server"),
            Self::Seldon => (Section::Cluster, "seldon", "Seldon Core"),
            Self::AdmissionApi => (Section::Installation, "admission-api", "admission webhooks"),
            Self::Rights => (Section::Installation, "rights", "your rights"),
            Self::Leftovers => (Section::Installation, "leftovers", "earlier installations"),
            Self::Namespace => (Section::Pods, "namespace", "namespace"),
            Self::Config => (Section::Pods, "config", "config"),
            Self::Pods => (Section::Pods, "pods", "pods"),
            Self::Version => (Section::Pods, "version", "version"),
            Self::Service => (Section::Pods, "service", "Service"),
            Self::Controller => (Section::Pods, "controller", "controller"),
            Self::Entries => (Section::Webhook, "entries", "entries"),
            Self::Calls => (Section::Webhook, "calls", "calls"),
            Self::Trigger => (Section::Webhook, "trigger", "trigger"),
            Self::FailurePolicy => (Section::Webhook, "failure-policy", "failurePolicy"),
            Self::OtherWebhooks => (Section::Webhook, "other-webhooks", "other webhooks"),
            Self::CaBundle => (Section::Certificates, "ca-bundle", "caBundle"),
            Self::Certificate => (Section::Certificates, "certificate", "certificate"),
            Self::Expiry => (Section::Certificates, "expiry", "expiry"),
            Self::Namespaces => (Section::Models, "namespaces", "namespaces"),
            Self::DryRun => (Section::Models, "dry-run", "dry run"),
            Self::Receivers => (Section::Models, "receivers", "receivers"),
        }
    }

    pub(super) const fn section(self) -> Section {
        self.row().0
    }

    pub(super) const fn code(self) -> &'static str {
        self.row().1
    }

    pub(super) const fn name(self) -> &'static str {
        self.row().2
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Wrong,
    Warning,
    NotChecked,
}

impl Verdict {
    const fn code_and_sign(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("good", "✓"),
            Self::Wrong => ("wrong", "✗"),
            Self::Warning => ("warning", "‼"),
            Self::NotChecked => ("not-checked", "-"),
        }
    }

    pub(super) const fn code(self) -> &'static str {
        self.code_and_sign().0
    }

    pub(super) const fn sign(self) -> &'static str {
        self.code_and_sign().1
    }
}

/// What was found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) text: String,
    /// Empty where there is nothing to do.
    pub(super) advice: String,
}

impl Finding {
    fn new(verdict: Verdict, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            verdict,
            text: text.into(),
            advice: advice.into(),
        }
    }

    pub(super) fn good(text: impl Into<String>) -> Self {
        Self::new(Verdict::Good, text, "")
    }

    pub(super) fn wrong(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Verdict::Wrong, text, advice)
    }

    pub(super) fn warning(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, text, advice)
    }

    pub(super) fn not_checked(why: impl Into<String>) -> Self {
        Self::new(Verdict::NotChecked, why, "")
    }
}

/// What a check came to. An error ends it early; it is a finding too.
pub(super) type Checked = Result<Finding, Finding>;

/// What was asked for; otherwise the finding of a check that needs it. `absent` is that finding if it does not exist.
pub(super) fn need<T>(asked: &Asked<T>, absent: impl FnOnce() -> Finding) -> Result<&T, Finding> {
    match &asked.answer {
        Answer::Found(found) => Ok(found),
        Answer::Absent => Err(absent()),
        Answer::Forbidden => Err(Finding::not_checked(format!(
            "no permission to {}",
            asked.what
        ))),
        Answer::Failed(why) => Err(Finding::wrong(
            format!("cannot {}: {why}", asked.what),
            "Try again; if it stays, look at the log of the API server.",
        )),
    }
}
