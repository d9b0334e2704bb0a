//! A CA and the certificates that it signs.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};

use super::error::{PkiError, rfc3339};
use super::names::Names;
use super::read::{Certificate, read_certificates};

/// Certificates are valid from one hour before they are made, because the clock of an API server may be behind.
const BEFORE: Duration = Duration::hours(1);

/// The purpose of a certificate (extended key usage, RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For a server.
    Server,
    /// For a client.
    Client,
}

/// A certificate with its key. It has no `Debug`, so that no key is printed.
///
/// ```compile_fail,E0277
/// fn print<T: std::fmt::Debug>() {}
/// print::<seldon_tracing::pki::Pair>();
/// ```
pub struct Pair {
    /// The certificate, then that of the CA, in PEM, as a server sends them.
    pub chain: String,
    /// The private key, PKCS#8 in PEM.
    pub key: String,
}

/// A CA with its key. It has no `Debug` either.
///
/// ```compile_fail,E0277
/// fn print<T: std::fmt::Debug>() {}
/// print::<seldon_tracing::pki::Authority>();
/// ```
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    key: String,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Authority {
    /// Makes a CA: ECDSA P-256 with SHA-256, a random serial number of 128 bits, valid from one hour before `now` until `lifetime` after
    /// `now`, in whole seconds. It can sign certificates of servers and clients, but not of other CAs (RFC 5280 §4.2.1.9).
    ///
    /// The default common name ends with a random number, which distinguishes the old and the new CA in one bundle. A name that is given is
    /// not checked: X.509 allows up to 64 characters.
    ///
    /// # Errors
    /// If the lifetime is invalid, or the system gives no random numbers.
    pub fn new(
        common_name: Option<&str>,
        now: OffsetDateTime,
        lifetime: Duration,
    ) -> Result<Self, PkiError> {
        let serial = serial()?;
        let name = match common_name {
            Some(name) => name.to_owned(),
            None => format!(
                "seldon-tracing CA {:08x}",
                u128::from_be_bytes(serial) >> 96
            ),
        };
        let (not_before, not_after) = period(now, lifetime)?;
        let mut params = params(&name, &serial, not_before, not_after);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            certificate,
            key: key.serialize_pem(),
            issuer: Issuer::new(params, key),
            not_before,
            not_after,
        })
    }

    /// A CA that was made before, from its certificate and its key in PEM.
    ///
    /// # Errors
    /// If they cannot be read, the certificate is not that of a CA, or the key is not the certificate's. No message has a part of the key.
    pub fn load(certificate: &str, key: &str) -> Result<Self, PkiError> {
        let read = read_certificates(certificate.as_bytes())?;
        let [found] = &read[..] else {
            return Err("a CA has one certificate, and there are several".into());
        };
        if !found.is_authority {
            return Err("the certificate is not that of a CA".into());
        }
        let signer = key_of(found, key)?;
        let der = CertificateDer::from(found.der.as_slice());
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&der, signer)?,
            certificate: found.pem(),
            key: key.to_owned(),
            not_before: found.not_before,
            not_after: found.not_after,
        })
    }

    /// The certificate of the CA, in PEM, for the clients.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The private key of the CA, PKCS#8 in PEM. Anyone with it can make certificates that clients trust.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Makes a key and a certificate, valid from one hour before `now`. Its subject is the first of its names, for information only.
    ///
    /// The certificate expires with the CA at the latest.
    ///
    /// # Errors
    /// If a DNS name or the lifetime is invalid, a server has no name, the CA is not valid at `now`, or the system gives no random numbers.
    pub fn issue(
        &self,
        names: &Names,
        purpose: Purpose,
        now: OffsetDateTime,
        lifetime: Duration,
    ) -> Result<Pair, PkiError> {
        let alternatives = names.alternatives()?;
        if alternatives.is_empty() && purpose == Purpose::Server {
            let advice =
                "a server's certificate needs a name that clients can check: use --dns or --ip";
            return Err(advice.into());
        }
        if now < self.not_before || now >= self.not_after {
            return Err(PkiError(format!(
                "the CA is valid from {} until {} only, and clients would not trust what it signs now: make a new CA",
                rfc3339(self.not_before),
                rfc3339(self.not_after)
            )));
        }
        let (not_before, not_after) = period(now, lifetime)?;
        let name = names.common();
        let mut params = params(
            name.as_deref().unwrap_or("seldon-tracing"),
            &serial()?,
            not_before.max(self.not_before),
            not_after.min(self.not_after),
        );
        params.subject_alt_names = alternatives;
        params.is_ca = IsCa::ExplicitNoCa;
        // An ECDSA key signs the handshake. Only RSA keys before TLS 1.3 encrypt keys.
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        // RFC 5280 §4.2.1.1 requires it, and clients need it to choose between two CAs with the same name.
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let leaf = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Pair {
            chain: leaf + &self.certificate,
            key: key.serialize_pem(),
        })
    }
}

/// The key, if it is that of the certificate.
pub(super) fn key_of(certificate: &Certificate, key: &str) -> Result<KeyPair, PkiError> {
    // The reader's own message might quote the key.
    let key = KeyPair::from_pem(key).map_err(|_| "the private key cannot be read")?;
    if key.subject_public_key_info() == certificate.public_key()? {
        Ok(key)
    } else {
        Err("the private key does not belong to the certificate".into())
    }
}

