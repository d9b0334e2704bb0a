//! What is in a file of certificates.

use std::fmt::Write as _;
use std::net::IpAddr;

use rustls::crypto::hash::Hash;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, KeyUsage, X509Extension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519, OID_X509_EXT_BASIC_CONSTRAINTS,
};
use x509_parser::prelude::{FromDer, ParsedExtension};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::PkiError;

/// How many bytes a file of certificates may have. The bundles of all public CAs have a quarter of a megabyte.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What is in a certificate.
///
/// Texts are as they stand in it, control characters included: escape them before a terminal sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Whom it is about, such as `CN=localhost`.
    pub subject: String,
    /// Who has signed it, by its own account.
    pub issuer: String,
    /// The DNS names that it is for.
    pub dns: Vec<String>,
    /// The addresses that it is for.
    pub ip: Vec<IpAddr>,
    /// Since when it is valid; this moment included.
    pub not_before: OffsetDateTime,
    /// Until when it is valid; this moment included.
    pub not_after: OffsetDateTime,
    /// Whether it is that of a CA, which may sign others.
    pub is_authority: bool,
    /// The serial number, in hexadecimal, upper case, as `openssl x509 -serial` has it.
    pub serial: String,
    /// The kind of its key, such as `ECDSA P-256`.
    pub key: String,
    /// What it may be used for, by the names of RFC 5280 §4.2.1.3 and §4.2.1.12, such as `digitalSignature` and `serverAuth`.
    pub usages: Vec<String>,
    /// The SHA-256 of the whole of it, as `openssl x509 -fingerprint -sha256` has it.
    pub fingerprint: String,
    pub(super) der: Vec<u8>,
}

/// Reads the certificates of a file in PEM (RFC 7468), in their order. Text around them is allowed, as tools write it.
///
/// # Errors
/// If there is a private key in it, no certificate, one that is broken, or more than [`MAX_BYTES`]. All or nothing is read: half a
/// bundle of CAs would be a trap.
pub fn read_certificates(text: &[u8]) -> Result<Vec<Certificate>, PkiError> {
    if text.len() > MAX_BYTES {
        return Err(PkiError::TooLong);
    }
    let private = b"PRIVATE KEY";
    if labels(text).any(|label| label.windows(private.len()).any(|part| part == private)) {
        return Err(PkiError::PrivateKey);
    }
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let number = found.len() + 1;
        let broken = |why| PkiError::Broken { number, why };
        match section {
            Ok((SectionKind::Certificate, der)) => found.push(read(der).map_err(broken)?),
            Ok(_) => {}
            Err(error) => return Err(broken(pem_fault(&error))),
        }
    }
    if found.is_empty() {
        return Err(PkiError::NoCertificate(what_else(text)));
    }
    Ok(found)
}

/// The labels of the blocks: `CERTIFICATE` and the like. What follows one in its line is not part of it: where line ends have been lost, that is
/// the content.
fn labels(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter_map(|line| line.trim_ascii().strip_prefix(b"-----BEGIN "))
        .map(|line| {
            let end = line.windows(5).position(|part| part == b"-----");
            &line[..end.unwrap_or(line.len())]
        })
}

/// What is wrong with PEM, without a byte of it: rustls quotes the line that it does not understand, which may be a key.
pub(crate) fn pem_fault(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "it has no -----END line; the file may have been cut off"
        }
        pem::Error::IllegalSectionStart { .. } => "its -----BEGIN line does not end in -----",
        pem::Error::Base64Decode(_) => "what stands between its BEGIN and its END is no base64",
        _ => "it is no PEM",
    }
    .to_owned()
}

/// Says what a file without a certificate is instead, as far as that can be seen.
fn what_else(text: &[u8]) -> String {
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return "it is empty".to_owned();
    }
    if X509Certificate::from_der(text).is_ok() {
        return "it is DER, not PEM; `openssl x509 -inform der -in FILE` makes PEM of it"
            .to_owned();
    }
    // "-----BEGIN", encoded once more: a field of a Secret, or a caBundle.
    if start.starts_with(b"LS0tLS1CRUdJTi") {
        return "it is PEM in base64, as in a Secret or a caBundle; decode it first (base64 -d)"
            .to_owned();
    }
    match labels(text).next() {
        Some(label) => {
            let label = &label[..label.len().min(40)];
            format!("it begins with \"{}\"", label.escape_ascii())
        }
        None => "no line of it is -----BEGIN CERTIFICATE-----".to_owned(),
    }
}

