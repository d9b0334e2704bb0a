//! A Prometheus that reads the API server and processes of ours, each second.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::kubectl::{Ran, finish};
use super::until;
use crate::support::fixtures::root;
use crate::support::guarded::Guarded;

/// A folder with prometheus, promtool and crds/.
const VARIABLE: &str = "SELDON_TRACING_PROMETHEUS";

/// The file for a picture of the panels.
const PICTURE: &str = "SELDON_TRACING_PANELS";

/// Nothing else takes a port of this address for a while by chance.
const ADDRESS: [u8; 4] = [127, 97, 0, 2];

/// The folder, or what to say about its absence.
pub(crate) fn find() -> Result<PathBuf, String> {
    let folder = env::var_os(VARIABLE).map(PathBuf::from);
    let folder = folder.ok_or_else(|| {
        format!("{VARIABLE} is not set, so the tests with Prometheus are left out. `tests/cluster/run` gets it on Debian")
    })?;
    // Who sets it wants these tests to run.
    Ok(folder.canonicalize().unwrap())
}

/// The definitions of the resources of its operator.
pub(crate) fn definitions() -> String {
    find().unwrap().join("crds").display().to_string()
}

/// The server.
pub(crate) struct Prometheus {
    _server: Guarded,
    url: String,
    folder: PathBuf,
}

impl Prometheus {
    /// Starts it with these rules.
    pub(crate) fn start(plane: &ControlPlane, rules: &str, controller: SocketAddr) -> Self {
        let folder = plane.file("prometheus");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("rules.yaml"), rules).unwrap();
        let config = config(plane, controller).to_string();
        fs::write(folder.join("prometheus.yaml"), config).unwrap();
        let free = TcpListener::bind(SocketAddr::from((ADDRESS, 0))).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let file = |name: &str| folder.join(name).display().to_string();
        let server = Guarded::start(
            &find().unwrap().join("prometheus"),
            &[
                format!("--config.file={}", file("prometheus.yaml")),
                format!("--storage.tsdb.path={}", file("data")),
                format!("--web.listen-address={address}"),
            ],
            &plane.file("prometheus.log"),
        );
        let prometheus = Self {
            _server: server,
            url: format!("http://{address}"),
            folder,
        };
        until("Prometheus answers", || {
            prometheus.ask("vector(1)").code == Some(0)
        });
        prometheus
    }

    /// Where it finds the webhook from now on.
    pub(crate) fn webhook_is_at(&self, address: SocketAddr) {
        let targets = json!([{"targets": [address]}]).to_string();
        // By a rename: it must not read half of it.
        let next = self.folder.join("next");
        fs::write(&next, targets).unwrap();
        fs::rename(next, self.folder.join("webhook.json")).unwrap();
    }

    fn ask(&self, expression: &str) -> Ran {
        let query = ["query", "instant", "--format=json", &self.url, expression];
        promtool(&query, "")
    }

    /// What an expression comes to now.
    #[track_caller]
    pub(crate) fn query(&self, expression: &str) -> Vec<Value> {
        match self.ask(expression).json() {
            Value::Array(samples) => samples,
            other => panic!("{expression}: {other}"),
        }
    }

    /// Draws the panels of the dashboard, if the variable asks for it.
    pub(crate) fn draw(&self, since: Instant) {
        let Some(file) = env::var_os(PICTURE) else {
            return;
        };
        let seconds = since.elapsed().as_secs().to_string();
        let mut script = Command::new(root().join("tests/cluster/panels.py"));
        script.args([&self.url, &seconds]);
        fs::write(file, finish(script, "").ok()).unwrap();
    }

    /// The alerts that fire now.
    pub(crate) fn firing(&self) -> BTreeSet<String> {
        let alerts = self.query(r#"ALERTS{alertstate="firing"}"#);
        let name = |it: &Value| it["metric"]["alertname"].as_str().unwrap().to_owned();
        alerts.iter().map(name).collect()
    }
}

/// Runs promtool.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new(find().unwrap().join("promtool"));
    command.args(arguments);
    finish(command, input)
}

fn config(plane: &ControlPlane, controller: SocketAddr) -> Value {
    let kubeconfig: Value =
        serde_json::from_str(&fs::read_to_string(plane.kubeconfig()).unwrap()).unwrap();
    let server = &kubeconfig["clusters"][0]["cluster"]["server"];
    let api_server = server.as_str().unwrap().strip_prefix("https://").unwrap();
    let ca: &Path = &plane.file("ca.crt");
    json!({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": "webhook", "file_sd_configs": [{"files": ["webhook.json"], "refresh_interval": "1s"}]},
            {"job_name": "controller", "static_configs": [{"targets": [controller]}]},
            {
                "job_name": "apiserver",
                "scheme": "https",
                // It has much to tell.
                "scrape_interval": "2s",
                "scrape_timeout": "2s",
                "tls_config": {"ca_file": ca},
                "authorization": {"credentials": kubeconfig["users"][0]["user"]["token"]},
                "static_configs": [{"targets": [api_server]}],
                "metric_relabel_configs": [
                    {"source_labels": ["__name__"], "regex": "apiserver_admission_webhook_.*", "action": "keep"},
                ],
            },
        ],
    })
}
