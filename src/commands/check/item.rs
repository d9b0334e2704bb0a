//! The list of the checks, and their possible results.

use crate::cluster::ask::Asked;
use crate::cluster::failure::{Failure, Why};

/// The heading of a group of checks: its code in JSON, and its title.
type Section = (&'static str, &'static str);

const CLUSTER: Section = ("cluster", "Cluster");
const INSTALLATION: Section = ("installation", "Before the installation");
const PODS: Section = ("pods", "Pods");
const WEBHOOK: Section = ("webhook", "Webhook configuration");
const CERTIFICATES: Section = ("certificates", "Certificates");
const MODELS: Section = ("models", "Models");

table! {
    /// A check. `docs/check.md` describes each of them.
    pub(super) enum Item
    /// Its section, its code in JSON, and its name for people.
    fn row -> (Section, &'static str, &'static str) {
        ApiServer = (CLUSTER, "api-server", "API server"),
        Seldon = (CLUSTER, "seldon", "Seldon Core"),
        AdmissionApi = (INSTALLATION, "admission-api", "admission webhooks"),
        Rights = (INSTALLATION, "rights", "your rights"),
        Leftovers = (INSTALLATION, "leftovers", "earlier installations"),
        Namespace = (PODS, "namespace", "namespace"),
        Config = (PODS, "config", "config"),
        Pods = (PODS, "pods", "pods"),
        Version = (PODS, "version", "version"),
        Service = (PODS, "service", "Service"),
        Controller = (PODS, "controller", "controller"),
        Entries = (WEBHOOK, "entries", "entries"),
        Calls = (WEBHOOK, "calls", "calls"),
        Trigger = (WEBHOOK, "trigger", "trigger"),
        FailurePolicy = (WEBHOOK, "failure-policy", "failurePolicy"),
        OtherWebhooks = (WEBHOOK, "other-webhooks", "other webhooks"),
        CaBundle = (CERTIFICATES, "ca-bundle", "caBundle"),
        Certificate = (CERTIFICATES, "certificate", "certificate"),
        Expiry = (CERTIFICATES, "expiry", "expiry"),
        Namespaces = (MODELS, "namespaces", "namespaces"),
        DryRun = (MODELS, "dry-run", "dry run"),
        Receivers = (MODELS, "receivers", "receivers"),
    }
}

impl Item {
    pub(super) const fn section(self) -> Section {
        self.row().0
    }

    /// Its code in JSON.
    pub(super) const fn code(self) -> &'static str {
        self.row().1
    }

    /// Its name for people.
    pub(super) const fn name(self) -> &'static str {
        self.row().2
    }
}

table! {
    /// The result of a check.
    pub(super) enum Verdict
    /// Its code in JSON, its sign, and its word in the summary.
    pub(super) fn row -> (&'static str, &'static str, &'static str) {
        Good = ("good", "✓", "good"),
        Wrong = ("wrong", "✗", "wrong"),
        Warning = ("warning", "‼", "warning"),
        NotChecked = ("not-checked", "-", "not checked"),
    }
}

/// The result of a check, and how to fix a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) text: String,
    /// How to fix it; empty if there is nothing to fix.
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

/// The finding of a check. An error ends the check early; it is a finding too.
pub(super) type Checked = Result<Finding, Finding>;

/// The object that was read; otherwise the finding of a check that needs it. `absent` is that finding if it does not exist.
pub(super) fn need<T>(asked: &Asked<T>, absent: impl FnOnce() -> Finding) -> Result<&T, Finding> {
    asked.as_ref().map_err(|failure| match failure.why {
        Why::NotFound | Why::NotServed => absent(),
        Why::Forbidden => Finding::not_checked(format!("no permission to {}", failure.doing)),
        _ => Finding::wrong(
            format!("cannot {}: {}", failure.doing, failure.said),
            "Try again; if it fails again, see the log of the API server.",
        ),
    })
}

/// Whether something does not exist.
pub(super) fn is_absent<T>(asked: &Asked<T>) -> bool {
    asked.as_ref().is_err_and(Failure::is_absence)
}
