//! The process of a model's container: Seldon's Python wrapper around a small model.
//!
//! All else of the rig listens on loopback. The wrapper listens on 0.0.0.0, as written in its source, while its test runs.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::kubelet::Environment;
use super::parts::Parts;
use super::ports;
use crate::support::guarded::Guarded;
use crate::support::load::raw::ask;
use crate::support::wait::LONG;

/// What a prediction is made of.
pub(crate) const MESSAGE: &str = r#"{"data":{"ndarray":[[1,2]]}}"#;

/// Where the model and the scripts are.
pub(crate) const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spans/python");

/// A wrapper that runs, with all of its processes.
#[derive(Debug)]
pub(crate) struct Wrapper {
    parts: Parts,
    process: Guarded,
    rest: SocketAddr,
    grpc: u16,
    log: PathBuf,
}

/// The environment that the image brings, before that of the container.
pub(crate) fn image(command: &mut Command) {
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("PYTHONPATH", SCRIPTS)
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
}

impl Wrapper {
    /// Starts it for a model of this class, which is what its service is called in Jaeger. `folder` becomes its own.
    pub(crate) fn start(
        parts: &Parts,
        class: &str,
        environment: &Environment,
        folder: &Path,
    ) -> Self {
        let code = format!("from model import Model\n\n\nclass {class}(Model):\n    pass\n");
        fs::write(folder.join(format!("{class}.py")), code).unwrap();
        let [rest, grpc, metrics] = [ports::free(), ports::free(), ports::free()];
        let arguments: Vec<String> = [
            class.to_owned(),
            "--service-type=MODEL".to_owned(),
            format!("--http-port={rest}"),
            format!("--grpc-port={grpc}"),
            format!("--metrics-port={metrics}"),
        ]
        .into();
        let log = folder.join("wrapper.log");
        let program = parts.python("seldon-core-microservice");
        let process = Guarded::start_with(&program, &arguments, &log, |command| {
            image(command);
            command.envs(environment).current_dir(folder);
        });
        Self {
            parts: parts.clone(),
            process,
            rest: ([127, 0, 0, 1], rest).into(),
            grpc,
            log,
        }
    }

    /// The URL that the orchestrator calls.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/predict", self.rest)
    }

    /// The address that the orchestrator calls by gRPC.
    pub(crate) fn grpc(&self) -> String {
        format!("127.0.0.1:{}", self.grpc)
    }

    /// Makes so many predictions by REST, as Seldon's documentation shows it.
    #[track_caller]
    pub(crate) fn predict(&mut self, count: usize) {
        for _ in 0..count {
            let (status, body) = self.post();
            assert_eq!(status, 200, "{body}");
            assert!(body.contains("[[1,2]]"), "{body}");
        }
    }

    /// One request. Waits while the process is starting, whose port is not open then.
    #[track_caller]
    fn post(&mut self) -> (u16, String) {
        let end = Instant::now() + LONG;
        loop {
            match ask(self.rest, "POST", "/api/v1.0/predictions", MESSAGE) {
                Ok(answered) => return answered,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    let ended = self.process.ended();
                    assert!(ended.is_none() && Instant::now() < end, "{}", self.said());
                }
                Err(error) => panic!("{error}: {}", self.said()),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes so many predictions by gRPC, as part of a trace if its context is given.
    #[track_caller]
    pub(crate) fn predict_by_grpc(&self, count: usize, context: Option<&str>) {
        let mut command = Command::new(self.parts.python("python"));
        image(&mut command);
        command
            .arg(Path::new(SCRIPTS).join("predict.py"))
            .arg(self.grpc())
            .arg(count.to_string())
            .args(context);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}: {}", self.said());
    }

    /// Its log.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}
