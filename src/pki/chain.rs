//! How the certificates of a file hang together.

use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;

use super::Certificate;

/// How a certificate hangs together with the next one of its file.
///
/// A server's file is a chain: each certificate is signed by the next (RFC 8446 §4.4.2), and the last by one that the client has. A file
/// of CAs is a heap of certificates that stand alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The next one has signed it.
    SignedByNext,
    /// It has signed itself: a CA that is trusted as it is, or not at all.
    SelfSigned,
    /// It is the last, and its issuer is not in the file: the client has to have it.
    IssuerElsewhere,
    /// It names another issuer than the next one.
    OtherIssuer,
    /// The one that has its issuer's name has not signed it, but another key.
    OtherKey,
    /// The next one has its issuer's name but is not a CA.
    NotAuthority,
    /// The names fit, but we do not know the kind of signature.
    Unchecked,
}

impl Link {
    /// Whether nothing is wrong as far as can be seen.
    #[must_use]
    pub const fn holds(self) -> bool {
        match self {
            Self::SignedByNext | Self::SelfSigned | Self::IssuerElsewhere | Self::Unchecked => true,
            Self::OtherIssuer | Self::OtherKey | Self::NotAuthority => false,
        }
    }

    /// The name for machines.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SignedByNext => "signed-by-next",
            Self::SelfSigned => "self-signed",
            Self::IssuerElsewhere => "issuer-elsewhere",
            Self::OtherIssuer => "other-issuer",
            Self::OtherKey => "other-key",
            Self::NotAuthority => "not-authority",
            Self::Unchecked => "unchecked",
        }
    }

    /// The same for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SignedByNext => "signed by the next one",
            Self::SelfSigned => "self-signed, stands alone",
            Self::IssuerElsewhere => "its issuer is not in the file: clients have to have it",
            Self::OtherIssuer => {
                "the next one is not its issuer: the order is wrong or one is missing"
            }
            Self::OtherKey => {
                "the key of the one that is named as its issuer has not signed it: it is of another CA with that name, or was changed"
            }
            Self::NotAuthority => "the next one has the name of its issuer but is not a CA",
            Self::Unchecked => {
                "the name of its issuer fits; the signature is of a kind that cannot be checked here"
            }
        }
    }
}

/// Says of each certificate how it hangs together with the next.
///
/// Signatures are verified; whether the certificates are valid at some time, or for what they may be used, is not looked at.
#[must_use]
pub fn chain(certificates: &[Certificate]) -> Vec<Link> {
    let next = certificates.iter().skip(1).map(Some).chain([None]);
    certificates
        .iter()
        .zip(next)
        .map(|(certificate, next)| link(certificate, next))
        .collect()
}

fn link(certificate: &Certificate, next: Option<&Certificate>) -> Link {
    // They have been read before, so they can be read again.
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else {
        return Link::Unchecked;
    };
    let own_issuer = parsed.issuer().as_raw() == parsed.subject().as_raw();
    if own_issuer {
        match signed(&parsed, &parsed) {
            Signed::Yes => return Link::SelfSigned,
            Signed::Unknown => return Link::Unchecked,
            // Its issuer may be another key with the same name: a CA that has got a new one.
            Signed::No => {}
        }
    }
    let Some(next) = next else {
        return if own_issuer {
            Link::OtherKey
        } else {
            Link::IssuerElsewhere
        };
    };
    let Ok((_, issuer)) = X509Certificate::from_der(&next.der) else {
        return Link::Unchecked;
    };
    if parsed.issuer().as_raw() != issuer.subject().as_raw() {
        return if own_issuer {
            Link::OtherKey
        } else {
            Link::OtherIssuer
        };
    }
    if !next.is_authority {
        return Link::NotAuthority;
    }
    match signed(&parsed, &issuer) {
        Signed::Yes => Link::SignedByNext,
        Signed::No => Link::OtherKey,
        Signed::Unknown => Link::Unchecked,
    }
}

enum Signed {
    Yes,
    No,
    Unknown,
}

fn signed(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Signed {
    match certificate.verify_signature(Some(issuer.public_key())) {
        Ok(()) => Signed::Yes,
        Err(X509Error::SignatureUnsupportedAlgorithm) => Signed::Unknown,
        Err(_) => Signed::No,
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::pki::{Authority, Names, Purpose, read_certificates};

    fn authority(name: &str) -> Authority {
        Authority::new(Some(name), OffsetDateTime::UNIX_EPOCH, 1).unwrap()
    }

    fn leaf(authority: &Authority) -> String {
        let names = Names {
            dns: vec!["localhost".to_owned()],
            ip: vec![],
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        let chain = authority
            .issue(&names, Purpose::Server, now, 1)
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
    fn chains_and_heaps_of_authorities_hold() {
        let (one, two) = (authority("one"), authority("two"));
        let leaf = leaf(&one);
        let whole = links(&[&leaf, one.certificate()]);
        assert_eq!(whole, [Link::SignedByNext, Link::SelfSigned]);
        assert_eq!(links(&[&leaf]), [Link::IssuerElsewhere]);
        let heap = links(&[one.certificate(), two.certificate()]);
        assert_eq!(heap, [Link::SelfSigned; 2]);
        assert!([whole, heap].concat().into_iter().all(Link::holds));
        assert_eq!(chain(&[]), []);
    }

    #[test]
    fn what_does_not_fit_is_told_apart() {
        let (one, two, same_name) = (authority("one"), authority("two"), authority("one"));
        let leaf = leaf(&one);
        // A leaf of that name, which may not sign.
        let namesake = authority("localhost");
        for (texts, link) in [
            ([leaf.as_str(), two.certificate()], Link::OtherIssuer),
            ([&leaf, same_name.certificate()], Link::OtherKey),
            ([&leaf, &self::leaf(&two)], Link::OtherIssuer),
            ([&self::leaf(&namesake), &leaf], Link::NotAuthority),
        ] {
            let found = links(&texts);
            assert_eq!(found[0], link);
            assert!(!link.holds());
        }
        let mut changed = read_certificates(one.certificate().as_bytes()).unwrap();
        // The last byte is one of the signature.
        *changed[0].der.last_mut().unwrap() ^= 1;
        assert_eq!(chain(&changed), [Link::OtherKey]);
    }
}
