//! The controller: renews the certificates and `caBundle`, and repairs models that were stored without the webhook.
//!
//! | file | what it is for |
//! |---|---|
//! | `certificates` | a task: the two Secrets and `caBundle`, step by step, as [`crate::pki::lifecycle`] decides |
//! | `secrets`, `ca_bundle` | the objects that this task reads and writes |
//! | `repair` | a task: models that lack the tracing they ask for, or have tracing that nothing asks for |
//! | `fleet`, `queue` | the state of the models; the order and the times of repairs |
//! | `watch` | notifies a task of changes to an object |
//! | `shared` | the parts that tasks share: the client, and reports of successes and failures |
//! | `events`, `metrics`, `trouble`, `backoff` | its pieces |
//!
//! A task never ends. All its state is in the cluster, so the process may stop at any time, and several replicas may run.

mod backoff;
mod ca_bundle;
mod certificates;
mod events;
mod fleet;
mod metrics;
mod queue;
mod repair;
mod secrets;
mod shared;
mod trouble;
mod watch;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use kube::Client;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub(crate) use self::repair::RepairOptions;
use self::shared::Shared;
use crate::pki::lifecycle::Times;
use crate::process::log::LostLines;
use crate::process::{admin, listener};

/// What the controller does.
pub(crate) struct Options {
    /// The namespace in which it is installed.
    pub(crate) namespace: String,
    /// Where health and metrics are served: the first of these addresses that can be bound.
    pub(crate) admin_listen: Vec<SocketAddr>,
    /// How long certificates are valid, if the controller manages them.
    pub(crate) certificates: Option<Times>,
    /// How models are repaired; `None` turns repairs off.
    pub(crate) repair: Option<RepairOptions>,
    /// The count of lost log lines, for the metric.
    pub(crate) lost_lines: LostLines,
}

/// Runs until it is told to stop.
///
/// # Errors
/// The port cannot be used, or a task has ended, which is a bug.
pub(crate) async fn run(
    client: Client,
    options: Options,
    mut stop: mpsc::Receiver<()>,
) -> io::Result<()> {
    let admin = listener::bind(&options.admin_listen, "--admin-listen")?;
    let address = admin.local_addr()?.to_string();
    tracing::info!(
        admin = address,
        version = env!("CARGO_PKG_VERSION"),
        "listening"
    );
    let keeps_certificates = options.certificates.is_some();
    let shared = Arc::new(Shared::new(client, options.namespace, keeps_certificates));
    let mut tasks = JoinSet::new();
    tasks.spawn(serve_admin(admin, Arc::clone(&shared), options.lost_lines));
    if let Some(times) = options.certificates {
        tasks.spawn(certificates::keep(Arc::clone(&shared), times));
    }
    if let Some(options) = options.repair {
        tasks.spawn(repair::keep(Arc::clone(&shared), options));
    }
    shared.health.listens();
    tokio::select! {
        _ = stop.recv() => {}
        ended = tasks.join_next() => {
            let why = ended.and_then(Result::err).map(|why| why.to_string());
            return Err(io::Error::other(why.unwrap_or_else(|| "a task has ended".to_owned())));
        }
    }
    shared.health.stops();
    tracing::info!("stopped in order");
    Ok(())
}

async fn serve_admin(listener: TcpListener, shared: Arc<Shared>, lost_lines: LostLines) {
    let health = Arc::clone(&shared.health);
    let metrics = move || shared.metrics.page(lost_lines.count());
    if let Err(error) = admin::serve(listener, health, metrics).await {
        tracing::error!(%error, "health and metrics are not served any more");
    }
}
