//! Whether each certificate of a file is signed by the next.

use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;

use super::read::Certificate;

/// The relation of a certificate to the next one in its file.
///
/// A server's file is a chain: each certificate is signed by the next (RFC 8446 §4.4.2), and the last by a CA of the client. A file of
/// CAs is a list of certificates that do not depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The next certificate has signed it.
    SignedByNext,
    /// It has signed itself: a CA.
    SelfSigned,
    /// It is the last, and its issuer is not in the file.
    IssuerElsewhere,
    /// The next certificate is not the issuer that it names.
    OtherIssuer,
    /// It is not signed by the key of the certificate that it names as issuer.
    OtherKey,
    /// The next certificate has the name of its issuer but is not a CA.
    NotAuthority,
    /// The names fit, but the signature algorithm is not supported.
    Unchecked,
}

/// The relation of each certificate to the next.
///
/// Verifies signatures, but neither the dates nor the usages of the certificates.
#[cfg(test)]
pub(super) fn chain(certificates: &[Certificate]) -> Vec<Link> {
    let next = certificates.iter().skip(1).map(Some).chain([None]);
    certificates
        .iter()
        .zip(next)
        .map(|(certificate, next)| link(certificate, next))
        .collect()
}

pub(super) fn link(certificate: &Certificate, next: Option<&Certificate>) -> Link {
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else {
        return Link::Unchecked;
    };
    let is_own_issuer = parsed.issuer().as_raw() == parsed.subject().as_raw();
    if is_own_issuer {
        match is_signed(&parsed, &parsed) {
            Some(true) => return Link::SelfSigned,
            None => return Link::Unchecked,
            // Its issuer may be another key with the same name: a CA that was renewed.
            Some(false) => {}
        }
    }
    let without_issuer = |link| if is_own_issuer { Link::OtherKey } else { link };
    let Some(next) = next else {
        return without_issuer(Link::IssuerElsewhere);
    };
    let Ok((_, issuer)) = X509Certificate::from_der(&next.der) else {
        return Link::Unchecked;
    };
    if parsed.issuer().as_raw() != issuer.subject().as_raw() {
        return without_issuer(Link::OtherIssuer);
    }
    if !next.is_authority {
        return Link::NotAuthority;
    }
    match is_signed(&parsed, &issuer) {
        Some(true) => Link::SignedByNext,
        Some(false) => Link::OtherKey,
        None => Link::Unchecked,
    }
}

/// Whether the issuer has signed the certificate; `None` if the signature algorithm is not supported.
fn is_signed(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Option<bool> {
    match certificate.verify_signature(Some(issuer.public_key())) {
        Ok(()) => Some(true),
        Err(X509Error::SignatureUnsupportedAlgorithm) => None,
        Err(_) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::pki::{Authority, Names, Purpose, read_certificates};

    fn authority(name: &str) -> Authority {
        Authority::new(Some(name), OffsetDateTime::UNIX_EPOCH, Duration::DAY).unwrap()
    }

    fn leaf(authority: &Authority) -> String {
        let names = Names {
            dns: vec!["localhost".to_owned()],
            ip: vec![],
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        let chain = authority
            .issue(&names, Purpose::Server, now, Duration::DAY)
            .unwrap()
            .chain;
        chain
            .strip_suffix(authority.certificate())
            .unwrap()
            .to_owned()
    }

    fn links(texts: &[&str]) -> Vec<Link> {
        let read = read_certificates(texts.concat().as_bytes()).unwrap();
        chain(&read)
    }

    #[test]
    fn chains_and_lists_of_authorities_hold() {
        let (one, two) = (authority("one"), authority("two"));
        let leaf = leaf(&one);
        let whole = links(&[&leaf, one.certificate()]);
        assert_eq!(whole, [Link::SignedByNext, Link::SelfSigned]);
        assert_eq!(links(&[&leaf]), [Link::IssuerElsewhere]);
        let heap = links(&[one.certificate(), two.certificate()]);
        assert_eq!(heap, [Link::SelfSigned; 2]);
        assert_eq!(chain(&[]), []);
    }

    #[test]
    fn each_broken_link_is_named() {
        let (one, two, same_name) = (authority("one"), authority("two"), authority("one"));
        let leaf = leaf(&one);
        // A leaf with the name of a CA; a leaf cannot sign.
        let namesake = authority("localhost");
        for (texts, link) in [
            ([leaf.as_str(), two.certificate()], Link::OtherIssuer),
            ([&leaf, same_name.certificate()], Link::OtherKey),
            ([&leaf, &self::leaf(&two)], Link::OtherIssuer),
            ([&self::leaf(&namesake), &leaf], Link::NotAuthority),
        ] {
            let found = links(&texts);
            assert_eq!(found[0], link);
        }
        let mut changed = read_certificates(one.certificate().as_bytes()).unwrap();
        // The last byte is one of the signature.
        *changed[0].der.last_mut().unwrap() ^= 1;
        assert_eq!(chain(&changed), [Link::OtherKey]);
    }
}
