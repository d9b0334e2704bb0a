//! Errors of a call, explained to a user for whom "tracing does not work".

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use hyper_util::client::legacy;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

/// A call without an answer. To kube-apiserver each of these is a failed call: `failurePolicy: Ignore` lets the write pass.
///
/// The first field is the URL of the webhook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The API server would not call this URL of the webhook, for this reason.
    #[error("{0:?} is not the URL of a webhook: {1}; use one such as https://localhost:8443")]
    Url(String, String),
    /// These certificates or keys cannot be used, for this reason.
    #[error("cannot use {0}: {1}")]
    Credentials(&'static str, String),
    /// Nothing accepts connections at that address.
    #[error(
        "cannot connect to {0}: {1}; check host and port, and check that the webhook runs (kubectl -n seldon-tracing get pods,endpointslices)"
    )]
    Connect(String, String),
    /// The TLS handshake failed. What is wrong, and what to do.
    #[error("the TLS handshake with {0} failed: {1}")]
    Tls(String, String),
    /// There was no answer in this time, except for one of this status with `Retry-After`.
    #[error(
        "{0} gave no answer within {time}{status}; the API server waits timeoutSeconds of the webhook configuration",
        time = humantime::format_duration(*.1),
        status = with_status(*.2)
    )]
    Timeout(String, Duration, Option<u16>),
    /// The connection broke before the answer was complete. The API server does not retry.
    #[error(
        "the connection to {0} broke before the answer was complete: {1}; see the webhook's log"
    )]
    Broken(String, String),
    /// The answer has more than this number of bytes.
    #[error("the answer of {0} is longer than {1} bytes; is this a webhook?")]
    TooLong(String, usize),
}

const NOT_TLS: &str =
    "it does not speak TLS on this port; is this the port for health checks and metrics?";

/// What is wrong with TLS, and what to do.
fn tls_trouble(error: &rustls::Error) -> String {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    match error {
        InvalidCertificate(trouble) => certificate_trouble(trouble),
        AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => format!(
            "it requires a client certificate and refused this one or none ({error}); it was started with --client-ca"
        ),
        InvalidMessage(_) => NOT_TLS.to_owned(),
        other => other.to_string(),
    }
}

fn certificate_trouble(trouble: &CertificateError) -> String {
    use CertificateError as Is;
    match trouble {
        Is::UnknownIssuer | Is::BadSignature => {
            "its certificate is not signed by the CA that was given; name the right CA with --cacert (it is caBundle of the webhook configuration, decoded from base64), or accept any certificate with --insecure".to_owned()
        }
        Is::NotValidForName | Is::NotValidForNameContext { .. } => format!(
            "its certificate is not for this name ({trouble}); the API server expects SERVICE.NAMESPACE.svc: name that with --server-name, or accept any certificate with --insecure"
        ),
        Is::ExpiredContext { not_after, .. } => {
            format!("its certificate expired at {}; renew it", date(*not_after))
        }
        Is::NotValidYetContext { not_before, .. } => format!(
            "its certificate is not valid before {}; check the system clocks",
            date(*not_before)
        ),
        // webpki's CaUsedAsEndEntity has no variant of its own in rustls.
        other if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is that of a CA; a webhook needs a certificate signed by the CA, such as `certs new` makes".to_owned()
        }
        other => other.to_string(),
    }
}

fn date(time: UnixTime) -> String {
    humantime::format_rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs()))
        .to_string()
}

impl ClientError {
    /// Explains a failed request.
    pub(super) fn of(url: &str, error: &legacy::Error) -> Self {
        // A server without TLS may close the connection instead of a handshake.
        let closed = find::<io::Error>(error)
            .is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
        match find::<rustls::Error>(error) {
            Some(error) => Self::Tls(url.to_owned(), tls_trouble(error)),
            None if error.is_connect() && closed => Self::Tls(url.to_owned(), NOT_TLS.to_owned()),
            None if error.is_connect() => Self::Connect(url.to_owned(), innermost(error)),
            None => Self::Broken(url.to_owned(), innermost(error)),
        }
    }

    /// Explains a body that ends too early or is too long.
    pub(super) fn of_body(url: &str, error: &(dyn Error + 'static), limit: usize) -> Self {
        let url = url.to_owned();
        if find::<http_body_util::LengthLimitError>(error).is_some() {
            return Self::TooLong(url, limit);
        }
        match find::<rustls::Error>(error) {
            Some(error) => Self::Tls(url, tls_trouble(error)),
            None => Self::Broken(url, innermost(error)),
        }
    }
}

/// The cause below an error. An I/O error does not return the error that it wraps as its `source`.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    std::iter::successors(Some(error), |error| cause(*error)).find_map(|it| it.downcast_ref())
}

/// The text of the first cause; the errors above it only say that a request failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| cause(*error))
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn with_status(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| {
        format!(" (before that it answered {status} with Retry-After)")
    })
}
