//! The webhook's paths: from an HTTP request to its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::connections::{Awaited, Busy, Connection};
use super::intake::{Memory, Refused};
use super::outgoing::Outgoing;
use super::refusal::Refusal;
use super::state::Shared;
use crate::review::{Decision, Malformed, Route, is_large, uid_of};

/// Routes every request, so that what is not for us is answered in our words too.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for route in Route::ALL {
        let handler = async move |State(shared): State<Arc<Shared>>, request: Request| {
            serve(shared, Some(route), request).await
        };
        router = router.route(route.path(), any(handler));
    }
    router
        .fallback(
            async |State(shared): State<Arc<Shared>>, request: Request| {
                serve(shared, None, request).await
            },
        )
        .with_state(shared)
}

/// What a request holds until its answer has been taken.
#[derive(Debug)]
struct Held {
    _place: OwnedSemaphorePermit,
    _memory: Memory,
    _in_flight: InFlight,
    _awaited: Option<Awaited>,
    _busy: Option<Busy>,
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

async fn serve(shared: Arc<Shared>, route: Option<Route>, request: Request) -> Response {
    let start = Instant::now();
    let version = request.version();
    let mut response = match review(&shared, route, request, start).await {
        Ok(response) => response,
        Err(refusal) => {
            if let Refusal::Shed(shortage) = refusal {
                shared.metrics.shed(shortage);
            }
            tracing::debug!(status = refusal.status().as_u16(), "a request was refused");
            refusal.into_response()
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
    response
}

/// Answers a review, or says why not.
async fn review(
    shared: &Arc<Shared>,
    route: Option<Route>,
    request: Request,
    start: Instant,
) -> Result<Response, Refusal> {
    let busy = request.extensions().get::<Arc<Connection>>();
    let busy = busy.map(Connection::begin);
    let in_flight = InFlight::new(&shared.metrics.in_flight);
    let route = route.ok_or(Refusal::UnknownPath)?;
    if request.method() != Method::POST {
        return Err(Refusal::NotPost);
    }
    if !is_json(&request) {
        return Err(Refusal::NotJson);
    }
    let deadline = start + time_for(&request, shared);
    let length = length_of(&request);
    if length.is_some_and(|length| length > shared.limits.body) {
        return Err(Refusal::TooLarge(shared.limits.body));
    }
    let mut body = request.into_body();
    let mut memory = Memory::default();
    let taken = async {
        let place = shared
            .intake
            .place(deadline)
            .await
            .map_err(Refused::Short)?;
        let intake = &shared.intake;
        let read = intake.read(&mut body, length, &mut memory, deadline, busy.as_ref());
        Ok((place, read.await?))
    };
    let (place, bytes) = match taken.await {
        Ok(taken) => taken,
        Err(Refused::Short(shortage)) => {
            drop(memory);
            // The client is still sending: an answer now would reach it as a broken connection.
            shared
                .intake
                .discard(&mut body, deadline, busy.as_ref())
                .await
                .map_err(|refused| Refusal::of(refused, shared.limits.body))?;
            return Err(Refusal::Shed(shortage));
        }
        Err(refused) => return Err(Refusal::of(refused, shared.limits.body)),
    };
    shared.metrics.body(bytes.len());
    let answer = if is_large(&bytes) {
        let turn = shared.intake.turn(deadline).await.map_err(Refusal::Shed)?;
        let shared = Arc::clone(shared);
        let deciding = tokio::task::spawn_blocking(move || {
            let answer = decide(&shared, &bytes, route, start);
            drop((turn, bytes));
            answer
        });
        // It neither panics, for decide catches that, nor is it cancelled.
        deciding.await.unwrap_or(Err(Refusal::Bug(None)))?
    } else {
        let answer = decide(shared, &bytes, route, start)?;
        drop(bytes);
        answer
    };
    memory.shrink_to(answer.len());
    let held = Held {
        _place: place,
        _memory: memory,
        _in_flight: in_flight,
        _awaited: busy.as_ref().map(Busy::awaits),
        _busy: busy,
    };
    let body = Body::new(Outgoing::new(Bytes::from(answer), held));
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], body).into_response())
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
        asked.min(shared.limits.longest_request)
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
