//! Parses the contents of the two Secrets and of `caBundle`.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::state::{CaSecret, LeafSecret, Seen, Times, Why};
use crate::pki::authority::{Authority, key_of};
use crate::pki::names::Names;
use crate::pki::read::{Certificate, read_certificates};

/// How many old CAs stay trusted besides the CA in use. There is more than one only if the CA was lost several times in a row.
const MOST_OLD: usize = 7;

/// A CA that can sign.
pub(super) struct Ca {
    pub(super) authority: Authority,
    pub(super) certificate: Certificate,
}

/// The certificates that are in use.
pub(super) struct Found {
    /// The webhook's certificate, or why there is none.
    pub(super) leaf: Result<Certificate, Why>,
    /// The CAs in any `caBundle`.
    trusted: Vec<Certificate>,
}

impl Ca {
    pub(super) fn read(secret: &CaSecret, now: OffsetDateTime) -> Result<Self, Why> {
        if is_empty(&secret.certificate) && is_empty(&secret.key) {
            return Err(Why::CaMissing);
        }
        let authority = Authority::load(&secret.certificate, &secret.key);
        let authority = authority.map_err(|_| Why::CaUnusable)?;
        let certificate = authorities(&secret.certificate).into_iter().next();
        let certificate = certificate.ok_or(Why::CaUnusable)?;
        if !certificate.validity(now).is_valid() {
            return Err(Why::CaNotValid);
        }
        Ok(Self {
            authority,
            certificate,
        })
    }

    /// Why the webhook's certificate is to be replaced.
    pub(super) fn fault(
        &self,
        found: &Found,
        names: &Names,
        now: OffsetDateTime,
        times: &Times,
    ) -> Option<Why> {
        let leaf = match &found.leaf {
            Ok(leaf) => leaf,
            Err(why) => return Some(*why),
        };
        if !leaf.is_signed_by(&self.certificate) {
            return Some(Why::LeafOfOtherCa);
        }
        let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
        if set(&leaf.dns) != set(&names.dns) {
            return Some(Why::LeafOfOtherNames);
        }
        if !leaf.validity(now).is_valid() {
            return Some(Why::LeafNotValid);
        }
        (now >= found.leaf_due(times)).then_some(Why::LeafEnds)
    }
}

impl Found {
    pub(super) fn read(seen: &Seen<'_>) -> Self {
        let bundles = seen.bundles.iter();
        Self {
            leaf: leaf(seen.leaf),
            trusted: bundles.flat_map(|bundle| authorities(bundle)).collect(),
        }
    }

    /// When the webhook's certificate is to be replaced.
    pub(super) fn leaf_due(&self, times: &Times) -> OffsetDateTime {
        let end = self.leaf.as_ref().map(|leaf| leaf.not_after);
        end.unwrap_or(OffsetDateTime::UNIX_EPOCH) - times.leaf / 3
    }

    /// The old CAs that stay trusted besides the CA in use, in PEM.
    ///
    /// The Secret lists them. The CA that signed the current certificate stays even if it was removed from the Secret, while `caBundle`
    /// has it.
    pub(super) fn old(&self, secret: &CaSecret, ca: &Ca) -> String {
        let listed = authorities(&secret.old);
        let is_broken = listed.is_empty() && !is_empty(&secret.old);
        let is_used = |old: &&Certificate| is_broken || self.is_used(old);
        // Two certificates of one CA have signed the same.
        let is_replaced = self.is_used(&ca.certificate) && !is_broken;
        let used = self.trusted.iter().filter(|_| !is_replaced).filter(is_used);
        let all = listed.iter().chain(used);
        bundle(all.filter(|old| **old != ca.certificate))
    }

    /// The old CAs that stay trusted when a new CA replaces a lost one: all that were trusted before.
    pub(super) fn old_of_lost(&self, secret: &CaSecret) -> String {
        let mut all = self.trusted.clone();
        all.extend(authorities(&secret.old));
        let lost = authorities(&secret.certificate).into_iter();
        all.extend(lost.filter(|lost| self.is_used(lost)));
        // The CA in use comes first, so that the limit does not cut it off.
        all.sort_by_key(|ca| !self.is_used(ca));
        bundle(all.iter())
    }

    /// Whether a CA has signed the webhook's certificate.
    fn is_used(&self, ca: &Certificate) -> bool {
        self.leaf.as_ref().is_ok_and(|leaf| leaf.is_signed_by(ca))
    }
}

fn leaf(secret: &LeafSecret) -> Result<Certificate, Why> {
    if is_empty(&secret.chain) && is_empty(&secret.key) {
        return Err(Why::LeafMissing);
    }
    let read = read_certificates(secret.chain.as_bytes()).unwrap_or_default();
    let leaf = read.into_iter().next().ok_or(Why::LeafUnusable)?;
    key_of(&leaf, &secret.key).map_err(|_| Why::LeafUnusable)?;
    Ok(leaf)
}

fn is_empty(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

/// The CAs in a text. There are none if a part of it cannot be read.
fn authorities(text: &str) -> Vec<Certificate> {
    let mut read = read_certificates(text.as_bytes()).unwrap_or_default();
    read.retain(|certificate| certificate.is_authority);
    read
}

/// Certificates in PEM, each of them once.
fn bundle<'a>(certificates: impl Iterator<Item = &'a Certificate>) -> String {
    let mut all: Vec<String> = Vec::new();
    for certificate in certificates {
        let pem = certificate.pem();
        if all.len() < MOST_OLD && !all.contains(&pem) {
            all.push(pem);
        }
    }
    all.concat()
}
