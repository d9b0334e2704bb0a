//! The two servers: Jaeger, and the collector in front of it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::node::Node;
use super::parts::Parts;
use super::until;
use crate::support::guarded::Guarded;
use crate::support::load::raw::get;

/// Samples everything: what a sampler that asks a receiver is told.
const STRATEGIES: &str = r#"{"default_strategy": {"type": "probabilistic", "param": 1}}"#;

/// Jaeger 1.62, with the agent that later versions do not have.
#[derive(Debug)]
pub(crate) struct Jaeger {
    node: Node,
    _process: Guarded,
}

impl Jaeger {
    /// Starts it as the receiver of a node of its own.
    pub(crate) fn start(parts: &Parts, folder: &Path, node: Node) -> Self {
        let strategies = folder.join("strategies.json");
        fs::write(&strategies, STRATEGIES).unwrap();
        let listen = [
            ("admin.http.host-port", 14269),
            ("collector.grpc-server.host-port", 14250),
            ("collector.http-server.host-port", 14268),
            ("collector.otlp.grpc.host-port", 4317),
            ("collector.otlp.http.host-port", 4318),
            ("http-server.host-port", 5778),
            ("processor.jaeger-binary.server-host-port", 6832),
            ("processor.jaeger-compact.server-host-port", 6831),
            ("processor.zipkin-compact.server-host-port", 5775),
            ("query.grpc-server.host-port", 16685),
            ("query.http-server.host-port", 16686),
            ("reporter.grpc.host-port", 14250),
        ];
        let mut arguments: Vec<String> = listen
            .iter()
            .map(|(flag, port)| format!("--{flag}={}", node.at(*port)))
            .collect();
        arguments.push("--collector.otlp.enabled=true".to_owned());
        let file = strategies.display();
        arguments.push(format!("--sampling.strategies-file={file}"));
        let log = folder.join("jaeger.log");
        let mut process = Guarded::start(&parts.binary("jaeger"), &arguments, &log);
        let jaeger = Self {
            node,
            _process: {
                ready("Jaeger", node.at(14269), &mut process, &log);
                process
            },
        };
        until("Jaeger can be asked", || {
            get(jaeger.query(), "/api/services").is_ok_and(|(status, _)| status == 200)
        });
        jaeger
    }

    pub(crate) fn query(&self) -> SocketAddr {
        self.node.at(16686)
    }

    pub(crate) fn otlp(&self) -> SocketAddr {
        self.node.at(4317)
    }
}

/// The OpenTelemetry Collector with the configuration that is shipped.
#[derive(Debug)]
pub(crate) struct Collector {
    node: Node,
    _process: Guarded,
}

impl Collector {
    /// Starts it on a node. `otlp` is where it sends to.
    pub(crate) fn start(parts: &Parts, folder: &Path, node: Node, otlp: SocketAddr) -> Self {
        let config = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/manifests/collector/collector.yaml"
        );
        let log = folder.join(format!("collector-{}.log", node.0));
        let program = parts.binary("collector");
        let arguments = [format!("--config={config}")];
        let mut process = Guarded::start_with(&program, &arguments, &log, |command| {
            command
                .env("LISTEN_HOST", node.0.to_string())
                .env("OTLP_ENDPOINT", otlp.to_string())
                .env("OTLP_INSECURE", "true");
        });
        // Where its probes ask in a cluster.
        ready("the collector", node.at(13133), &mut process, &log);
        Self {
            node,
            _process: process,
        }
    }

    /// Where it receives OTLP.
    pub(crate) fn otlp(&self) -> SocketAddr {
        self.node.at(4317)
    }

    /// How many spans a receiver has accepted. It begins to count with the first of them.
    pub(crate) fn accepted(&self, receiver: &str) -> u64 {
        let counter = "otelcol_receiver_accepted_spans";
        self.counter(counter, "receiver", receiver).unwrap_or(0)
    }

    /// What a counter has come to for a value of a label, from the port that Prometheus reads; none if there is no such counter.
    pub(crate) fn counter(&self, counter: &str, label: &str, value: &str) -> Option<u64> {
        let (status, text) = get(self.node.at(8888), "/metrics").unwrap();
        assert_eq!(status, 200, "{text}");
        let label = format!("{label}=\"{value}\"");
        let lines = text.lines().filter(|line| {
            line.strip_prefix(counter)
                .is_some_and(|rest| rest.starts_with('{') && rest.contains(&label))
        });
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .reduce(|sum, more| sum + more)
    }
}

/// Waits until a server says that it is healthy, or has ended.
fn ready(name: &str, health: SocketAddr, process: &mut Guarded, log: &Path) {
    until(&format!("{name} is healthy"), || {
        if let Some(status) = process.ended() {
            let log = fs::read_to_string(log).unwrap();
            panic!("{name} has ended with {status}:\n{log}");
        }
        get(health, "/").is_ok_and(|(status, _)| status == 200)
    });
}
