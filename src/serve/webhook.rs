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

use super::intake::{self, Refused, hold};
use super::metrics::Shortage;
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::state::Shared;
use crate::admission::{Decision, Malformed, Route, is_large, uid_of};
use crate::process::accept::Peer;
use crate::process::clients::{Client, Part};

/// Routes every request, so that what is not for us is answered in our words too.
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

/// One up now, one down when it goes.
#[derive(Debug)]
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
        Err(refusal) => {
            if let Refusal::Shed(shortage) = refusal {
                shared.metrics.shed(shortage);
            }
            tracing::debug!(status = refusal.status().as_u16(), "a request was refused");
            (refusal.into_response(), None)
        }
    };
    // The API server keeps to the connections that it has until they are closed; HTTP/2 says goodbye in its own way.
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

/// Answers a review, with the memory that the answer takes, or says why not.
async fn review(
    shared: &Arc<Shared>,
    client: Client,
    route: Option<Route>,
    request: Request,
    start: Instant,
) -> Result<(Vec<u8>, Part), Refusal> {
    let route = route.ok_or(Refusal::UnknownPath)?;
    if request.method() != Method::POST {
        return Err(Refusal::NotPost);
    }
    if !is_json(&request) {
        return Err(Refusal::NotJson);
    }
    let most = shared.limits.body;
    let length = length_of(&request);
    if length.is_some_and(|length| length > most) {
        return Err(Refusal::TooLarge(most));
    }
    let deadline = start + time_for(&request, shared);
    let mut body = request.into_body();
    let memory = shared.memory.take(client, intake::OVERHEAD);
    let taken = intake::read(memory, &mut body, length, most, deadline);
    let (bytes, memory) = match taken.await {
        Ok(taken) => taken,
        Err(refused) => {
            // The API server comes back over the same connection.
            if let Refused::Short(_) = refused {
                let discarded = intake::discard(&mut body, most, deadline).await;
                discarded.map_err(|refused| Refusal::of(refused, most))?;
            }
            return Err(Refusal::of(refused, most));
        }
    };
    let large = is_large(&bytes);
    // Whoever sees this count knows that the request waits for its turn.
    shared.metrics.body(bytes.len());
    let (answer, mut memory) = if large {
        decide_beside(shared, client, (bytes, memory), route, start, deadline).await?
    } else {
        (decide(shared, &bytes, route, start)?, memory)
    };
    hold(&mut memory, answer.capacity()).map_err(|refused| Refusal::of(refused, most))?;
    Ok((answer, memory))
}

/// Decides a large request on the thread for those, when it is its turn. A request whose client has gone or whose time is over
/// is not decided; a decision that has begun ends by itself, for its cost is bounded by its bytes.
async fn decide_beside(
    shared: &Arc<Shared>,
    client: Client,
    (bytes, memory): (Bytes, Part),
    route: Route,
    start: Instant,
    deadline: Instant,
) -> Result<(Vec<u8>, Part), Refusal> {
    let late = Refusal::Shed(Shortage::Time);
    let Ok(Some(turn)) = timeout_at(deadline, shared.turns.wait(client)).await else {
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
    // It does not panic, for decide catches that, and nobody cancels it.
    deciding.await.unwrap_or(Err(Refusal::Bug(None)))
}

/// The decision, with its log line and its metrics. A panic costs this request only.
fn decide(shared: &Shared, body: &[u8], route: Route, start: Instant) -> Result<Vec<u8>, Refusal> {
    let config = shared.config.load();
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let answer = (shared.decide)(body, route, &config)?;
        shared.metrics.decided(&answer.decision);
        log(&answer.decision, start.elapsed());
        Ok::<_, Malformed>(answer.body)
    }));
    match decided {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(malformed)) => {
            tracing::warn!(error = %malformed, bytes = body.len(), "a request that is no AdmissionReview was refused");
            Err(Refusal::Malformed(malformed))
        }
        Err(_) => {
            shared.metrics.panics.inc();
            // What made the decision panic may make this panic too.
            let uid = catch_unwind(|| uid_of(body)).unwrap_or_default();
            tracing::error!(
                uid = uid.as_deref().unwrap_or("unreadable"),
                "a bug: this request could not be decided and was answered with 500"
            );
            Err(Refusal::Bug(uid))
        }
    }
}

/// One line for a decision. Nothing of the object is in it but its name and namespace.
fn log(decision: &Decision<'_>, elapsed: Duration) {
    let word = |name: &str| {
        let mut words = decision.audit_annotations.iter();
        words
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    };
    tracing::info!(
        uid = short(&decision.uid),
        namespace = decision.namespace.as_deref().map(short),
        name = decision.name.as_deref().map(short),
        operation = decision.operation.code(),
        dry_run = decision.dry_run,
        outcome = decision.outcome.code(),
        reasons = word("reasons"),
        targets = word("targets"),
        operations = decision.operations,
        warnings = decision.warnings,
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "reviewed"
    );
}

/// Names are short where they come from the API server; others do not fill the log.
fn short(name: &str) -> &str {
    let mut end = name.len().min(253);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
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

/// How long the API server waits for this: `?timeout=10s`.
fn time_for(request: &Request, shared: &Shared) -> Duration {
    let asked = request.uri().query().and_then(|query| {
        let mut parts = query.split('&');
        let value = parts.find_map(|part| part.strip_prefix("timeout="))?;
        humantime::parse_duration(value).ok()
    });
    asked.map_or(shared.limits.request, |asked| {
        asked.min(shared.limits.request)
    })
}

impl Refusal {
    fn of(refused: Refused, most: usize) -> Self {
        match refused {
            Refused::TooLarge => Self::TooLarge(most),
            Refused::Short(shortage) => Self::Shed(shortage),
            Refused::Slow => Self::Slow,
            Refused::Broken => Self::Broken,
        }
    }
}
