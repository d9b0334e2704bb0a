//! The pods of the webhook, and their processes, which these tests see because they share the node.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::rig::installation::{Installation, NAME, NAMESPACE, Source, uninstall};
use crate::rig::{Cluster, metrics, until};
use crate::support::load::get;

/// What selects them.
pub(crate) const SELECTOR: &str =
    "app.kubernetes.io/name=seldon-tracing,app.kubernetes.io/component=webhook";

/// Installs the webhook anew. What the cluster was given at its start is there until a test has removed it.
pub(crate) fn install(cluster: &Cluster, source: &Source) -> Installation {
    cluster.installation().shell.run(&uninstall()).ok();
    let start = Instant::now();
    let installation = cluster.install(source);
    let took = start.elapsed();
    eprintln!("node: installed {} in {took:.1?}", source.folder());
    installation
}

/// A pod that is ready and not on its way out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pod {
    pub(crate) name: String,
    uid: String,
    pub(crate) ip: String,
}

/// Those that serve.
pub(crate) fn serving(cluster: &Cluster) -> Vec<Pod> {
    ready(&all(cluster))
}

/// Those of these that are ready.
pub(crate) fn ready(pods: &[Value]) -> Vec<Pod> {
    let ready = |pod: &&Value| {
        let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        pod["metadata"]["deletionTimestamp"].is_null()
            && conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
    };
    let pods = pods.iter().filter(ready).map(|pod| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Pod {
            name: text(&pod["metadata"]["name"]),
            uid: text(&pod["metadata"]["uid"]),
            ip: text(&pod["status"]["podIP"]),
        }
    });
    pods.collect()
}

/// All that there are.
pub(crate) fn all(cluster: &Cluster) -> Vec<Value> {
    selected(cluster, NAMESPACE, SELECTOR)
}

/// All of a namespace that a selector finds.
pub(crate) fn selected(cluster: &Cluster, namespace: &str, selector: &str) -> Vec<Value> {
    let get = ["get", "pods", "-o", "json", "--namespace", namespace];
    let list = cluster.kubectl(&[&get[..], &["--selector", selector]].concat());
    list.json()["items"].as_array().unwrap().clone()
}

impl Pod {
    /// What a metric of it has come to, over all series that have these labels.
    pub(crate) fn metric(&self, cluster: &Cluster, name: &str, labels: &[&str]) -> f64 {
        let (status, text) = cluster.block_on(get(self.at(8080), "/metrics"));
        assert_eq!(status, 200, "{self:?}");
        metrics::sum_of(&text, name, labels)
    }

    /// Where the API server calls it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.at(10250)
    }

    /// One of its ports.
    pub(crate) fn at(&self, port: u16) -> SocketAddr {
        format!("{}:{port}", self.ip).parse().unwrap()
    }

    /// How many reviews it has decided.
    pub(crate) fn decided(&self, cluster: &Cluster) -> f64 {
        self.metric(cluster, "seldon_tracing_requests_total", &[])
    }

    /// The folder in /proc of its process.
    pub(crate) fn process(&self) -> PathBuf {
        self.running("/seldon-tracing")
    }

    /// Ends its process at once. The kubelet starts another.
    pub(crate) fn kill(&self) {
        let process = self.process();
        let id = process.file_name().unwrap();
        let kill = Command::new("kill").arg("-KILL").arg(id).status();
        assert!(kill.unwrap().success());
    }

    /// The limit of memory of its container, and the most that it had, in bytes.
    pub(crate) fn memory(&self) -> [u64; 2] {
        let groups = fs::read_to_string(self.process().join("cgroup")).unwrap();
        let version_1 = groups.lines().find_map(|line| line.split_once(":memory:"));
        let (root, path, files) = match version_1 {
            Some((_, path)) => (
                "/sys/fs/cgroup/memory",
                path,
                ["memory.limit_in_bytes", "memory.max_usage_in_bytes"],
            ),
            None => (
                "/sys/fs/cgroup",
                groups.trim().trim_start_matches("0::"),
                ["memory.max", "memory.peak"],
            ),
        };
        files.map(|file| {
            let text = fs::read_to_string(format!("{root}{path}/{file}")).unwrap();
            text.trim().parse().unwrap()
        })
    }

    /// The network that its containers share.
    pub(crate) fn network(&self) -> PathBuf {
        self.running("/pause").join("ns/net")
    }

    fn running(&self, program: &str) -> PathBuf {
        let here = |folder: &PathBuf| {
            let read = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
            read("cgroup").contains(&self.uid) && read("cmdline").starts_with(program)
        };
        let folders = fs::read_dir("/proc").unwrap();
        let mut folders = folders.map(|it| it.unwrap().path());
        folders.find(here).unwrap()
    }
}

/// Waits until two pods serve, none of which is one of these, and no others are there.
pub(crate) fn until_replaced(cluster: &Cluster, old: &[Pod]) -> Vec<Pod> {
    until("the pods are replaced", || {
        let new = serving(cluster);
        new.len() == 2 && all(cluster).len() == 2 && !new.iter().any(|pod| old.contains(pod))
    });
    serving(cluster)
}

/// Waits until each pod has decided one more review.
pub(crate) fn until_all_decide(cluster: &Cluster, mut write: impl FnMut()) {
    let pods = serving(cluster);
    let before: Vec<_> = pods.iter().map(|pod| pod.decided(cluster)).collect();
    until("each pod decides", || {
        write();
        pods.iter()
            .zip(&before)
            .all(|(pod, before)| pod.decided(cluster) > *before)
    });
}

/// Restarts all pods and waits for it, as the README does.
pub(crate) fn restart(cluster: &Cluster) {
    let deployment = format!("deployment/{NAME}");
    for verb in ["restart", "status"] {
        let rollout = ["rollout", verb, &deployment, "--namespace", NAMESPACE];
        cluster.kubectl(&rollout).ok();
    }
}
