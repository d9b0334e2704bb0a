//! Errors of a call, explained to a user for whom "tracing does not work".

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use hyper_util::client::legacy;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

/// A call without an answer. To kube-apiserver each of these is a failed call: `failurePolicy: Ignore` lets the write pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The URL of the webhook is not one that the API server would call.
    #[error("{url:?} is not the URL of a webhook: {why}; use one such as https://localhost:8443")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Certificates or keys cannot be used.
    #[error("cannot use {what}: {why}")]
    Credentials {
        /// Which.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Nothing accepts connections at that address.
    #[error(
        "cannot connect to {url}: {why}; check host and port, and check that the webhook runs (kubectl -n seldon-tracing get pods,endpointslices)"
    )]
    Connect {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake with {url} failed: {trouble}")]
    Tls {
        /// Where.
        url: String,
        /// What is wrong, and what to do.
        trouble: TlsTrouble,
    },
    /// There was no answer in time.
    #[error(
        "{url} gave no answer within {}{}; the API server waits timeoutSeconds of the webhook configuration",
        humantime::format_duration(*.timeout),
        with_status(*.last_status)
    )]
    Timeout {
        /// Where.
        url: String,
        /// The time.
        timeout: Duration,
        /// The status of an earlier answer, with `Retry-After`.
        last_status: Option<u16>,
    },
    /// The connection broke before the answer was complete. The API server does not retry.
    #[error(
        "the connection to {url} broke before the answer was complete: {why}; see the webhook's log"
    )]
    Broken {
        /// Where.
        url: String,
        /// How.
        why: String,
    },
    /// The answer is too long.
    #[error("the answer of {url} is longer than {limit} bytes; is this a webhook?")]
    TooLong {
        /// Where.
        url: String,
        /// The limit, in bytes.
        limit: usize,
    },
}

/// What is wrong with TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsTrouble {
    /// The certificate is not signed by the CA.
    #[error(
        "its certificate is not signed by the CA that was given; name the right CA with --cacert (it is caBundle of the webhook configuration, decoded from base64), or accept any certificate with --insecure"
    )]
    UnknownAuthority,
    /// The certificate has another name.
    #[error(
        "its certificate is not for this name ({0}); the API server expects SERVICE.NAMESPACE.svc: name that with --server-name, or accept any certificate with --insecure"
    )]
    WrongName(String),
    /// The certificate has expired.
    #[error("its certificate expired at {0}; renew it")]
    Expired(String),
    /// The certificate is not valid yet.
    #[error("its certificate is not valid before {0}; check the system clocks")]
    NotYetValid(String),
    /// The certificate is that of a CA.
    #[error(
        "its certificate is that of a CA; a webhook needs one that the CA has signed, as made by certs new"
    )]
    Authority,
    /// It requires a client certificate.
    #[error(
        "it requires a client certificate and refused this one or none ({0}); it was started with --client-ca"
    )]
    ClientCertificate(String),
    /// It does not speak TLS.
    #[error("it does not speak TLS on this port; is this the port for health checks and metrics?")]
    NotTls,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl TlsTrouble {
    fn of(error: &rustls::Error) -> Self {
        use CertificateError as Certificate;
        use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
        match error {
            InvalidCertificate(trouble) => match trouble {
                Certificate::UnknownIssuer | Certificate::BadSignature => Self::UnknownAuthority,
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                    Self::WrongName(trouble.to_string())
                }
                Certificate::ExpiredContext { not_after, .. } => Self::Expired(date(*not_after)),
                Certificate::NotValidYetContext { not_before, .. } => {
                    Self::NotYetValid(date(*not_before))
                }
                // webpki's CaUsedAsEndEntity has no variant of its own in rustls.
                other if other.to_string().contains("CaUsedAsEndEntity") => Self::Authority,
                other => Self::Other(other.to_string()),
            },
            AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA,
            ) => Self::ClientCertificate(error.to_string()),
            InvalidMessage(_) => Self::NotTls,
            other => Self::Other(other.to_string()),
        }
    }
}

fn date(time: UnixTime) -> String {
    humantime::format_rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs()))
        .to_string()
}

impl ClientError {
    /// Explains a failed request.
    pub(super) fn of(url: &str, error: &legacy::Error) -> Self {
        let url = url.to_owned();
        if let Some(error) = find::<rustls::Error>(error) {
            let trouble = TlsTrouble::of(error);
            return Self::Tls { url, trouble };
        }
        let why = innermost(error);
        if error.is_connect() {
            // A server without TLS may close the connection instead of a handshake.
            match find::<io::Error>(error).map(io::Error::kind) {
                Some(io::ErrorKind::UnexpectedEof) => Self::Tls {
                    url,
                    trouble: TlsTrouble::NotTls,
                },
                _ => Self::Connect { url, why },
            }
        } else {
            Self::Broken { url, why }
        }
    }

    /// Explains a body that ends too early or is too long.
    pub(super) fn of_body(url: &str, error: &(dyn Error + 'static), limit: usize) -> Self {
        let url = url.to_owned();
        if find::<http_body_util::LengthLimitError>(error).is_some() {
            return Self::TooLong { url, limit };
        }
        match find::<rustls::Error>(error) {
            Some(error) => Self::Tls {
                url,
                trouble: TlsTrouble::of(error),
            },
            None => Self::Broken {
                url,
                why: innermost(error),
            },
        }
    }
}

/// The cause below an error. An I/O error hides the one that it wraps from `source`.
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
