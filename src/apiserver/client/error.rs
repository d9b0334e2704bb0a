//! What goes wrong on the way to a webhook, told to somebody for whom "tracing does not work".

use std::error::Error;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy;
use rustls::{AlertDescription, CertificateError};

/// A call that brought no answer. To kube-apiserver each of these is a failed call: `failurePolicy: Ignore` lets the write pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The URL of the webhook is not one that the API server would call.
    #[error("{url:?} is not the URL of a webhook: {why}; give one such as https://localhost:8443")]
    Url {
        /// The URL as it was given.
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
    /// There is nobody at that address.
    #[error(
        "cannot connect to {url}: {why}; check host and port, and that the webhook runs (kubectl -n seldon-tracing get pods,endpointslices)"
    )]
    Connect {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// The TLS handshake failed.
    #[error("cannot agree on TLS with {url}: {trouble}")]
    Tls {
        /// Where.
        url: String,
        /// What is wrong and what to do.
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
        /// The time that the webhook had.
        timeout: Duration,
        /// The status that was answered before, with a `Retry-After`.
        last_status: Option<u16>,
    },
    /// The connection broke before the answer was there. The API server does not ask again.
    #[error(
        "the connection to {url} broke before the answer was there: {why}; look at the webhook's log"
    )]
    Broken {
        /// Where.
        url: String,
        /// How.
        why: String,
    },
    /// The answer has no end in sight.
    #[error("the answer of {url} is longer than {limit} bytes; is this a webhook?")]
    TooLong {
        /// Where.
        url: String,
        /// How much is read at most.
        limit: usize,
    },
}

/// What is wrong with TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsTrouble {
    /// The certificate is not signed by the CA.
    #[error(
        "its certificate is not signed by the CA that it is held against; give the right one with --cacert (it is caBundle of the webhook configuration, decoded from base64), or take any certificate with --insecure"
    )]
    UnknownAuthority,
    /// The certificate is for another name.
    #[error(
        "its certificate is not for this name ({0}); the API server expects SERVICE.NAMESPACE.svc: give that with --server-name, or take any certificate with --insecure"
    )]
    WrongName(String),
    /// The certificate was valid once.
    #[error("its certificate has expired ({0}); it has to be renewed (certificates: certs show)")]
    Expired(String),
    /// The certificate will be valid one day.
    #[error("its certificate is not valid yet ({0}); compare the clocks")]
    NotYetValid(String),
    /// The certificate is that of a CA.
    #[error(
        "it shows the certificate of a CA as its own; a webhook needs one that the CA has signed, such as certs new makes"
    )]
    Authority,
    /// It wants to know who asks.
    #[error(
        "it asks for a client certificate and did not take what it got ({0}); it was started with --client-ca"
    )]
    ClientCertificate(String),
    /// There is no TLS.
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
                Certificate::Expired | Certificate::ExpiredContext { .. } => {
                    Self::Expired(trouble.to_string())
                }
                Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                    Self::NotYetValid(trouble.to_string())
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

impl ClientError {
    /// What a failed request is to people.
    pub(super) fn of(url: &str, error: &legacy::Error) -> Self {
        let url = url.to_owned();
        if let Some(error) = find::<rustls::Error>(error) {
            let trouble = TlsTrouble::of(error);
            return Self::Tls { url, trouble };
        }
        let why = innermost(error);
        if error.is_connect() {
            // What is at the port may end the connection instead of a handshake.
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

    /// What a body that ends too early or too late is to people.
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

/// The text of what began it: all above only say that a request failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| cause(*error))
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn with_status(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| {
        format!(" (before that it answered {status} and asked to try again)")
    })
}
