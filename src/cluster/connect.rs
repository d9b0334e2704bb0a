//! A client of the API server, as kubectl makes one.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::cli::Connection;

/// How long a connection to the API server may take. The client tries again a few times.
const CONNECT: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot read the kubeconfig; use --kubeconfig and --context, as with kubectl")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    #[error(
        "found neither a kubeconfig nor the service account of a pod; use --kubeconfig, as with kubectl"
    )]
    Nowhere(#[from] kube::config::InferConfigError),
    #[error("cannot use the credentials of the kubeconfig")]
    Client(#[from] kube::Error),
}

/// A client, and the namespace of its context.
pub(crate) struct Connected {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

/// Reads the kubeconfig, or what a pod has of its service account. Sends no request.
///
/// # Errors
/// There is none, or it cannot be used.
pub(crate) async fn connect(connection: &Connection) -> Result<Connected, ConnectError> {
    let file = connection.kubeconfig.as_ref();
    let mut config = if file.is_none() && connection.context.is_none() {
        Config::infer().await?
    } else {
        let options = KubeConfigOptions {
            context: connection.context.clone(),
            ..KubeConfigOptions::default()
        };
        let file = file.map_or_else(Kubeconfig::read, Kubeconfig::read_from)?;
        Config::from_custom_kubeconfig(file, &options).await?
    };
    config.connect_timeout = Some(CONNECT);
    let namespace = config.default_namespace.clone();
    Ok(Connected {
        client: Client::try_from(config)?,
        namespace,
    })
}
