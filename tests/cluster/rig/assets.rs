//! Where kube-apiserver, etcd and kubectl are.

use std::env;
use std::path::PathBuf;

/// The field's own name for a folder with these binaries, as controller-runtime's envtest has it.
const VARIABLE: &str = "KUBEBUILDER_ASSETS";

/// The folder, or what to say about its absence.
pub(crate) fn find() -> Result<PathBuf, String> {
    let Some(folder) = env::var_os(VARIABLE).map(PathBuf::from) else {
        return Err(format!(
            "{VARIABLE} is not set. `tests/cluster/run` builds kube-apiserver, etcd and kubectl with Go and runs these tests"
        ));
    };
    let binaries = ["kube-apiserver", "etcd", "kubectl"];
    match binaries.iter().find(|name| !folder.join(name).is_file()) {
        // Who sets it wants these tests to run.
        Some(name) => panic!(
            "{VARIABLE} is {}, where there is no {name}",
            folder.display()
        ),
        // Not as it was said: the tests run commands in other folders.
        None => Ok(folder.canonicalize().unwrap()),
    }
}
