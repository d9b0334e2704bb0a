//! `review`: its flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  seldon-tracing review -f model.yaml                     against a webhook of its own, on loopback
  seldon-tracing review -f new.yaml --old stored.yaml     an update
  seldon-tracing review -f model.yaml -o response         the AdmissionReview that comes back
  seldon-tracing review -f model.yaml -o request          the one that goes there, for curl
  kubectl get sdep my-model -o yaml | seldon-tracing review -f - --operation UPDATE
  kubectl -n seldon-tracing port-forward service/seldon-tracing 8443:443 &
  seldon-tracing review -f model.yaml --url https://localhost:8443 --cacert ca.crt \\
    --server-name seldon-tracing.seldon-tracing.svc

Exit codes: 0 the API server would take the answer, 1 it would refuse it, 2 the input or the usage is wrong.";

/// `review`
#[derive(Args, Debug)]
pub struct Review {
    /// A manifest of one SeldonDeployment, or a whole AdmissionReview, in YAML or JSON; - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub file: PathBuf,
    /// What is stored now: makes it an update
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
    /// What is being done with the object; by default CREATE, with --old UPDATE
    ///
    /// An UPDATE without --old is one that changes nothing, a DELETE is one of the object in the file.
    #[arg(long, value_name = "OPERATION", ignore_case = true)]
    pub operation: Option<Operation>,
    /// Ask as kubectl --dry-run=server does
    #[arg(long)]
    pub dry_run: bool,
    /// The namespace of the request; by default that of the object, or default
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Ask the path for namespaces labelled tracing=enabled
    #[arg(long)]
    pub namespace_default: bool,
    /// The webhook to ask; without it, one is started for this on loopback
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The CA that the webhook's certificate is held against, in PEM, as in caBundle
    #[arg(
        long,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "insecure"
    )]
    pub cacert: Option<PathBuf>,
    /// Take any certificate of the webhook
    #[arg(long, requires = "url")]
    pub insecure: bool,
    /// The name to expect in the webhook's certificate, where it is not the one in the URL
    #[arg(long, value_name = "NAME", requires = "url")]
    pub server_name: Option<String>,
    /// The time that the webhook has, as timeoutSeconds
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// The config file of the webhook that is started for this; one at --url has its own
    #[arg(
        long,
        value_name = "FILE",
        env = "SELDON_TRACING_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// The form of what is printed
    #[arg(short = 'o', long, value_name = "FORM", default_value = "diff")]
    pub output: ReviewForm,
}

/// What is being done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Operation {
    /// It is new.
    Create,
    /// It is changed.
    Update,
    /// It is removed.
    Delete,
}

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReviewForm {
    /// What the patch changes, with warnings and audit annotations.
    Diff,
    /// The object after the patch.
    Json,
    /// The same, easier to read.
    Yaml,
    /// The JSON Patch.
    Patch,
    /// The AdmissionReview as it came back.
    Response,
    /// The AdmissionReview that would be sent, for other clients; nobody is asked.
    Request,
}
