//! The webhook's paths: from an HTTP request to its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, Version, header};
use axum::routing::any;
use axum::{Extension, Router};
use prometheus_client::metrics::gauge::Gauge;
use tokio::time::{Instant, timeout_at};

use super::http_error::{HttpError, Shortage};
use super::intake::{self, hold};
use super::outgoing::Outgoing;
use super::state::Shared;
use crate::admission::{AnswerError, Decision, Route, is_large, uid_of};
use crate::inject::AuditAnnotations;
use crate::process::clients::{Client, Share};
use crate::process::connection::Peer;

/// Routes every request, so that errors for other paths have our form too.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let to = |route| {
        async move |State(shared): State<Arc<Shared>>,
                    Extension(peer): Extension<Peer>,
                    request: Request| { serve(shared, peer, route, request).await }
    };
    let mut router = Router::new();
    for route in Route::ALL {
        router = router.route(route.path(), any(to(Some(route))));
    }
    router.fallback(to(None)).with_state(shared)
}

/// Counts a request as in flight until this is dropped.
struct InFlight(Gauge);

impl InFlight {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn serve(
    shared: Arc<Shared>,
    peer: Peer,
    route: Option<Route>,
    request: Request,
) -> Response<Body> {
    let start = Instant::now();
    let version = request.version();
    let in_flight = InFlight::new(&shared.metrics.in_flight);
    let (mut response, memory) = match review(&shared, peer.client, route, request, start).await {
        Ok((answer, memory)) => {
            let mut response = Response::new(Bytes::from(answer));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            (response, Some(memory))
        }
        Err(error) => {
            if let HttpError::Shed(shortage) = error {
                shared.metrics.shed(shortage);
            }
            tracing::debug!(status = error.status().as_u16(), "a request was refused");
            (error.into_response(), None)
        }
    };
    // The API server keeps its HTTP/1.1 connections until they are closed; HTTP/2 has a message of its own for this.
    if shared.health.is_stopping() && version < Version::HTTP_2 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    shared
        .metrics
        .answered(response.status().as_u16(), start.elapsed());
    let held = (memory, in_flight);
    let patience = shared.limits.answer;
    response.map(|bytes| Body::new(Outgoing::new(bytes, held, version, peer.cut, patience)))
}

/// Answers a review, with the memory that the answer takes.
async fn review(
    shared: &Arc<Shared>,
    client: Client,
    route: Option<Route>,
    request: Request,
    start: Instant,
) -> Result<(Vec<u8>, Share), HttpError> {
    let route = route.ok_or(HttpError::UnknownPath)?;
    if request.method() != Method::POST {
        return Err(HttpError::NotPost);
    }
    if !is_json(&request) {
        return Err(HttpError::NotJson);
    }
    let limit = shared.limits.body;
    let length = length_of(&request);
    if length.is_some_and(|length| length > limit) {
        return Err(HttpError::TooLarge(limit));
    }
    let deadline = start + time_for(&request, shared.limits.request);
    let memory = shared.memory.take(client, intake::OVERHEAD);
    let mut body = request.into_body();
    let (bytes, memory) = intake::read(memory, &mut body, length, limit, deadline).await?;
    let large = is_large(&bytes);
    // Tests rely on this order: a body that is counted waits for its turn.
    shared.metrics.body(bytes.len());
    let (answer, mut memory) = if large {
        decide_beside(shared, client, (bytes, memory), route, start, deadline).await?
    } else {
        (decide(shared, &bytes, route, start)?, memory)
    };
    hold(&mut memory, answer.capacity())?;
    Ok((answer, memory))
}

/// Decides a large request on a thread of its own when it is its turn. It is not decided if its client has gone or its time is over. A
/// decision that has begun is finished, because its cost is bounded by its bytes.
async fn decide_beside(
    shared: &Arc<Shared>,
    client: Client,
    (bytes, memory): (Bytes, Share),
    route: Route,
    start: Instant,
    deadline: Instant,
) -> Result<(Vec<u8>, Share), HttpError> {
    let late = HttpError::Shed(Shortage::Time);
    let Ok(turn) = timeout_at(deadline, shared.turns.wait(client)).await else {
        return Err(late);
    };
    let shared = Arc::clone(shared);
    let deciding = tokio::task::spawn_blocking(move || {
        if Instant::now() >= deadline {
            return Err(late);
        }
        let answer = decide(&shared, &bytes, route, start)?;
        drop((turn, bytes));
        Ok((answer, memory))
    });
    // An error here means a panic, which decide catches, or an abort, which this program never calls.
    deciding.await.unwrap_or(Err(HttpError::Bug(None)))
}

/// The decision, with its log line and its metrics. A panic affects this request only.
fn decide(
    shared: &Shared,
    body: &[u8],
    route: Route,
    start: Instant,
) -> Result<Vec<u8>, HttpError> {
    let config = shared.config.load();
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let answer = (shared.decide)(body, route, &config)?;
        shared.metrics.decided(&answer.decision);
        log(&answer.decision, start.elapsed());
        Ok::<_, AnswerError>(answer.body)
    }));
    let bug = match decided {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(AnswerError::Malformed(malformed))) => {
            tracing::warn!(error = %malformed, bytes = body.len(), "refused a request that is not an AdmissionReview");
            return Err(HttpError::Malformed(malformed));
        }
        Ok(Err(error @ AnswerError::Unwritten(_))) => Some(error.to_string()),
        Err(_) => None,
    };
    shared.metrics.panics.inc();
    // The cause of a panic may make this panic too.
    let uid = catch_unwind(|| uid_of(body)).unwrap_or_default();
    tracing::error!(
        uid = uid.as_deref().unwrap_or("unreadable"),
        error = bug,
        "a bug: this request could not be decided and was answered with 500"
    );
    Err(HttpError::Bug(uid))
}

/// Logs a decision. Of the object, only its name and namespace are logged.
fn log(decision: &Decision<'_>, elapsed: Duration) {
    let AuditAnnotations {
        reasons, targets, ..
    } = &decision.audit_annotations;
    tracing::info!(
        uid = short(&decision.uid),
        namespace = decision.namespace.as_deref().map(short),
        name = decision.name.as_deref().map(short),
        operation = decision.operation.code(),
        dry_run = decision.dry_run,
        outcome = decision.outcome.code(),
        reasons = (!reasons.is_empty()).then_some(reasons),
        targets = (!targets.is_empty()).then_some(targets),
        operations = decision.operations,
        warnings = decision.warnings,
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "reviewed"
    );
}

/// Cuts a name. The API server's names are short; others must not fill the log.
fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(253)]
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn length_of(request: &Request) -> Option<usize> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// How long the API server waits for this request, such as `?timeout=10s`, but at most `limit`.
fn time_for(request: &Request, limit: Duration) -> Duration {
    let asked = request.uri().query().and_then(|query| {
        let value = query
            .split('&')
            .find_map(|part| part.strip_prefix("timeout="))?;
        humantime::parse_duration(value).ok()
    });
    asked.map_or(limit, |asked| asked.min(limit))
}
