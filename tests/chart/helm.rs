//! Helm, as people run it.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::fixtures::{documents, root};

/// The oldest Kubernetes that the chart is for. A Helm that was built from its module takes 1.20 for the cluster.
pub(crate) const KUBERNETES: &str = "--kube-version=1.30.0";

/// Where everybody installs.
pub(crate) const NAMESPACE: &str = "seldon-tracing";

/// A version of Helm.
#[derive(Debug)]
pub(crate) struct Helm {
    pub(crate) program: PathBuf,
    /// What it wrote of itself, in a folder of these tests.
    home: tempfile::TempDir,
    files: AtomicUsize,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) is_done: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(self.is_done, "{}", self.stderr);
        self.stdout
    }

    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert!(!self.is_done, "it was taken: {}", self.stderr);
        self.stderr
    }
}

/// Objects by kind, namespace and name.
pub(crate) type Objects = BTreeMap<(String, String, String), Value>;

pub(crate) fn chart() -> PathBuf {
    root().join("manifests/chart")
}

/// A program on the `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}

impl Helm {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self {
            program,
            home: tempfile::tempdir().unwrap(),
            files: AtomicUsize::new(0),
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(folder, self.home.path().join(folder));
        }
        let output = command.args(arguments).env_remove("KUBECONFIG").output();
        let output = output.unwrap();
        Ran {
            is_done: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A file with values.
    pub(crate) fn values(&self, text: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let file = self.home.path().join(format!("values-{number}.yaml"));
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Renders the chart with these values.
    pub(crate) fn template(&self, values: &str) -> Ran {
        self.template_in(NAMESPACE, values)
    }

    pub(crate) fn template_in(&self, namespace: &str, values: &str) -> Ran {
        let (chart, values) = (chart(), self.values(values));
        let [chart, values] = [&chart, &values].map(|it| it.to_str().unwrap());
        let of = ["--namespace", namespace, "--values", values, KUBERNETES];
        self.run(&[&["template", "seldon-tracing", chart], &of[..]].concat())
    }

    /// What it renders, without what belongs to `helm test`.
    #[track_caller]
    pub(crate) fn objects(&self, values: &str) -> Objects {
        let mut objects = objects(&self.template(values).ok());
        objects.retain(|_, object| !is_hook(object));
        objects
    }

    /// Looks for mistakes in the chart.
    pub(crate) fn lint(&self, chart: &Path) -> Ran {
        self.run(&["lint", "--strict", KUBERNETES, chart.to_str().unwrap()])
    }
}

/// Whether Helm takes an object for no part of the release.
pub(crate) fn is_hook(object: &Value) -> bool {
    object["metadata"]["annotations"]
        .get("helm.sh/hook")
        .is_some()
}

#[track_caller]
pub(crate) fn objects(text: &str) -> Objects {
    let documents = documents(text);
    let count = documents.len();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let objects: Objects = documents
        .into_iter()
        .map(|object| {
            let metadata = &object["metadata"];
            let key = [&object["kind"], &metadata["namespace"], &metadata["name"]].map(text);
            (key.into(), object)
        })
        .collect();
    assert_eq!(objects.len(), count, "an object is there twice");
    objects
}
