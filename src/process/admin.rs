//! The plain-HTTP listener for the kubelet and for Prometheus: `/livez`, `/readyz`, `/metrics`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::Handle;
use axum_server::accept::DefaultAcceptor;
use prometheus_client::metrics::counter::Counter;
use tokio::net::TcpListener;

use super::clients::Pool;
use super::connection::Bounds;
use super::health::Health;
use super::listener;
use super::metrics::FORM;

/// Connections at a time.
const CONNECTIONS: usize = 32;

/// How long a client may take for its first request, and between requests.
const IDLE: Duration = Duration::from_secs(10);

/// Answers until the future is dropped. `metrics` renders the page of that name.
pub(crate) async fn serve<M>(
    listener: TcpListener,
    health: Arc<Health>,
    metrics: M,
) -> io::Result<()>
where
    M: Fn() -> String + Clone + Send + Sync + 'static,
{
    let bounds = Bounds {
        connections: Pool::new(CONNECTIONS),
        first_request: IDLE,
        idle: IDLE,
        stalled: IDLE,
        header: 8 << 10,
        // The metrics of connections count those of the other listener.
        refused: Counter::default(),
        failed: Counter::default(),
    };
    let router = Router::new()
        // A process that answers at all is alive.
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async move |query: RawQuery| readyz(&health, query)))
        .route("/metrics", get(async move || {
            ([(header::CONTENT_TYPE, FORM)], metrics())
        }))
        .fallback(async || {
            let paths = "nothing is served at this path; this listener serves /livez, /readyz (?verbose) and /metrics\n";
            (StatusCode::NOT_FOUND, paths)
        });
    listener::serve(
        listener,
        DefaultAcceptor::new(),
        bounds,
        router,
        Handle::new(),
    )
    .await
}

fn readyz(health: &Health, RawQuery(query): RawQuery) -> Response {
    let (ready, checks) = health.ready();
    let verbose = query
        .as_deref()
        .is_some_and(|query| query.split('&').any(|part| part.starts_with("verbose")));
    match (ready, verbose) {
        (true, false) => "ok\n".into_response(),
        (true, true) => format!("{checks}ready\n").into_response(),
        (false, _) => {
            let text = format!("{checks}not ready\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}
