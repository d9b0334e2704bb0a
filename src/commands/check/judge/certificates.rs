//! The CA that the API server trusts, and the certificates that the pods serve.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::webhook::entries_of;
use crate::cluster::names::NAME;
use crate::commands::check::item::{Checked, Finding};
use crate::commands::check::seen::{Seen, Served, text};
use crate::commands::messages::plural;
use crate::pki::{Certificate, Validity, read_certificate, read_certificates, rfc3339, trust};

/// A certificate that expires within this time, or within the last third of its lifetime if that is shorter, gets a warning.
const SOON: Duration = Duration::days(14);

const RENEW: &str = "docs/operate.md, Certificates, says what renews it.";

/// The CAs of an entry.
fn bundle(entry: &Value) -> Result<Vec<Certificate>, Finding> {
    let name = text(&entry["name"]);
    let encoded = text(&entry["clientConfig"]["caBundle"]);
    let advice = "Until this is fixed, every call fails. docs/operate.md, Certificates, says what writes it.";
    if encoded.is_empty() {
        let text = format!("caBundle of {name} is empty: the API server trusts no certificate");
        return Err(Finding::wrong(text, advice));
    }
    let wrong =
        |why: String| Finding::wrong(format!("caBundle of {name} cannot be read: {why}"), advice);
    let pem = STANDARD
        .decode(encoded)
        .map_err(|error| wrong(error.to_string()))?;
    read_certificates(&pem).map_err(|error| wrong(error.to_string()))
}

/// The CAs of each entry.
fn bundles(seen: &Seen) -> Result<Vec<(&str, Vec<Certificate>)>, Finding> {
    let entries = entries_of(seen)?.into_iter();
    entries
        .map(|(entry, _)| Ok((text(&entry["name"]), bundle(entry)?)))
        .collect()
}

pub(super) fn ca_bundle(seen: &Seen) -> Checked {
    let mut last = None;
    for (name, authorities) in bundles(seen)? {
        let valid = authorities
            .iter()
            .filter(|it| it.validity(seen.now).is_valid());
        let Some(longest) = valid.max_by_key(|it| it.not_after) else {
            let text = format!("no CA in caBundle of {name} is valid now");
            return Ok(Finding::wrong(text, RENEW));
        };
        if last.is_none_or(|(end, _)| longest.not_after < end) {
            last = Some((longest.not_after, is_soon(longest, seen.now)));
        }
    }
    let (end, soon) = last.ok_or_else(|| Finding::not_checked("there is no entry"))?;
    let left = length(end - seen.now);
    Ok(if soon {
        let text = format!("the CA in caBundle expires in {left}, on {}", rfc3339(end));
        Finding::warning(text, RENEW)
    } else {
        Finding::good(format!("caBundle has a CA, valid for {left}"))
    })
}

/// Whether it expires soon.
fn is_soon(certificate: &Certificate, now: OffsetDateTime) -> bool {
    let life = certificate.not_after - certificate.not_before;
    certificate.not_after - now < SOON.min(life / 3)
}

/// The pods that showed a certificate. If none did, the error says why.
fn chains(seen: &Seen) -> Result<Vec<(&str, Vec<Certificate>)>, Finding> {
    let mut chains = Vec::new();
    let mut unseen = None;
    for (pod, served) in &seen.served {
        match served {
            Served::Chain(ders) => {
                let read = ders.iter().map(|der| read_certificate(der));
                let chain = read
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| Finding::wrong(format!("pod {pod}: {error}"), RENEW))?;
                chains.push((pod.as_str(), chain));
            }
            Served::NoTls(why) => {
                return Err(Finding::wrong(
                    format!("pod {pod} is ready, and does not answer with TLS: {why}"),
                    format!("See its log: kubectl logs -n {} {pod}", seen.ours),
                ));
            }
            Served::Forbidden => {
                unseen = Some(format!(
                    "no permission to create pods/portforward in {}",
                    seen.ours
                ));
            }
            Served::Unreachable(why) => {
                unseen = Some(format!("cannot forward a port to pod {pod}: {why}"));
            }
        }
    }
    if chains.is_empty() {
        let why = unseen.unwrap_or_else(|| "no ready pod was found".to_owned());
        return Err(Finding::not_checked(why));
    }
    Ok(chains)
}

pub(super) fn certificate(seen: &Seen) -> Checked {
    let chains = chains(seen)?;
    let bundles = bundles(seen)
        .map_err(|_| Finding::not_checked("there is no caBundle to compare it with"))?;
    let server = format!("{NAME}.{}.svc", seen.ours);
    for (pod, chain) in &chains {
        for (entry, authorities) in &bundles {
            if let Err(why) = trust(authorities, chain, &server, seen.now) {
                return Ok(Finding::wrong(
                    format!("the certificate of pod {pod} {why} ({entry})"),
                    "Until this is fixed, every call fails. See docs/operate.md, Certificates.",
                ));
            }
        }
    }
    let (pods, ready) = (chains.len(), seen.served.len());
    Ok(Finding::good(format!(
        "the API server trusts the certificate of {pods} of {} by caBundle",
        plural(ready, "ready pod")
    )))
}

pub(super) fn expiry(seen: &Seen) -> Checked {
    let chains = chains(seen)?;
    let leaves = chains
        .iter()
        .filter_map(|(pod, chain)| Some((pod, chain.first()?)));
    let first = leaves.min_by_key(|(_, leaf)| leaf.not_after);
    let (pod, leaf) = first.ok_or_else(|| Finding::not_checked("there is no certificate"))?;
    let end = rfc3339(leaf.not_after);
    Ok(match leaf.validity(seen.now) {
        Validity::NotYet(wait) => {
            let wait = length(wait);
            let text = format!("the certificate of pod {pod} becomes valid only in {wait}");
            Finding::wrong(text, "Check the clocks of this machine and of the cluster.")
        }
        Validity::Expired(since) => {
            let since = length(since);
            let text = format!("the certificate of pod {pod} expired {since} ago, on {end}");
            Finding::wrong(text, RENEW)
        }
        Validity::Valid(left) if is_soon(leaf, seen.now) => {
            let left = length(left);
            let text = format!("the certificate of pod {pod} expires in {left}, on {end}");
            Finding::warning(text, RENEW)
        }
        Validity::Valid(left) => {
            let left = length(left);
            Finding::good(format!("the certificate is valid for {left}, until {end}"))
        }
    })
}

/// A duration in the largest unit with a count of more than one, rounded: a certificate for a year, made just now, has 365 days left.
fn length(duration: Duration) -> String {
    let seconds = duration.whole_seconds();
    let (unit, word) = [(86_400, "day"), (3600, "hour"), (60, "minute")]
        .into_iter()
        .find(|(unit, _)| seconds >= 2 * unit)
        .unwrap_or((1, "second"));
    let count = (seconds + unit / 2) / unit;
    plural(usize::try_from(count).unwrap_or_default(), word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_a_unit_that_says_enough() {
        for (duration, text) in [
            (Duration::ZERO, "0 seconds"),
            (Duration::seconds(1), "1 second"),
            (Duration::seconds(119), "119 seconds"),
            (Duration::minutes(119), "119 minutes"),
            (Duration::hours(47), "47 hours"),
            (Duration::hours(48), "2 days"),
            (Duration::days(365) - Duration::seconds(1), "365 days"),
        ] {
            assert_eq!(length(duration), text);
        }
    }
}