fn read(der: Vec<u8>) -> Result<Certificate, String> {
    let (rest, parsed) =
        X509Certificate::from_der(&der).map_err(|_| "it is no X.509 certificate".to_owned())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes too many stand behind it", rest.len()));
    }
    let extensions = Extensions::of(&parsed)?;
    let serial = hex(parsed.raw_serial(), "");
    let serial = serial.trim_start_matches('0');
    Ok(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        dns: extensions.dns,
        ip: extensions.ip,
        not_before: parsed.validity().not_before.to_datetime(),
        not_after: parsed.validity().not_after.to_datetime(),
        is_authority: extensions.is_authority,
        serial: if serial.is_empty() { "0" } else { serial }.to_owned(),
        key: key(parsed.public_key()),
        usages: extensions.usages,
        fingerprint: hex(sha256().hash(&der).as_ref(), ":"),
        der,
    })
}

/// What the extensions say that we show.
#[derive(Default)]
struct Extensions {
    dns: Vec<String>,
    ip: Vec<IpAddr>,
    is_authority: bool,
    usages: Vec<String>,
}

impl Extensions {
    fn of(parsed: &X509Certificate<'_>) -> Result<Self, String> {
        let mut found = Self::default();
        let broken = |what: &str| format!("its {what} cannot be read, or it is there twice");
        let names = parsed
            .subject_alternative_name()
            .map_err(|_| broken("subject alternative name"))?;
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::DNSName(name) => found.dns.push((*name).to_owned()),
                GeneralName::IPAddress(bytes) => found.ip.push(address(bytes)?),
                GeneralName::Invalid(..) => return Err(broken("subject alternative name")),
                // Mail addresses, URIs and the like: no name that a server is dialled by.
                _ => {}
            }
        }
        let constraints = parsed
            .get_extension_unique(&OID_X509_EXT_BASIC_CONSTRAINTS)
            .map_err(|_| broken("basic constraints"))?;
        found.is_authority = match constraints.map(X509Extension::parsed_extension) {
            Some(ParsedExtension::BasicConstraints(constraints)) => constraints.ca,
            Some(_) => return Err(broken("basic constraints")),
            None => false,
        };
        if let Some(usage) = parsed.key_usage().map_err(|_| broken("key usage"))? {
            found.usages.extend(usages(usage.value));
        }
        let extended = parsed
            .extended_key_usage()
            .map_err(|_| broken("extended key usage"))?;
        if let Some(usage) = extended {
            found.usages.extend(extended_usages(usage.value));
        }
        Ok(found)
    }
}

fn address(bytes: &[u8]) -> Result<IpAddr, String> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .map_err(|_| format!("it has an address of {} bytes", bytes.len()))
}

fn usages(usage: &KeyUsage) -> impl Iterator<Item = String> {
    [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, name)| name.to_owned())
}

fn extended_usages(usage: &ExtendedKeyUsage<'_>) -> impl Iterator<Item = String> {
    [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, name)| name.to_owned())
    .chain(usage.other.iter().map(ToString::to_string))
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> String {
    let kind = &key.algorithm.algorithm;
    if *kind == OID_SIG_ED25519 {
        return "Ed25519".to_owned();
    }
    if *kind == OID_PKCS1_RSAENCRYPTION {
        return match key.parsed() {
            Ok(PublicKey::RSA(key)) => format!("RSA {}", bits(key.modulus)),
            _ => "RSA".to_owned(),
        };
    }
    if *kind != OID_KEY_TYPE_EC_PUBLIC_KEY {
        return kind.to_string();
    }
    let curve = key.algorithm.parameters.as_ref();
    match curve.and_then(|curve| curve.as_oid().ok()) {
        Some(curve) if curve == OID_EC_P256 => "ECDSA P-256".to_owned(),
        Some(curve) if curve == OID_NIST_EC_P384 => "ECDSA P-384".to_owned(),
        Some(curve) if curve == OID_NIST_EC_P521 => "ECDSA P-521".to_owned(),
        Some(curve) => format!("ECDSA {curve}"),
        None => "ECDSA".to_owned(),
    }
}

/// How many bits a number has.
fn bits(number: &[u8]) -> usize {
    let start = number.iter().take_while(|byte| **byte == 0).count();
    number.get(start).map_or(0, |first| {
        (number.len() - start) * 8 - first.leading_zeros() as usize
    })
}

/// The SHA-256 that rustls has, so that no other need be brought in.
fn sha256() -> &'static dyn Hash {
    use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256 as SUITE;
    match SUITE {
        rustls::SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
        rustls::SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
    }
}

fn hex(bytes: &[u8], between: &str) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        let between = if at == 0 { "" } else { between };
        let _ = write!(text, "{between}{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests;
