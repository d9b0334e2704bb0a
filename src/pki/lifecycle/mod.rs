//! Decides the next step for the certificates of an installation, from its two Secrets, the `caBundle`s and the time.
//!
//! All state is in the Secrets, so a controller that stops at any step continues with the next. A change of the CA takes these steps:
//!
//! | step | Secret of the CA | `caBundle` | certificate signed by |
//! |---|---|---|---|
//! | the new CA is made | new, and the old one without its key | old | old |
//! | both are trusted | new, old | new, old | old |
//! | after `trust`, the certificate is replaced | new, old | new, old | new |
//! | after `load`, the old CA goes | new | new, old | new |
//! | and its trust | new | new | new |
//!
//! A wait begins when this process first sees the current contents. So clocks of different machines are never compared, and a controller
//! that restarts waits again.

mod found;
mod state;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::cmp::min;

use time::OffsetDateTime;

use super::authority::{Authority, Pair, Purpose};
use super::error::PkiError;
use super::names::Names;
use found::{Ca, Found};
pub(crate) use state::{CaSecret, LeafSecret, Next, Seen, Step, Times, Why};

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

/// The next step if there is a CA that can sign.
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
    // Without an old CA, no certificate was in use, so no API server must trust the new CA first.
    if left.is_positive() && !old.is_empty() && !seen.bundles.is_empty() {
        return Ok((Step::Wait(left), Why::Trusting));
    }
    let Pair { chain, key } = ca
        .authority
        .issue(names, Purpose::Server, now, times.leaf)?;
    Ok((Step::Leaf(LeafSecret { chain, key }), why))
}
