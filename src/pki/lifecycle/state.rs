//! The state of the certificates that the controller sees, and the step that it takes.

use time::{Duration, OffsetDateTime};

use crate::pki::error::PkiError;

/// The longest lifetime of a CA: 1000 years. A certificate cannot name a year after 9999.
const LONGEST: Duration = Duration::days(365_000);

/// How long certificates are valid, and how long others take to notice a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// The webhook's certificate is valid for this time, and replaced when a third of it is left.
    pub(crate) leaf: Duration,
    /// The CA is valid for this time.
    pub(crate) ca: Duration,
    /// A new CA is made this time before the old one ends.
    pub(crate) ca_renewal: Duration,
    /// An API server uses a changed `caBundle` after this time at the latest.
    pub(crate) trust: Duration,
    /// A pod serves a changed certificate after this time at the latest.
    pub(crate) load: Duration,
}

impl Times {
    /// Checks that no certificate ends before it can be replaced.
    ///
    /// # Errors
    /// Two times that do not fit together.
    pub(crate) fn checked(self) -> Result<Self, PkiError> {
        if self.leaf > self.ca_renewal {
            return Err("a certificate would outlive its CA: it must not be valid for longer than the time before the end of the CA at which a new CA is made".into());
        }
        if self.ca > LONGEST {
            return Err("a CA cannot be valid for more than 1000 years".into());
        }
        if self.ca_renewal >= self.ca {
            return Err("the CA must be valid for longer than the time before its end at which a new CA is made".into());
        }
        if self.trust.is_negative()
            || self.load.is_negative()
            || self.trust + self.load > self.leaf / 3
        {
            return Err("a certificate would end before its replacement is in use: a third of its lifetime must be longer than the time that API servers and pods may take to notice a change".into());
        }
        Ok(self)
    }
}

/// The Secret of the CA; an absent key is an empty text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct CaSecret {
    /// The certificate of the CA that signs.
    pub(crate) certificate: String,
    /// Its key.
    pub(crate) key: String,
    /// The certificates of CAs that are still trusted.
    pub(crate) old: String,
}

/// The Secret of the webhook's certificate; an absent key is an empty text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct LeafSecret {
    /// The certificate, then that of its CA.
    pub(crate) chain: String,
    /// Its key.
    pub(crate) key: String,
}

/// The state that the controller sees.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) ca: &'a CaSecret,
    pub(crate) leaf: &'a LeafSecret,
    /// The `caBundle` of each of our entries. There are none before the webhook is registered.
    pub(crate) bundles: &'a [String],
    /// How long the controller has seen these.
    pub(crate) bundles_for: Duration,
    /// How long the controller has seen this certificate of the webhook.
    pub(crate) leaf_for: Duration,
}

/// A step.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write the Secret of the CA.
    Ca(CaSecret),
    /// Write the Secret of the webhook's certificate.
    Leaf(LeafSecret),
    /// Write this into each `caBundle`.
    Bundle(String),
    /// Wait for this time, unless something changes.
    Wait(Duration),
}

/// The next step, the reason for it, and when the CA and the certificate expire.
#[derive(Clone)]
pub(crate) struct Next {
    pub(crate) step: Step,
    pub(crate) why: Why,
    /// When the CA in use expires.
    pub(crate) ca_end: Option<OffsetDateTime>,
    /// When the certificate in the Secret expires, if it can be used.
    pub(crate) leaf_end: Option<OffsetDateTime>,
}

table! {
    /// The reason for a step.
    pub(crate) enum Why
    fn reason_and_text -> (&'static str, &'static str) {
        CaMissing = ("CaCreated", "made a CA, because there was none"),
        CaUnusable = ("CaReplaced", "made a new CA, because the old one or its key cannot be used"),
        CaNotValid = ("CaReplaced", "made a new CA, because the old one is not valid at this time"),
        CaEnds = ("CaRenewed", "made a new CA, because the old one ends soon"),
        OldCaInUse = ("OldCaKept", "keep the CA that has signed the certificate in use, until that is replaced"),
        OldCaReplaced = ("OldCaDropped", "dropped the old CA, because nothing uses it any more"),
        BundleDiffers = ("CaBundleWritten", "wrote caBundle of the webhook configuration"),
        LeafMissing = ("CertificateCreated", "made a certificate, because there was none"),
        LeafUnusable = ("CertificateReplaced", "made a new certificate, because the old one or its key cannot be used"),
        LeafNotValid = ("CertificateReplaced", "made a new certificate, because the old one is not valid at this time"),
        LeafOfOtherCa = ("CertificateReplaced", "made a new certificate, because another CA has signed the old one"),
        LeafOfOtherNames = ("CertificateReplaced", "made a new certificate, because the old one has other names"),
        LeafEnds = ("CertificateRenewed", "made a new certificate, because the old one ends soon"),
        Trusting = ("Waiting", "wait until all API servers trust the new CA"),
        Loading = ("Waiting", "wait until all pods serve the new certificate"),
        UpToDate = ("UpToDate", "all certificates are as they should be"),
    }
}

impl Why {
    /// The reason of an Event.
    pub(crate) const fn reason(self) -> &'static str {
        self.reason_and_text().0
    }

    /// Whether something is written.
    pub(crate) const fn is_step(self) -> bool {
        !matches!(self, Self::Trusting | Self::Loading | Self::UpToDate)
    }

    /// The message for people.
    pub(crate) const fn text(self) -> &'static str {
        self.reason_and_text().1
    }
}
