//! The collector of `manifests/collector` on the node, Jaeger behind it, and a stand-in for Seldon's operator, whose module cannot be had.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::node::Parts;
use crate::rig::{Cluster, Space};
use crate::support::fixtures::root;

/// An annotation of a Deployment: the generation of the model that it was made of.
pub(crate) const GENERATION: &str = "example.com/generation";

/// Where Jaeger is asked; see [`FOLDER`].
pub(crate) fn jaeger() -> SocketAddr {
    ([10, 96, 0, 101], 16686).into()
}

/// The folder of the worked example, where nothing resolves names: the addresses of Jaeger's Services are fixed, and the collector has one
/// of them instead of a name.
const FOLDER: &str = r#"resources: [../examples/worked]
patches:
- target: {kind: Service, name: jaeger-collector}
  patch: '[{"op": "add", "path": "/spec/clusterIP", "value": "10.96.0.100"}]'
- target: {kind: Service, name: jaeger-query}
  patch: '[{"op": "add", "path": "/spec/clusterIP", "value": "10.96.0.101"}]'
- target: {kind: DaemonSet}
  patch: |
    - op: add
      path: /spec/template/spec/hostAliases
      value: [{ip: 10.96.0.100, hostnames: [jaeger-collector.observability.svc]}]
"#;

/// Has the orchestrator, in its container, make a request of the model. Prints the id of the trace.
pub(crate) fn call() -> [String; 2] {
    let orchestrator = variable("SELDON_TRACING_SPANS").join("orchestrator");
    let model = "http://127.0.0.1:9000/predict".to_owned();
    [orchestrator.display().to_string(), model]
}

/// Installs both.
pub(crate) fn install(cluster: &Cluster) {
    let parts = Parts::find().unwrap();
    parts.import("jaeger");
    parts.import("collector");
    let shell = &cluster.installation().shell;
    fs::create_dir_all(shell.file("worked")).unwrap();
    fs::write(shell.file("worked/kustomization.yaml"), FOLDER).unwrap();
    let commands = "kubectl apply -k worked
kubectl rollout status daemonset/seldon-tracing-collector --namespace seldon-tracing-collector
kubectl rollout status deployment/jaeger --namespace observability";
    shell.run(commands).ok();
}

/// What a container sees of the machine, instead of an image that would bring it: a Python, and what the tests have built.
fn folders() -> Vec<PathBuf> {
    let python = variable("SELDON_TRACING_PYTHON");
    // The environment has only links to the Python that it was made of.
    let interpreter = python.join("bin/python").canonicalize().unwrap();
    let base = interpreter.ancestors().nth(2).unwrap().to_owned();
    let machine = ["/bin", "/lib", "/lib64", "/usr"].map(PathBuf::from);
    let built = [base, python, variable("SELDON_TRACING_SPANS")];
    let here = [root().join("tests/spans/python")];
    let mut all: Vec<_> = machine.into_iter().chain(built).chain(here).collect();
    all.dedup();
    all
}

fn variable(name: &str) -> PathBuf {
    PathBuf::from(env::var_os(name).unwrap())
}

/// Deploys the models of a namespace until the tests end: for each predictor a Deployment with its containers and the orchestrator, in the
/// environment that they have there.
pub(crate) fn operate(space: &Space<'_>) {
    // The image of the example is an empty one.
    let parts = Parts::find().unwrap();
    let (empty, wanted) = (
        "docker.io/library/pause:1",
        "registry.example.com/churn-model:1.4.0",
    );
    parts.ctr(&["images", "tag", "--force", empty, wanted]);
    let models = space.models();
    let deployments = Api::namespaced(space.cluster.client(), &space.name);
    space.cluster.spawn(async move {
        loop {
            deploy(&models, &deployments).await;
            sleep(Duration::from_millis(200)).await;
        }
    });
}

async fn deploy(models: &Api<DynamicObject>, deployments: &Api<Deployment>) {
    // Where the cluster ends, there is nothing to do.
    let Ok(list) = models.list(&ListParams::default()).await else {
        return;
    };
    for model in list {
        let model = serde_json::to_value(model).unwrap();
        for predictor in model["spec"]["predictors"].as_array().unwrap() {
            let deployment = deployment(&model, predictor);
            let name = deployment["metadata"]["name"].as_str().unwrap();
            let (parameters, patch) = (
                PatchParams::apply("operator").force(),
                Patch::Apply(&deployment),
            );
            deployments.patch(name, &parameters, &patch).await.unwrap();
        }
    }
}

/// In the manner of Seldon's operator, with commands that stand for the images.
fn deployment(model: &Value, predictor: &Value) -> Value {
    let python = variable("SELDON_TRACING_PYTHON").join("bin");
    let mut pod = predictor["componentSpecs"][0]["spec"].clone();
    let mut containers = pod["containers"].as_array().unwrap().clone();
    for container in &mut containers {
        container["command"] = json!([
            python.join("python"),
            python.join("seldon-core-microservice"),
            "model.Model",
            "--service-type=MODEL",
            "--http-port=9000",
        ]);
        let path = root().join("tests/spans/python");
        let own = json!({"name": "PYTHONPATH", "value": path});
        container["env"].as_array_mut().unwrap().insert(0, own);
        container["readinessProbe"] = json!({"tcpSocket": {"port": 9000}, "periodSeconds": 1});
    }
    containers.push(json!({
        "name": "seldon-container-engine",
        "image": "pause:1",
        "env": predictor["svcOrchSpec"]["env"],
    }));
    let folders = folders();
    let name = |at: usize| format!("machine-{at}");
    let mounts = folders.iter().enumerate();
    let mounts =
        mounts.map(|(at, path)| json!({"name": name(at), "mountPath": path, "readOnly": true}));
    let scratch = json!({"name": "scratch", "mountPath": "/tmp"});
    let mounts: Vec<_> = mounts.chain([scratch]).collect();
    for container in &mut containers {
        container["volumeMounts"] = json!(mounts);
    }
    let volumes = folders.iter().enumerate();
    let volumes = volumes.map(|(at, path)| json!({"name": name(at), "hostPath": {"path": path}}));
    let scratch = json!({"name": "scratch", "emptyDir": {}});
    pod["volumes"] = volumes.chain([scratch]).collect();
    pod["containers"] = json!(containers);
    pod["terminationGracePeriodSeconds"] = json!(1);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = format!(
        "{}-{}",
        text(&model["metadata"]["name"]),
        text(&predictor["name"])
    );
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": {GENERATION: model["metadata"]["generation"].to_string()}},
        "spec": {
            "replicas": predictor["replicas"],
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    })
}
