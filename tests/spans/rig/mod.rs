//! The rig: a collector, Jaeger, the webhook, and what runs models in the environment that they are given.

pub(crate) mod kubelet;
pub(crate) mod node;
pub(crate) mod parts;
mod ports;
pub(crate) mod query;
pub(crate) mod servers;
pub(crate) mod starts;
pub(crate) mod webhook;
pub(crate) mod wrapper;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use kubelet::{Environment, environment};
use node::Node;
use parts::Parts;
use query::Span;
use servers::{Collector, Jaeger};
use webhook::Webhook;
use wrapper::Wrapper;

use crate::models::{Component, component, predictor};
pub(crate) use crate::support::wait::until;

/// The service whose spans tell that those before them must have arrived.
const MARKER: &str = "Marker";

/// All that is shared by the tests.
pub(crate) struct Rig {
    pub(crate) webhook: Webhook,
    pub(crate) collector: Collector,
    jaeger: Jaeger,
    /// The node of the collector.
    pub(crate) node: Node,
    /// The node where Jaeger's own agent receives.
    pub(crate) agent_node: Node,
    marker: Mutex<Option<(Wrapper, usize)>>,
    parts: Parts,
    folder: PathBuf,
    folders: AtomicUsize,
}

impl Rig {
    /// `folder` is where the processes leave their logs.
    pub(crate) fn start(parts: Parts, folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let (node, agent_node) = (Node::new(0), Node::new(1));
        let jaeger = Jaeger::start(&parts, folder, agent_node);
        let collector = Collector::start(&parts, folder, node, jaeger.otlp());
        Self {
            webhook: Webhook::start(folder),
            collector,
            jaeger,
            node,
            agent_node,
            marker: Mutex::default(),
            parts,
            folder: folder.to_owned(),
            folders: AtomicUsize::new(0),
        }
    }

    pub(crate) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// A new folder for a process.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let number = self.folders.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("{name}-{number}"));
        fs::create_dir(&folder).unwrap();
        folder
    }

    /// Runs a component's container of a predictor, on the node of the collector.
    #[track_caller]
    pub(crate) fn run(&self, object: &Value, name: &str, class: &str) -> Wrapper {
        self.run_on(self.node, &[], component(object, name), class)
    }

    /// The same on a node, with the ConfigMaps that are in its namespace.
    pub(crate) fn run_on(
        &self,
        node: Node,
        maps: &[Value],
        component: Component<'_>,
        class: &str,
    ) -> Wrapper {
        let Component { pod, container } = component;
        let folder = self.folder(class);
        let mut environment = environment(&container["env"], node);
        let root = folder.join("root");
        kubelet::mount(pod, container, maps, &root, &mut environment);
        self.run_with(&environment, class, &folder)
    }

    pub(crate) fn run_with(
        &self,
        environment: &Environment,
        class: &str,
        folder: &Path,
    ) -> Wrapper {
        Wrapper::start(&self.parts, class, environment, folder)
    }

    /// Plays requests through the orchestrator of a predictor, to these models one after the other. Gives the ids of the traces that were
    /// sampled.
    #[track_caller]
    pub(crate) fn orchestrate(
        &self,
        object: &Value,
        name: &str,
        requests: usize,
        models: &[&Wrapper],
    ) -> Vec<String> {
        self.orchestrate_on(self.node, object, name, requests, models)
    }

    /// The same on a node.
    #[track_caller]
    pub(crate) fn orchestrate_on(
        &self,
        node: Node,
        object: &Value,
        name: &str,
        requests: usize,
        models: &[&Wrapper],
    ) -> Vec<String> {
        let urls = models.iter().map(|model| model.url());
        self.played(node, object, name, requests, &urls.collect::<Vec<_>>())
    }

    /// The same by gRPC.
    #[track_caller]
    pub(crate) fn orchestrate_by_grpc(
        &self,
        object: &Value,
        name: &str,
        requests: usize,
        models: &[&Wrapper],
    ) -> Vec<String> {
        let addresses = models.iter().map(|model| model.grpc());
        let arguments: Vec<_> = ["--grpc".to_owned()].into_iter().chain(addresses).collect();
        self.played(self.node, object, name, requests, &arguments)
    }

    #[track_caller]
    fn played(
        &self,
        node: Node,
        object: &Value,
        name: &str,
        requests: usize,
        arguments: &[String],
    ) -> Vec<String> {
        let env = &predictor(object, name)["svcOrchSpec"]["env"];
        let output = self.orchestrator(&environment(env, node), requests, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let ids = String::from_utf8(output.stdout).unwrap();
        ids.lines().map(str::to_owned).collect()
    }

    /// Runs the stand-in for the orchestrator to its end. It calls the models at the end of the arguments.
    pub(crate) fn orchestrator(
        &self,
        environment: &Environment,
        requests: usize,
        arguments: &[String],
    ) -> Output {
        Command::new(self.parts.binary("orchestrator"))
            .env_clear()
            .envs(environment)
            .arg(format!("--requests={requests}"))
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The spans of a service, of which there are to be so many and no more.
    #[track_caller]
    pub(crate) fn spans(&self, service: &str, count: usize) -> Vec<Span> {
        until(&format!("there are {count} spans of {service}"), || {
            self.arrived(service).len() >= count
        });
        let spans = self.arrived(service);
        assert_eq!(spans.len(), count, "{spans:?}");
        spans
    }

    /// The spans of a service that have arrived by now.
    pub(crate) fn arrived(&self, service: &str) -> Vec<Span> {
        query::of_service(self.jaeger.query(), service)
    }

    /// A trace, of which there are to be so many spans.
    #[track_caller]
    pub(crate) fn trace(&self, id: &str, count: usize) -> Vec<Span> {
        let get = || query::of_trace(self.jaeger.query(), id);
        until(&format!("the trace {id} has {count} spans"), || {
            get().len() >= count
        });
        get()
    }

    /// Waits until all that has been sent must have arrived. A process sends its spans a second after the first of them, so a span that
    /// was made now takes as long as those before it; a second one is sent when the first is there.
    pub(crate) fn settle(&self) {
        let mut marker = self.marker.lock().unwrap();
        let (wrapper, sent) = marker.get_or_insert_with(|| {
            let env = json!([
                {"name": "TRACING", "value": "1"},
                {"name": "JAEGER_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
            ]);
            let folder = self.folder(MARKER);
            let environment = environment(&env, self.node);
            (self.run_with(&environment, MARKER, &folder), 0)
        });
        for _ in 0..2 {
            wrapper.predict(1);
            *sent += 1;
            self.spans(MARKER, *sent);
        }
    }
}
