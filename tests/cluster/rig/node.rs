//! Stands in for the nodes: runs the pods of our Deployment as the kubelet would, and sends what comes for our Service to those that are
//! ready as kube-proxy would.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::installation::service_name;
use crate::support::load::mount::Mount;
use crate::support::load::process::{self, Process};
use crate::support::load::proxy::{Proxy, proxy_on};
use crate::support::load::{get, raw, until};

/// The pods of one Deployment behind one Service.
pub(crate) struct Node {
    container: Mutex<Value>,
    volumes: Mutex<BTreeMap<String, Mount>>,
    /// Oldest first.
    pods: Arc<Mutex<Vec<Process>>>,
    probed: Arc<Mutex<Vec<(SocketAddr, SocketAddr)>>>,
    /// Rounds of probes that have ended.
    rounds: Arc<AtomicUsize>,
    /// The Service.
    pub(crate) proxy: Proxy,
}

impl Node {
    /// Needs a runtime.
    pub(crate) fn new(
        deployment: &Value,
        volumes: &[(&str, &Value)],
        service: TcpListener,
    ) -> Self {
        let container = container_of(deployment);
        let seconds = container["readinessProbe"]["periodSeconds"].as_u64();
        let period = Duration::from_secs(seconds.unwrap());
        let volumes = volumes.iter().map(|(name, object)| {
            let files = files_of(object);
            ((*name).to_owned(), Mount::new(&borrowed(&files)))
        });
        let node = Self {
            volumes: Mutex::new(volumes.collect()),
            pods: Arc::default(),
            probed: Arc::default(),
            rounds: Arc::default(),
            proxy: proxy_on(service),
            container: Mutex::new(container),
        };
        let (probed, proxy) = (Arc::clone(&node.probed), node.proxy.clone());
        let (rounds, pods) = (Arc::clone(&node.rounds), Arc::clone(&node.pods));
        tokio::spawn(async move {
            loop {
                let all = probed.lock().unwrap().clone();
                for (address, admin) in all {
                    let ready = get(admin, "/readyz").await.0 == 200;
                    proxy.set_ready(address, ready);
                    let is_here = |pods: &[Process]| pods.iter().any(|pod| pod.address == address);
                    if !ready && !is_here(&pods.lock().unwrap()) {
                        // Not asked again: soon somebody else may answer at its port, and it would seem to be back.
                        probed
                            .lock()
                            .unwrap()
                            .retain(|one| *one != (address, admin));
                    }
                }
                rounds.fetch_add(1, Ordering::AcqRel);
                sleep(period).await;
            }
        });
        node
    }

    /// From now on pods are started as this Deployment says.
    pub(crate) fn adopt(&self, deployment: &Value) {
        *self.container.lock().unwrap() = container_of(deployment);
    }

    /// Starts one more pod. It is ready when this ends, and the Service knows it.
    pub(crate) async fn start(&self) {
        let process = process::run(self.command()).await;
        let (address, admin) = (process.address, process.admin);
        self.pods.lock().unwrap().push(process);
        self.proxy.add(address);
        self.probed.lock().unwrap().push((address, admin));
    }

    /// The oldest pod, which is then no pod of this node any more. The Service finds out by itself.
    pub(crate) fn oldest(&self) -> Process {
        self.pods.lock().unwrap().remove(0)
    }

    /// As the controller of Deployments does it with `maxSurge: 1` and `maxUnavailable: 0`: one pod after the other. Gives what the old
    /// ones logged.
    pub(crate) async fn roll(&self) -> Vec<String> {
        let mut logs = Vec::new();
        for _ in 0..self.pods() {
            self.start().await;
            let mut old = self.oldest();
            old.signal("TERM");
            let ended = old.ended().await;
            assert_eq!(ended.code(), Some(0), "{}", old.log());
            logs.push(old.log());
        }
        logs
    }

