//! The same cluster for a person.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::rig::Cluster;
use crate::rig::crd::Crd;
use crate::rig::installation::Source;
use crate::support::fixtures::root;

/// Starts a cluster, says how to reach it, and ends it with Ctrl-C or the end of standard input.
pub(crate) fn up(assets: Result<PathBuf, String>, folder: &Path, crd: Crd) -> ExitCode {
    let assets = match assets {
        Ok(assets) => assets,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let cluster = Cluster::start(&assets, folder, crd, &Source::External);
    // The examples are for this one.
    cluster.kubectl(&["create", "namespace", "models"]).ok();
    let kubeconfig = cluster.plane().kubeconfig();
    println!("export KUBECONFIG={}", quoted(&kubeconfig));
    println!("export PATH={}:$PATH", quoted(&assets));
    eprintln!(
        "
The cluster is ready and traces what asks for it. It has no nodes: nothing is deployed. In another terminal, after the two lines above:

  kubectl apply -f {example}
  kubectl get sdep churn --namespace models -o yaml
  kubectl annotate sdep churn --namespace models tracing=false --overwrite

Ctrl-C or the end of standard input ends it and removes {folder}.",
        example = quoted(&root().join("examples/own-container.yaml")),
        folder = folder.display(),
    );
    let (end, ended) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever comes, only its end counts.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = end.send(());
    });
    cluster.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).unwrap();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        tokio::select! {
            _ = ended => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
    drop(cluster);
    let _ = std::fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}
