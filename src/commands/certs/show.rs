//! `certs show`: prints the certificates of a file.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::cli::Form;
use crate::commands::exit::Status;
use crate::commands::messages::{self, plural, print, printable};
use crate::commands::sources::Source;
use crate::manifest::emit::to_yaml;
use crate::pki::{Certificate, Link, MAX_BYTES, Validity, chain, read_certificates, rfc3339};

/// The version of the keys in JSON and YAML.
const SCHEMA: u32 = 1;

/// `certs show`
pub(super) fn show(path: &Path, form: Form) -> anyhow::Result<Status> {
    let source = Source::of(path);
    let name = source.name();
    let bytes = source
        .read(MAX_BYTES)
        .with_context(|| format!("cannot read the certificates {name}"))?;
    let certificates = read_certificates(&bytes).with_context(|| format!("cannot show {name}"))?;
    let now = OffsetDateTime::now_utc();
    let links = chain(&certificates);
    let faults = faults(&certificates, &links, now);
    print(&match form {
        Form::Table => table(&name, &certificates, &links, now)?,
        Form::Json => messages::json(&answer(&name, &certificates, &links, now)),
        Form::Yaml => to_yaml(&answer(&name, &certificates, &links, now)),
    })?;
    for fault in &faults {
        messages::error(&format!("{name}: {fault}"));
    }
    Ok(if faults.is_empty() {
        Status::Done
    } else {
        Status::Differs
    })
}

/// The problems at a time.
fn faults(certificates: &[Certificate], links: &[Link], now: OffsetDateTime) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, (certificate, link)) in (1..).zip(certificates.iter().zip(links)) {
        let which = format!("certificate {number} ({})", certificate.subject);
        match certificate.validity(now) {
            Validity::Valid(_) => {}
            Validity::NotYet(begins_in) => faults.push(format!(
                "{which} is valid only in {}: check the system clock",
                length(begins_in)
            )),
            Validity::Expired(since) => {
                faults.push(format!("{which} expired {} ago: renew it", length(since)));
            }
        }
        if !link.holds() {
            faults.push(format!("{which} does not fit the next: {}", link.text()));
        }
    }
    faults
}

fn answer(file: &str, certificates: &[Certificate], links: &[Link], now: OffsetDateTime) -> Value {
    let shown = |(certificate, link): (&Certificate, &Link)| {
        json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "dns": certificate.dns,
            "ip": certificate.ip,
            "authority": certificate.is_authority,
            "not_before": rfc3339(certificate.not_before),
            "not_after": rfc3339(certificate.not_after),
            "validity": match certificate.validity(now) {
                Validity::NotYet(_) => "not-yet",
                Validity::Valid(_) => "valid",
                Validity::Expired(_) => "expired",
            },
            // Negative after the certificate has expired.
            "seconds_left": (certificate.not_after - now).whole_seconds(),
            "key": certificate.key,
            "usages": certificate.usages,
            "serial": certificate.serial,
            "sha256": certificate.fingerprint,
            "chain": link.code(),
        })
    };
    let shown = certificates.iter().zip(links).map(shown);
    json!({
        "schema": SCHEMA,
        "file": file,
        "valid": certificates.iter().all(|it| it.validity(now).is_valid()),
        "chained": links.iter().all(|link| link.holds()),
        "certificates": shown.collect::<Vec<_>>(),
    })
}

fn table(
    name: &str,
    certificates: &[Certificate],
    links: &[Link],
    now: OffsetDateTime,
) -> anyhow::Result<String> {
    let mut text = format!(
        "{}: {}\n",
        printable(name),
        plural(certificates.len(), "certificate")
    );
    for (number, (certificate, link)) in (1..).zip(certificates.iter().zip(links)) {
        let kind = if certificate.is_authority {
            "CA"
        } else {
            "leaf"
        };
        let ip = certificate.ip.iter().map(ToString::to_string);
        let (from, until) = ends(certificate.validity(now));
        let from = rfc3339(certificate.not_before) + &from;
        let until = rfc3339(certificate.not_after) + &until;
        writeln!(
            text,
            "\n{number}: {kind} {}",
            printable(&certificate.subject)
        )?;
        for (what, value) in [
            ("issuer", &certificate.issuer),
            ("DNS names", &certificate.dns.join(", ")),
            ("addresses", &ip.collect::<Vec<_>>().join(", ")),
            ("valid from", &from),
            ("valid until", &until),
            ("key", &certificate.key),
            ("usages", &certificate.usages.join(", ")),
            ("serial", &certificate.serial),
            ("SHA-256", &certificate.fingerprint),
            ("chain", &link.text().to_owned()),
        ] {
            if !value.is_empty() {
                writeln!(text, "   {what:<12} {}", printable(value))?;
            }
        }
    }
    Ok(text)
}

/// Remarks for the begin and the end.
fn ends(validity: Validity) -> (String, String) {
    match validity {
        Validity::NotYet(begins_in) => (
            format!(" (NOT YET, in {})", length(begins_in)),
            String::new(),
        ),
        Validity::Valid(left) => (String::new(), format!(" (in {})", length(left))),
        Validity::Expired(since) => (String::new(), format!(" (EXPIRED {} ago)", length(since))),
    }
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