    pub(crate) fn pods(&self) -> usize {
        self.pods.lock().unwrap().len()
    }

    /// Where the pods answer for health and metrics.
    pub(crate) fn admins(&self) -> Vec<SocketAddr> {
        let pods = self.pods.lock().unwrap();
        pods.iter().map(|pod| pod.admin).collect()
    }

    /// Where the pods answer the API server.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let pods = self.pods.lock().unwrap();
        pods.iter().map(|pod| pod.address).collect()
    }

    /// Waits until every pod shows this certificate, which this CA has signed for the name that the API server dials.
    pub(crate) async fn shows(&self, chain: &str, ca: &str) {
        let wanted = raw::leaf(chain);
        let pods: Vec<_> = {
            let pods = self.pods.lock().unwrap();
            pods.iter().map(|pod| pod.address).collect()
        };
        for address in pods {
            until("the new certificate is shown", || async {
                let (ca, wanted) = (ca.to_owned(), wanted.clone());
                let shown = spawn_blocking(move || raw::shown_as(&service_name(), address, &ca));
                shown.await.unwrap().is_ok_and(|shown| shown == wanted)
            })
            .await;
        }
    }

    /// Waits for the end of a round of probes: the next one is a whole period away.
    pub(crate) fn after_a_probe(&self) {
        let before = self.rounds.load(Ordering::Acquire);
        super::until("the pods are probed", || {
            self.rounds.load(Ordering::Acquire) > before
        });
    }

    /// What all pods have logged.
    pub(crate) fn log(&self) -> String {
        let pods = self.pods.lock().unwrap();
        let logs: Vec<_> = pods.iter().map(Process::log).collect();
        logs.join("\n")
    }

    /// A Secret or ConfigMap has changed: its files change under the pods that run.
    pub(crate) fn project(&self, volume: &str, object: &Value) {
        let files = files_of(object);
        let mut volumes = self.volumes.lock().unwrap();
        volumes.get_mut(volume).unwrap().swap(&borrowed(&files));
    }

    /// What the container runs, with ports of loopback, and with the folders of its mounts where these are here.
    fn command(&self) -> Command {
        let volumes = self.volumes.lock().unwrap();
        let container = self.container.lock().unwrap().clone();
        let mounts = container["volumeMounts"].as_array().unwrap();
        let mounts: Vec<_> = mounts
            .iter()
            .map(|mount| {
                let name = mount["name"].as_str().unwrap();
                let folder = volumes[name].path().to_str().unwrap();
                (mount["mountPath"].as_str().unwrap(), folder)
            })
            .collect();
        let here = |value: &str| {
            let inside = |path: &str| {
                value
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            let mount = mounts.iter().find(|(path, _)| inside(path));
            mount.map_or_else(
                || value.to_owned(),
                |(path, folder)| value.replacen(path, folder, 1),
            )
        };
        let mut command = process::binary(&std::env::temp_dir());
        for argument in container["args"].as_array().unwrap() {
            match argument.as_str().unwrap().split_once('=') {
                Some((flag @ ("--listen" | "--admin-listen"), _)) => {
                    command.arg(format!("{flag}=127.0.0.1:0"));
                }
                Some((flag, value)) => {
                    command.arg(format!("{flag}={}", here(value)));
                }
                None => {
                    command.arg(argument.as_str().unwrap());
                }
            }
        }
        command
    }
}

fn container_of(deployment: &Value) -> Value {
    deployment["spec"]["template"]["spec"]["containers"][0].clone()
}

/// The keys of a Secret or ConfigMap, in plain text.
fn files_of(object: &Value) -> Vec<(String, String)> {
    let plain = |value: &Value| {
        let value = value.as_str().unwrap();
        if object["kind"] == "Secret" {
            String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
        } else {
            value.to_owned()
        }
    };
    // A Secret without anything in it has none.
    let data = object["data"].as_object();
    data.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), plain(value)))
        .collect()
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_str()))
        .collect()
}
