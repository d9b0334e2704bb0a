//! What to do next about the certificates of an installation: one step, from what is in its two Secrets, the `caBundle`s and the time.
//!
//! The Secrets hold all that is remembered, so whoever was ended at any step goes on with the next. On a change of the CA:
//!
//! | step | Secret of the CA | `caBundle` | certificate signed by |
//! |---|---|---|---|
//! | the new CA is made | new, and the old one without its key | old | old |
//! | both are trusted | new, old | new, old | old |
//! | after `trust`, the certificate is replaced | new, old | new, old | new |
//! | after `load`, the old CA goes | new | new, old | new |
//! | and its trust | new | new | new |
//!
//! The waits are counted from when this process first saw what is there. So no clock is compared with another, and whoever starts anew
//! waits again.

mod found;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::cmp::min;

use time::{Duration, OffsetDateTime};

use super::authority::{Authority, Pair, Purpose};
use super::error::PkiError;
use super::names::Names;
use found::{Ca, Found};

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

/// What is there.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) ca: &'a CaSecret,
    pub(crate) leaf: &'a LeafSecret,
    /// The `caBundle` of each of our entries. There are none before the webhook is registered.
    pub(crate) bundles: &'a [String],
    /// For how long they have been seen as they are.
    pub(crate) bundles_for: Duration,
    /// For how long the webhook's certificate has been seen as it is.
    pub(crate) leaf_for: Duration,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write the Secret of the CA.
    Ca(CaSecret),
    /// Write the Secret of the webhook's certificate.
    Leaf(LeafSecret),
    /// Write this into each `caBundle`.
    Bundle(String),
    /// Nothing for this time, unless something changes.
    Wait(Duration),
}

/// What is to be done, why, and when what is in use ends.
#[derive(Clone)]
pub(crate) struct Next {
    pub(crate) step: Step,
    pub(crate) why: Why,
    /// The last moment of the CA that signs.
    pub(crate) ca_end: Option<OffsetDateTime>,
    /// The last moment of the certificate in the Secret, where it can be used.
    pub(crate) leaf_end: Option<OffsetDateTime>,
}

table! {
    /// Why something is done, or nothing.
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

    /// The message for people.
    pub(crate) const fn text(self) -> &'static str {
        self.reason_and_text().1
    }
}

/// Decides the next step.
///
/// # Errors
/// If the system gives no random numbers, or a name is not valid.
pub(crate) fn next(
    seen: &Seen<'_>,
    names: &Names,
    now: OffsetDateTime,
    times: &Times,
) -> Result<Next, PkiError> {
    let found = Found::read(seen);
    let ca = Ca::read(seen.ca, now).and_then(|ca| {
        let left = ca.certificate.not_after - now;
        let lasts = left > times.ca_renewal;
        if lasts { Ok(ca) } else { Err(Why::CaEnds) }
    });
    let ca_end = ca.as_ref().ok().map(|ca| ca.certificate.not_after);
    let (step, why) = match ca {
        Ok(ca) => with_ca(seen, &found, &ca, names, now, times)?,
        Err(why) => {
            let ca = Authority::new(None, now, times.ca)?;
            let secret = CaSecret {
                certificate: ca.certificate().to_owned(),
                key: ca.key().to_owned(),
                old: found.old_of_lost(seen.ca),
            };
            (Step::Ca(secret), why)
        }
    };
    Ok(Next {
        step,
        why,
        ca_end,
        leaf_end: found.leaf.ok().map(|leaf| leaf.not_after),
    })
}

/// The same where there is a CA that can sign.
fn with_ca(
    seen: &Seen<'_>,
    found: &Found,
    ca: &Ca,
    names: &Names,
    now: OffsetDateTime,
    times: &Times,
) -> Result<(Step, Why), PkiError> {
    let keep = |old: String| {
        Step::Ca(CaSecret {
            old,
            ..seen.ca.clone()
        })
    };
    let old = found.old(seen.ca, ca);
    if old != seen.ca.old {
        return Ok((keep(old), Why::OldCaInUse));
    }
    let trust = ca.certificate.pem() + &old;
    if seen.bundles.iter().any(|bundle| *bundle != trust) {
        return Ok((Step::Bundle(trust), Why::BundleDiffers));
    }
    let Some(why) = ca.fault(found, names, now, times) else {
        if old.is_empty() {
            let due = min(
                found.leaf_due(times),
                ca.certificate.not_after - times.ca_renewal,
            );
            return Ok((Step::Wait(due - now), Why::UpToDate));
        }
        let left = times.load - seen.leaf_for;
        return Ok(if left.is_positive() {
            (Step::Wait(left), Why::Loading)
        } else {
            (keep(String::new()), Why::OldCaReplaced)
        });
    };
    let left = times.trust - seen.bundles_for;
    // Without an old CA no certificate was in use, and nobody has to learn of the new CA first.
    if left.is_positive() && !old.is_empty() && !seen.bundles.is_empty() {
        return Ok((Step::Wait(left), Why::Trusting));
    }
    let Pair { chain, key } = ca
        .authority
        .issue(names, Purpose::Server, now, times.leaf)?;
    Ok((Step::Leaf(LeafSecret { chain, key }), why))
}
