//! The same cluster for a person.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::node::Parts;
use crate::receivers;
use crate::rig::Space;
use crate::support::fixtures::root;

/// Starts it with a receiver and with what deploys models, says how to reach it, and ends it with standard input; `tests/node/start` ends it
/// on Ctrl-C.
pub(crate) fn up(parts: Result<Parts, String>) -> ExitCode {
    let parts = match parts {
        Ok(parts) => parts,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let cluster = parts.cluster();
    receivers::install(&cluster);
    // The examples are for this one.
    cluster.kubectl(&["create", "namespace", "models"]).ok();
    receivers::operate(&Space::existing(&cluster, "models"));
    println!(
        "export KUBECONFIG={}",
        quoted(&cluster.plane().kubeconfig())
    );
    println!("export PATH={}:$PATH", quoted(&parts.folder.join("bin")));
    eprintln!(
        "
The cluster is ready and traces what asks for it. Models in the namespace `models` are deployed. In another terminal, after the two lines
above:

  kubectl apply -f {example}
  kubectl get pods --all-namespaces
  kubectl wait --for=create deployment/churn-default --namespace models
  kubectl rollout status deployment/churn-default --namespace models
  kubectl exec deployment/churn-default --namespace models --container seldon-container-engine -- {call}
  in-node curl --silent 'http://{jaeger}/api/traces?service=executor'

Ctrl-C or the end of standard input ends it. Nothing stays.",
        example = quoted(&root().join("examples/own-container.yaml")),
        call = receivers::call().join(" "),
        jaeger = receivers::jaeger(),
    );
    // Whatever comes, only its end counts.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    ExitCode::SUCCESS
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}
