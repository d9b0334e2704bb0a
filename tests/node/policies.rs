//! Who can connect to what: the policies of `manifests/`, enforced by kube-router.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::node::Parts;
use crate::pods::{Pod, install, ready, selected, serving};
use crate::readme::assert_new_models_are_traced;
use crate::rig::installation::{NAMESPACE, Source};
use crate::rig::{Cluster, Space, until};

tests![only_what_the_policies_name_is_open];

/// A connection by TCP: from whom, to whom, to which port, and whether it can be made.
type Way = (&'static str, &'static str, u16, bool);

/// The ends of connections, by name: the network namespace of each, and its address.
pub(crate) struct Places(BTreeMap<&'static str, (PathBuf, String)>);

fn only_what_the_policies_name_is_open(cluster: &Cluster) {
    Parts::find().unwrap().import("collector");
    let installation = install(cluster, &Source::Controller);
    let shell = &installation.shell;
    shell.follow("docs/install.md", "## A receiver");
    shell.run("kubectl create namespace monitoring").ok();
    let pod = |namespace, component| {
        let selector = format!("app.kubernetes.io/component={component}");
        let found = || ready(&selected(cluster, namespace, &selector));
        until("it is ready", || !found().is_empty());
        found().remove(0)
    };
    let places = Places::new([
        ("webhook", serving(cluster).remove(0)),
        ("controller", pod(NAMESPACE, "controller")),
        ("collector", pod("seldon-tracing-collector", "collector")),
        ("monitoring", peer(&Space::existing(cluster, "monitoring"))),
        ("stranger", peer(&cluster.space("stranger"))),
    ]);
    let ways = [
        // The API server is no pod, and nobody knows its addresses.
        ("outside", "webhook", 10250, true),
        ("stranger", "webhook", 10250, true),
        ("outside", "webhook", 8080, false),
        ("stranger", "webhook", 8080, false),
        ("monitoring", "webhook", 8080, true),
        ("outside", "controller", 8080, false),
        ("stranger", "controller", 8080, false),
        ("monitoring", "controller", 8080, true),
        ("stranger", "collector", 4317, true),
        ("outside", "collector", 8888, false),
        ("stranger", "collector", 8888, false),
        ("monitoring", "collector", 8888, true),
        ("monitoring", "collector", 13133, false),
        ("webhook", "API server", 443, false),
        ("webhook", "collector", 4317, false),
        ("controller", "API server", 443, true),
        ("collector", "API server", 443, true),
    ];
    places.assert(&ways);
    assert_new_models_are_traced(cluster, "guarded");

    // It is the policies that refuse them, and nothing else. The tests end here, and so the cluster needs none any more.
    let delete = "kubectl delete networkpolicies --all --all-namespaces";
    shell.run(delete).ok();
    places.assert(&ways.map(|(from, to, port, _)| (from, to, port, true)));
}

impl Places {
    /// These pods, the API server by its Service, and a machine outside of the cluster; see `tests/node/init`.
    pub(crate) fn new<const COUNT: usize>(pods: [(&'static str, Pod); COUNT]) -> Self {
        let others = [
            (
                "API server",
                ("/proc/self/ns/net".into(), "10.96.0.1".to_owned()),
            ),
            (
                "outside",
                ("/run/netns/outside".into(), "10.200.0.2".to_owned()),
            ),
        ];
        let pods = pods.map(|(name, pod)| (name, (pod.network(), pod.ip)));
        Self(pods.into_iter().chain(others).collect())
    }

    /// Waits until all is as it is said here.
    pub(crate) fn assert(&self, ways: &[Way]) {
        // What was open may have been so because kube-router had not seen all.
        let again = ways.iter().filter(|way| way.3);
        for way in ways.iter().chain(again) {
            let holds = || self.is_open(*way) == way.3;
            until(&format!("this holds: {way:?}"), holds);
        }
    }

    fn is_open(&self, (from, to, port, _): Way) -> bool {
        let connect = format!("</dev/tcp/{}/{port}", self.0[to].1);
        let mut nsenter = Command::new("nsenter");
        nsenter
            .arg(format!("--net={}", self.0[from].0.display()))
            .args(["timeout", "2", "bash", "-c", &connect])
            .stderr(Stdio::null());
        nsenter.status().unwrap().success()
    }
}

/// A pod that only connects.
pub(crate) fn peer(space: &Space<'_>) -> Pod {
    let run = ["run", "peer", "--image=pause:1", "--labels=app=peer"];
    space.kubectl(&run).ok();
    let wait = ["wait", "--for=condition=Ready", "pod/peer", "--timeout=60s"];
    space.kubectl(&wait).ok();
    ready(&selected(space.cluster, &space.name, "app=peer")).remove(0)
}
