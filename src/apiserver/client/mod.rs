//! The API server as a client: how it calls a webhook over HTTPS.
//!
//! `review` and the tests use it, so it does what kube-apiserver does and nothing more helpful: HTTP/1.1, at most 25 idle connections
//! for at most 90 seconds, no retry on a connection that broke, and a retry after an answer of 429 or 5xx with `Retry-After`
//! (`rest/with_retry.go` and `transport/cache.go` of client-go, `pkg/util/webhook/client.go` of the API server). Unlike Go, it does not
//! retry if not one byte was written either, because that would hide a fault of the server under test.

mod error;
mod insecure;
mod target;

use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use axum::http::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{
    DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, ResolveServerName,
};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::time::{Instant, sleep, timeout_at};

pub use error::ClientError;
pub(crate) use target::tls;
pub use target::{Target, Trust};

use crate::apiserver::verify::Reply;

/// The path of a URL that has none.
const DEFAULT_PATH: &str = "/mutate";

/// The most idle connections: client-go's default.
const IDLE_CONNECTIONS: usize = 25;

/// How long a connection may be idle: the default of Go's transport.
const IDLE_TIME: Duration = Duration::from_secs(90);

/// The most retries because of `Retry-After`.
const MAX_RETRIES: u32 = 10;

/// The largest answer, in bytes. The API server has no limit; this one prevents that a wrong address fills the memory.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The last answer, to be checked by [`verify`](crate::apiserver::verify::verify).
    pub reply: Reply,
    /// The number of retries.
    pub retries: u32,
    /// Whether an answer closed its connection with `Connection: close`.
    pub closes: bool,
}

/// Calls one webhook. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    headers: HeaderMap,
    second: Duration,
}

impl Client {
    /// A client for a webhook. It does not connect yet.
    ///
    /// # Errors
    /// A URL that a webhook cannot have, or certificates or keys that cannot be used.
    pub fn new(target: &Target) -> Result<Self, ClientError> {
        Self::on(target, DEFAULT_PATH)
    }

    /// The same, with the path to call if the URL has none.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn on(target: &Target, default_path: &str) -> Result<Self, ClientError> {
        let url = target::uri(&target.url, default_path)?.to_string();
        let mut headers = HeaderMap::new();
        let agent = HeaderValue::from_static("kube-apiserver-admission");
        headers.insert(USER_AGENT, agent);
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json);
        let accepted = HeaderValue::from_static("application/json, */*");
        headers.insert(ACCEPT, accepted);
        let name = target
            .server_name
            .as_deref()
            .map(target::server_name)
            .transpose()?;
        if let Some(ServerName::DnsName(name)) = &name
            && let Ok(host) = HeaderValue::from_str(name.as_ref())
        {
            headers.insert(HOST, host);
        }
        let resolver: Arc<dyn ResolveServerName + Send + Sync> = match name {
            Some(name) => Arc::new(FixedServerNameResolver::new(name)),
            None => Arc::new(DefaultServerNameResolver::default()),
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnector::new(tcp, target::tls(target)?, true, resolver);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .retry_canceled_requests(false)
            .build(connector);
        Ok(Self {
            http,
            url,
            headers,
            second: Duration::from_secs(1),
        })
    }

    /// Changes how long a second of `Retry-After` lasts, so that tests need not wait.
    #[must_use]
    pub const fn with_second(mut self, second: Duration) -> Self {
        self.second = second;
        self
    }

    /// The URL, without the query.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls the webhook, with retries if an answer asks for them.
    ///
    /// # Errors
    /// No answer, or none within the timeout, which includes all retries.
    pub async fn call(&self, body: Bytes, timeout: Duration) -> Result<Answered, ClientError> {
        let deadline = Instant::now() + timeout;
        let mut last_status = None;
        let mut retries = 0;
        let mut closes = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let asked = timeout_at(deadline, self.ask(body.clone(), left)).await;
            let Ok(asked) = asked else {
                return Err(self.too_late(timeout, last_status));
            };
            let (reply, headers) = asked?;
            closes |= headers.get(CONNECTION).is_some_and(says_close);
            let again = (retries < MAX_RETRIES)
                .then(|| retry_after(reply.status, &headers))
                .flatten();
            let Some(seconds) = again else {
                return Ok(Answered {
                    reply,
                    retries,
                    closes,
                });
            };
            last_status = Some(reply.status);
            retries += 1;
            let wait = self.second.saturating_mul(seconds);
            if timeout_at(deadline, sleep(wait)).await.is_err() {
                return Err(self.too_late(timeout, last_status));
            }
        }
    }

    async fn ask(&self, body: Bytes, left: Duration) -> Result<(Reply, HeaderMap), ClientError> {
        // In whole seconds, rounded up.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let mut request = Request::post(format!("{}?timeout={seconds}s", self.url))
            .body(Full::new(body))
            .map_err(|error| ClientError::Url(self.url.clone(), error.to_string()))?;
        request.headers_mut().clone_from(&self.headers);
        let answer = self
            .http
            .request(request)
            .await
            .map_err(|error| ClientError::of(&self.url, &error))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| ClientError::of_body(&self.url, error.as_ref(), MAX_ANSWER))?
            .to_bytes();
        let content_type = parts
            .headers
            .get(CONTENT_TYPE)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let reply = Reply {
            status: parts.status.as_u16(),
            content_type,
            body,
        };
        Ok((reply, parts.headers))
    }

    fn too_late(&self, timeout: Duration, last_status: Option<u16>) -> ClientError {
        ClientError::Timeout(self.url.clone(), timeout, last_status)
    }
}

fn says_close(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|text| {
        text.split(',')
            .any(|word| word.trim().eq_ignore_ascii_case("close"))
    })
}

/// After how many seconds the API server retries, if it does. It ignores a date, which HTTP allows too.
fn retry_after(status: u16, headers: &HeaderMap) -> Option<u32> {
    if status != 429 && !(500..=599).contains(&status) {
        return None;
    }
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}
