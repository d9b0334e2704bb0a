//! Arguments of the commands that work on a cluster.

use std::path::PathBuf;

use clap::Args;

/// Which cluster, as kubectl selects it.
#[derive(Args, Debug)]
pub struct Connection {
    /// The kubeconfig file [default: the variable KUBECONFIG, then ~/.kube/config, then the service account of the pod]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig [default: its current context]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The namespace of the installation
    #[arg(
        long,
        value_name = "NAME",
        default_value = "seldon-tracing",
        env = "SELDON_TRACING_NAMESPACE",
        hide_env_values = true
    )]
    pub tracing_namespace: String,
}

/// Which SeldonDeployments of the cluster, as kubectl selects them.
#[derive(Args, Debug, Default)]
pub struct Scope {
    /// Their namespace [default: the namespace of the context]
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Only those with these labels, such as team=risk,tier!=dev
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub selector: Option<String>,
}
