//! Whether the API server trusts the certificate of a webhook.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};
use time::OffsetDateTime;

use super::read::Certificate;

/// Why the API server does not trust a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// No CA of the bundle has signed it.
    #[error("is not signed by a CA in caBundle")]
    UnknownIssuer,
    /// The CA that has signed it is not valid at this time.
    #[error("is signed by a CA in caBundle that is not valid now")]
    AuthorityNotValid,
    /// It is for other names.
    #[error("is not for the name {0}")]
    OtherName(String),
    /// It is not valid any more.
    #[error("has expired")]
    Expired,
    /// It is not valid yet.
    #[error("is not valid yet")]
    NotYet,
    /// Anything else.
    #[error("is refused: {0}")]
    Other(String),
}

/// Checks a chain as the API server does that has `bundle` as caBundle and calls a webhook by `name`.
///
/// # Errors
/// Why it would end the handshake.
pub fn trust(
    bundle: &[Certificate],
    chain: &[Certificate],
    name: &str,
    now: OffsetDateTime,
) -> Result<(), Distrust> {
    let valid = bundle.iter().filter(|it| it.validity(now).is_valid());
    match verify(valid, chain, name, now) {
        // rustls does not look at the dates of a root; Go does.
        Err(Distrust::UnknownIssuer) => match verify(bundle.iter(), chain, name, now) {
            Ok(()) => Err(Distrust::AuthorityNotValid),
            why => why,
        },
        verdict => verdict,
    }
}

fn verify<'c>(
    bundle: impl Iterator<Item = &'c Certificate>,
    chain: &[Certificate],
    name: &str,
    now: OffsetDateTime,
) -> Result<(), Distrust> {
    let other = |error: &dyn std::fmt::Display| Distrust::Other(error.to_string());
    let mut roots = RootCertStore::empty();
    // A certificate that cannot be a root is left out.
    roots.add_parsable_certificates(bundle.map(der));
    let Some((leaf, rest)) = chain.split_first() else {
        return Err(Distrust::Other("there is none".to_owned()));
    };
    if roots.is_empty() {
        return Err(Distrust::UnknownIssuer);
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| other(&error))?;
    let server = ServerName::try_from(name).map_err(|error| other(&error))?;
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let rest: Vec<_> = rest.iter().map(der).collect();
    let outcome = verifier.verify_server_cert(&der(leaf), &rest, &server, &[], at);
    outcome.map(|_| ()).map_err(|error| match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Distrust::UnknownIssuer
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Distrust::OtherName(name.to_owned())
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Distrust::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Distrust::NotYet
            }
            error => other(&error),
        },
        error => other(&error),
    })
}

fn der(certificate: &Certificate) -> CertificateDer<'_> {
    CertificateDer::from_slice(&certificate.der)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::pki::{Authority, Names, Purpose, read_certificates};

    const NAME: &str = "seldon-tracing.seldon-tracing.svc";

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
    }

    fn read(pem: &str) -> Vec<Certificate> {
        read_certificates(pem.as_bytes()).unwrap()
    }

    fn leaf(authority: &Authority, name: &str, purpose: Purpose) -> Vec<Certificate> {
        let names = Names {
            dns: vec![name.to_owned()],
            ip: vec![],
        };
        read(
            &authority
                .issue(&names, purpose, now(), time::Duration::days(10))
                .unwrap()
                .chain,
        )
    }

    #[test]
    fn each_reason_for_distrust_is_told_from_the_others() {
        let long = Authority::new(None, now(), time::Duration::days(100)).unwrap();
        let other = Authority::new(None, now(), time::Duration::days(100)).unwrap();
        let bundle = read(long.certificate());
        let both = [read(other.certificate()), bundle.clone()].concat();
        let good = leaf(&long, NAME, Purpose::Server);
        let day = Duration::DAY;
        for (bundle, chain, after, expected) in [
            (&bundle, &good, Duration::ZERO, Ok(())),
            (&both, &good, day, Ok(())),
            (&bundle, &good, -day, Err(Distrust::NotYet)),
            (&bundle, &good, day * 11, Err(Distrust::Expired)),
            (
                &read(other.certificate()),
                &good,
                day,
                Err(Distrust::UnknownIssuer),
            ),
            (&vec![], &good, day, Err(Distrust::UnknownIssuer)),
            (
                &bundle,
                &leaf(&long, "localhost", Purpose::Server),
                day,
                Err(Distrust::OtherName(NAME.to_owned())),
            ),
            (&bundle, &good[..1].to_vec(), day, Ok(())),
        ] {
            assert_eq!(trust(bundle, chain, NAME, now() + after), expected);
        }
        let client = leaf(&long, NAME, Purpose::Client);
        let verdict = trust(&bundle, &client, NAME, now());
        assert!(matches!(verdict, Err(Distrust::Other(_))), "{verdict:?}");
        let none = trust(&bundle, &[], NAME, now());
        assert!(matches!(none, Err(Distrust::Other(_))), "{none:?}");
    }

    #[test]
    fn a_ca_that_has_ended_signs_nothing_any_more() {
        let short = Authority::new(None, now(), time::Duration::days(2)).unwrap();
        let bundle = read(short.certificate());
        let ended = leaf(&short, NAME, Purpose::Server);
        let at = |days, chain: &[Certificate], bundle: &[Certificate]| {
            trust(bundle, chain, NAME, now() + Duration::days(days))
        };
        assert_eq!(at(1, &ended, &bundle), Ok(()));
        assert_eq!(at(3, &ended, &bundle), Err(Distrust::Expired));
        // A certificate that outlives its CA.
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = now();
        params.not_after = now() + Duration::days(2);
        let key = rcgen::KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params, key);
        let mut params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        params.not_before = now();
        params.not_after = now() + Duration::days(9);
        let key = rcgen::KeyPair::generate().unwrap();
        let chain = read(&params.signed_by(&key, &issuer).unwrap().pem());
        assert_eq!(at(1, &chain, &read(&ca)), Ok(()));
        assert_eq!(at(3, &chain, &read(&ca)), Err(Distrust::AuthorityNotValid));
    }
}
