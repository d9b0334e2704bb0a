//! The same cluster for a person.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::rig::Cluster;
use crate::rig::crd::Crd;
use crate::rig::installation::Source;

/// Starts a cluster, says how to reach it, and ends it when standard input ends.
pub(crate) fn up(assets: Result<PathBuf, String>, folder: &Path, crd: Crd) -> ExitCode {
    let assets = match assets {
        Ok(assets) => assets,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let cluster = Cluster::start(&assets, folder, crd, &Source::External);
    let examples = crate::rig::crd::root().join("examples");
    println!(
        "export KUBECONFIG={}",
        cluster.plane().kubeconfig().display()
    );
    println!("export PATH={}:$PATH", assets.display());
    eprintln!(
        "\nThe cluster is ready and traces what asks for it. It has no nodes: nothing is deployed. In another terminal, after the two lines above:\n
  kubectl apply -f {examples}/own-container.yaml
  kubectl get sdep -o yaml
  kubectl annotate sdep --all tracing=false --overwrite\n
Ctrl-C or the end of standard input ends it and removes {folder}.",
        examples = examples.display(),
        folder = folder.display(),
    );
    // Whatever comes, only its end counts.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(cluster);
    let _ = std::fs::remove_dir_all(folder);
    ExitCode::SUCCESS
}
