//! `jaeger-config`: its flags.

use clap::Args;

use super::{Input, Surroundings};

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  kubectl annotate sdep my-model tracing=true tracing.seldon.io/config-map=jaeger-client \\
    tracing.seldon.io/sampler-type=probabilistic tracing.seldon.io/sampler-param=0.1
  kubectl get sdep my-model -o yaml | seldon-tracing jaeger-config | kubectl apply -f -
  seldon-tracing jaeger-config -f models/ > jaeger-config.yaml
  seldon-tracing jaeger-config --name jaeger-client -n models --config config.yaml
  kubectl get configmap -A -l app.kubernetes.io/managed-by=seldon-tracing";

/// `jaeger-config`
#[derive(Args, Debug)]
pub struct JaegerConfig {
    /// Where manifests come from.
    #[command(flatten)]
    pub input: Input,
    /// What is known beside the manifests.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Render as for `inject --tracing VALUE`; with --name, the sampler of that profile
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
    /// Read no manifests: render this ConfigMap with the sampler that the config has for the namespace
    #[arg(long, value_name = "NAME[/KEY]", conflicts_with_all = ["paths", "namespace_default"])]
    pub name: Option<String>,
}
