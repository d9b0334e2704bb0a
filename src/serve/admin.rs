//! The plain-HTTP listener for the kubelet and for Prometheus: `/livez`, `/readyz`, `/metrics`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::state::Shared;

/// The paths.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        // That this is answered is the answer.
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(async || {
            let known = "there are /livez, /readyz (?verbose) and /metrics here; the webhook is on the other port\n";
            (StatusCode::NOT_FOUND, known)
        })
        .with_state(shared)
}

async fn readyz(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let (ready, checks) = shared.health.ready();
    let asked = query
        .as_deref()
        .is_some_and(|query| query.split('&').any(|part| part.starts_with("verbose")));
    match (ready, asked) {
        (true, false) => "ok\n".into_response(),
        (true, true) => format!("{checks}ready\n").into_response(),
        (false, _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{checks}not ready\n"),
        )
            .into_response(),
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    if let Some(lost) = &shared.dropped_lines {
        let counter = shared.metrics.log_lines_dropped.inner();
        counter.store(lost.count(), Ordering::Relaxed);
    }
    let open = i64::try_from(shared.connections.held()).unwrap_or(i64::MAX);
    shared.metrics.connections.set(open);
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], shared.metrics.text()).into_response()
}
