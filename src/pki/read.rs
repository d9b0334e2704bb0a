//! Reads a file of certificates.

use std::fmt::Write as _;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, X509Extension};
use x509_parser::oid_registry::OID_X509_EXT_BASIC_CONSTRAINTS;
use x509_parser::prelude::{FromDer, ParsedExtension};

use super::error::PkiError;

/// The limit for a file of certificates. A bundle of all public CAs has a quarter of a megabyte.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A certificate.
///
/// Its texts may contain control characters: escape them before printing to a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Its owner, such as `CN=localhost`.
    pub subject: String,
    /// The issuer that it names. The signature is not checked here.
    pub issuer: String,
    /// The DNS names of its owner.
    pub dns: Vec<String>,
    /// The addresses of its owner.
    pub ip: Vec<IpAddr>,
    /// The first moment of its validity.
    pub not_before: OffsetDateTime,
    /// The last moment of its validity.
    pub not_after: OffsetDateTime,
    /// Whether it belongs to a CA.
    pub is_authority: bool,
    /// The serial number, as `openssl x509 -serial` prints it.
    pub serial: String,
    pub(super) der: Vec<u8>,
}

impl Certificate {
    /// The certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        let base64 = STANDARD.encode(&self.der);
        let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text + "-----END CERTIFICATE-----\n"
    }

    /// Whether this CA has signed it, by name and by key. Neither the dates nor the usages are looked at, and an algorithm that is not
    /// supported counts as another key.
    pub(super) fn is_signed_by(&self, ca: &Self) -> bool {
        let read = X509Certificate::from_der(&self.der).ok();
        let issuer = X509Certificate::from_der(&ca.der).ok();
        let Some(((_, read), (_, issuer))) = read.zip(issuer) else {
            return false;
        };
        let is_named = read.issuer().as_raw() == issuer.subject().as_raw();
        let key = Some(issuer.public_key());
        ca.is_authority && is_named && read.verify_signature(key).is_ok()
    }

    /// Its public key in DER (`SubjectPublicKeyInfo`).
    pub(super) fn public_key(&self) -> Result<Vec<u8>, PkiError> {
        let (_, parsed) = X509Certificate::from_der(&self.der)
            .map_err(|_| "the certificate is not an X.509 certificate")?;
        Ok(parsed.public_key().raw.to_vec())
    }
}

/// Reads the certificates of a PEM file (RFC 7468). Text around them is allowed, because tools write it.
///
/// # Errors
/// If the file has a private key, no certificate, an invalid certificate, or more than [`MAX_BYTES`]. A bundle of CAs is never read in
/// part.
pub fn read_certificates(text: &[u8]) -> Result<Vec<Certificate>, PkiError> {
    if text.len() > MAX_BYTES {
        return Err("it is longer than 8 MiB, which is the limit for certificates".into());
    }
    let private = b"PRIVATE KEY";
    if labels(text).any(|label| label.windows(private.len()).any(|part| part == private)) {
        let advice = "there is a private key in it: keep keys in separate files that only their owner can read";
        return Err(advice.into());
    }
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let number = found.len() + 1;
        let broken = |why| PkiError(format!("certificate {number} in it is broken: {why}"));
        match section {
            Ok((SectionKind::Certificate, der)) => found.push(read(der).map_err(broken)?),
            Ok(_) => {}
            Err(error) => return Err(broken(pem_fault(&error))),
        }
    }
    if found.is_empty() {
        let found = what_else(text);
        return Err(PkiError(format!("there is no certificate in it: {found}")));
    }
    Ok(found)
}

/// Reads one certificate in DER, as it is shown in a handshake.
///
/// # Errors
/// If it is not a valid certificate.
pub fn read_certificate(der: &[u8]) -> Result<Certificate, PkiError> {
    read(der.to_vec()).map_err(|why| PkiError(format!("the certificate is broken: {why}")))
}

/// The labels of the PEM blocks, such as `CERTIFICATE`. In a file that has lost its line breaks, more text follows on the same line.
fn labels(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter_map(|line| line.trim_ascii().strip_prefix(b"-----BEGIN "))
        .map(|line| {
            let end = line.windows(5).position(|part| part == b"-----");
            &line[..end.unwrap_or(line.len())]
        })
}

/// A message for invalid PEM. It does not quote the text, as rustls would: the text may be a key.
pub(crate) fn pem_fault(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "it has no -----END line; the file may have been cut off"
        }
        pem::Error::IllegalSectionStart { .. } => "its -----BEGIN line does not end in -----",
        pem::Error::Base64Decode(_) => "the text between its BEGIN and its END is not base64",
        _ => "it is not PEM",
    }
    .to_owned()
}

/// A guess at the content of a file without a certificate.
fn what_else(text: &[u8]) -> String {
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return "it is empty".to_owned();
    }
    if X509Certificate::from_der(text).is_ok() {
        return "it is DER, not PEM; `openssl x509 -inform der -in FILE` makes PEM of it"
            .to_owned();
    }
    // "-----BEGIN" in base64: a field of a Secret, or a caBundle.
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
        X509Certificate::from_der(&der).map_err(|_| "it is not an X.509 certificate".to_owned())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow it", rest.len()));
    }
    let invalid = |what: &str| format!("its {what} cannot be read, or it is there twice");
    let (dns, ip) = names(&parsed)?;
    let constraints = parsed
        .get_extension_unique(&OID_X509_EXT_BASIC_CONSTRAINTS)
        .map_err(|_| invalid("basic constraints"))?;
    let is_authority = match constraints.map(X509Extension::parsed_extension) {
        Some(ParsedExtension::BasicConstraints(constraints)) => constraints.ca,
        Some(_) => return Err(invalid("basic constraints")),
        None => false,
    };
    // Whole bytes, as openssl prints them, without the zero that keeps a number positive in DER.
    let serial = parsed.raw_serial();
    let serial = match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => serial,
    };
    Ok(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        dns,
        ip,
        not_before: parsed.validity().not_before.to_datetime(),
        not_after: parsed.validity().not_after.to_datetime(),
        is_authority,
        serial: hex(serial),
        der,
    })
}

/// The DNS names and addresses. Clients connect to no other names, such as mail addresses.
fn names(parsed: &X509Certificate<'_>) -> Result<(Vec<String>, Vec<IpAddr>), String> {
    let invalid = || "its subject alternative name cannot be read, or it is there twice".to_owned();
    let (mut dns, mut ip) = (Vec::new(), Vec::new());
    let names = parsed.subject_alternative_name().map_err(|_| invalid())?;
    for name in names.iter().flat_map(|names| &names.value.general_names) {
        match name {
            GeneralName::DNSName(name) => dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => ip.push(address(bytes)?),
            GeneralName::Invalid(..) => return Err(invalid()),
            _ => {}
        }
    }
    Ok((dns, ip))
}

fn address(bytes: &[u8]) -> Result<IpAddr, String> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .map_err(|_| format!("it has an address of {} bytes", bytes.len()))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests;
