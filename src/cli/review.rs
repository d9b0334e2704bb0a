//! `review`: its flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::shared::{OneFile, Surroundings};

/// Examples for the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  seldon-tracing review model.yaml                        start a webhook on loopback and call it
  seldon-tracing review new.yaml --old stored.yaml        an update
  seldon-tracing review model.yaml -o response            the AdmissionReview of the answer
  seldon-tracing review model.yaml -o request             the AdmissionReview to send, for curl
  kubectl get sdep my-model -o yaml | seldon-tracing review --operation UPDATE
  kubectl -n seldon-tracing port-forward service/seldon-tracing 8443:443 &
  seldon-tracing review model.yaml --url https://localhost:8443 --cacert ca.crt \\
    --server-name seldon-tracing.seldon-tracing.svc";

/// `review`
#[derive(Args, Debug)]
pub struct Review {
    /// Manifest of one SeldonDeployment, or a whole AdmissionReview, in YAML or JSON.
    #[command(flatten)]
    pub file: OneFile,
    /// Inputs besides the object.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Manifest of the stored object, for an UPDATE
    #[arg(long, value_name = "FILE")]
    pub old: Option<PathBuf>,
    /// Operation [default: CREATE, or UPDATE with --old]
    ///
    /// An UPDATE without --old changes nothing; a DELETE deletes the object in the file.
    #[arg(long, value_name = "OPERATION", ignore_case = true)]
    pub operation: Option<Operation>,
    /// Send the request as a dry run, as kubectl --dry-run=server does
    #[arg(long)]
    pub dry_run: bool,
    /// URL of the webhook; without it, a webhook is started on loopback
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// CA of the webhook's certificate, in PEM, as in caBundle
    #[arg(
        long,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "insecure"
    )]
    pub cacert: Option<PathBuf>,
    /// Accept any certificate of the webhook
    #[arg(long, requires = "url")]
    pub insecure: bool,
    /// Name to expect in the webhook's certificate [default: the host of the URL]
    #[arg(long, value_name = "NAME", requires = "url")]
    pub server_name: Option<String>,
    /// Time for the answer, as timeoutSeconds
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "diff")]
    pub output: ReviewForm,
}

/// Operation on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Operation {
    /// Create it.
    Create,
    /// Change it.
    Update,
    /// Delete it.
    Delete,
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReviewForm {
    /// The changes of the patch, with warnings and audit annotations.
    Diff,
    /// The object after the patch, as JSON.
    Json,
    /// The object after the patch, as YAML.
    Yaml,
    /// The JSON Patch.
    Patch,
    /// The AdmissionReview of the answer.
    Response,
    /// The AdmissionReview that would be sent; no webhook is called.
    Request,
}