fn params(
    name: &str,
    serial: &[u8],
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.not_before = not_before;
    params.not_after = not_after;
    params
}

/// The validity of a certificate, in whole seconds (RFC 5280 §4.1.2.5).
fn period(
    now: OffsetDateTime,
    lifetime: Duration,
) -> Result<(OffsetDateTime, OffsetDateTime), PkiError> {
    let seconds = lifetime.whole_seconds();
    let wrong = |why| {
        PkiError(format!(
            "a certificate cannot be valid for {seconds} seconds: {why}"
        ))
    };
    if seconds < 1 {
        return Err(wrong("use 1 or more"));
    }
    let now = OffsetDateTime::from_unix_timestamp(now.unix_timestamp())
        .map_err(|_| wrong("there is no such time"))?;
    let not_before = now.checked_sub(BEFORE);
    let not_after = now
        .checked_add(Duration::seconds(seconds))
        .filter(|end| end.year() <= 9999);
    not_before
        .zip(not_after)
        .ok_or_else(|| wrong("a certificate cannot name a year after 9999"))
}

/// 128 random bits. At least 64 bits (CA/Browser Forum baseline requirements §7.1) and at most 20 bytes (RFC 5280 §4.1.2.2) are allowed.
fn serial() -> Result<[u8; 16], PkiError> {
    let mut serial = [0; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut serial)
        .map_err(|_| "cannot make a certificate: the system gives no random numbers")?;
    Ok(serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
    }

    fn localhost() -> Names {
        Names {
            dns: vec!["localhost".to_owned()],
            ip: vec![],
        }
    }

    #[test]
    fn each_certificate_has_a_key_of_its_own() {
        let authority = Authority::new(None, now(), Duration::DAY).unwrap();
        let pair = authority
            .issue(&localhost(), Purpose::Server, now(), Duration::DAY)
            .unwrap();
        for key in [authority.key(), &pair.key] {
            assert!(key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        }
        assert_ne!(authority.key(), pair.key);
    }

    #[test]
    fn a_leaf_never_outlives_its_authority() {
        let later = now() + Duration::days(20);
        let authority = Authority::new(None, now(), Duration::days(30)).unwrap();
        let pair = authority
            .issue(&localhost(), Purpose::Server, later, Duration::days(365))
            .unwrap();
        let read = read_certificates(pair.chain.as_bytes()).unwrap();
        assert_eq!(read[0].not_after, read[1].not_after);
        assert_eq!(read[0].not_after, now() + Duration::days(30));
        assert_eq!(read[0].not_before, later - Duration::HOUR);
        for at in [now() - Duration::days(1), now() + Duration::days(31)] {
            let error = authority
                .issue(&localhost(), Purpose::Server, at, Duration::DAY)
                .err()
                .unwrap();
            assert!(
                error
                    .to_string()
                    .contains("until 2023-12-14T22:13:20Z only"),
                "{error}"
            );
        }
    }

    #[test]
    fn parts_of_seconds_and_the_zone_of_now_make_no_difference() {
        let zone = time::UtcOffset::from_hms(5, 30, 0).unwrap();
        let now = (now() + Duration::milliseconds(900)).to_offset(zone);
        let authority = Authority::new(None, now, Duration::DAY).unwrap();
        let read = read_certificates(authority.certificate().as_bytes()).unwrap();
        assert_eq!(read[0].not_before, self::now() - Duration::HOUR);
        assert_eq!(read[0].not_after, self::now() + Duration::DAY);
    }

    #[test]
    fn no_two_certificates_have_one_serial_number() {
        let authority = Authority::new(None, now(), Duration::DAY).unwrap();
        let mut serials = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let pair = authority
                .issue(&localhost(), Purpose::Server, now(), Duration::DAY)
                .unwrap();
            let read = read_certificates(pair.chain.as_bytes()).unwrap();
            // Of 128 bits, the first 24 are zero once in 16 million.
            assert!((26..=32).contains(&read[0].serial.len()), "{read:?}");
            serials.insert(read[0].serial.clone());
        }
        assert_eq!(serials.len(), 50);
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        let authority = Authority::new(Some("mine"), now(), Duration::DAY).unwrap();
        let none = Names::default();
        let issue = |names: &Names, purpose, lifetime| {
            authority
                .issue(names, purpose, now(), lifetime)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        assert!(issue(&none, Purpose::Client, Duration::DAY).is_ok());
        let refusals = [
            (issue(&none, Purpose::Server, Duration::DAY), "--dns"),
            (
                issue(&localhost(), Purpose::Server, Duration::ZERO),
                "0 seconds: use 1",
            ),
            (
                issue(&localhost(), Purpose::Server, Duration::MAX),
                "year after 9999",
            ),
        ];
        for (refusal, part) in refusals {
            let said = refusal.unwrap_err();
            assert!(said.contains(part), "{said}");
        }
        // A year after 2049 has another form.
        let lifetime = Duration::days(36_500);
        let far = Authority::new(None, now(), lifetime).unwrap();
        let read = read_certificates(far.certificate().as_bytes()).unwrap();
        assert_eq!(read[0].not_after, now() + lifetime);
    }
}
