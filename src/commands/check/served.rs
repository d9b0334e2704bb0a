//! The certificates that the pods show in a TLS handshake, through a port that the API server forwards.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, Error};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::seen::{Served, items, name};
use crate::apiserver::client::{Target, Trust, tls};
use crate::cluster::failure::{Failure, Why, innermost};
use crate::cluster::names::NAME;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the kubelet has to say why a connection ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The port of the webhook in its pods, by its name, and if no port has that name.
const PORT: (&str, u16) = ("https", 10250);

/// Asks each of these pods of the namespace `ours`.
pub(super) async fn all(client: &Client, ours: &str, pods: &[&Value]) -> Vec<(String, Served)> {
    let asked = pods.iter().map(|pod| async {
        let served = match timeout(PATIENCE, one(client, ours, pod)).await {
            Ok(served) => served,
            Err(_) => Served::Unreachable(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        (name(pod).to_owned(), served)
    });
    join_all(asked).await
}

async fn one(client: &Client, ours: &str, pod: &Value) -> Served {
    let containers = items(&pod["spec"]["containers"]).iter();
    let mut ports = containers.flat_map(|it| items(&it["ports"]));
    let named = ports.find(|port| port["name"] == PORT.0);
    let port = named.and_then(|port| port["containerPort"].as_u64()?.try_into().ok());
    let port = port.unwrap_or(PORT.1);
    let pods: Api<Pod> = Api::namespaced(client.clone(), ours);
    let mut forward = match pods.portforward(name(pod), &[port]).await {
        Ok(forward) => forward,
        Err(error) => return refused(&error),
    };
    let Some(stream) = forward.take_stream(port) else {
        return Served::Unreachable("the connection has no stream".to_owned());
    };
    let trouble = forward.take_error(port);
    let served = match shown(stream, ours).await {
        Ok(chain) => Served::Chain(chain),
        Err(error) => {
            // The kubelet says more than the end of the stream does, and says it a moment later.
            let said = match trouble {
                Some(trouble) => timeout(LAST_WORDS, trouble).await.ok().flatten(),
                None => None,
            };
            Served::NoTls(said.unwrap_or(error))
        }
    };
    forward.abort();
    served
}

fn refused(error: &Error) -> Served {
    let failure = Failure::of("create pods/portforward", error);
    match failure.why {
        Why::Forbidden => Served::Forbidden,
        // The pod, or its node, has gone since it was listed.
        _ if failure.is_absence() => Served::Unreachable("there is no such pod".to_owned()),
        _ => Served::Unreachable(failure.said),
    }
}

/// The certificates that the server shows, in DER. All are accepted here, and judged later.
async fn shown(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    ours: &str,
) -> Result<Vec<Vec<u8>>, String> {
    let name = format!("{NAME}.{ours}.svc");
    let target = Target {
        url: String::new(),
        trust: Trust::AnyCertificate,
        server_name: None,
        identity: None,
    };
    let config: ClientConfig = tls(&target).map_err(|error| error.to_string())?;
    let server = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(server, stream)
        .await
        .map_err(|error| innermost(&error))?;
    let (_, connection) = stream.get_ref();
    let shown = connection.peer_certificates().into_iter().flatten();
    Ok(shown.map(|certificate| certificate.to_vec()).collect())
}
