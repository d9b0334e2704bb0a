//! The flags of `inject`, `uninject` and `explain`.

use clap::{Args, ValueEnum};

use super::cluster::Connection;
use super::shared::{ConfigFile, DataForm, Input, Surroundings};

pub(super) const INJECT_EXAMPLES: &str = "\
Examples:
  seldon-tracing inject model.yaml                        print the manifest with tracing
  seldon-tracing inject model.yaml --diff                 show the changes
  seldon-tracing inject models/ --in-place                write the files of a folder
  seldon-tracing inject models/ --check                   exit 1 if a file would change
  kustomize build . | seldon-tracing inject | kubectl apply -f -
  seldon-tracing inject model.yaml --tracing true         even without an annotation";

pub(super) const UNINJECT_EXAMPLES: &str = "\
Examples:
  seldon-tracing uninject model.yaml                      print the original manifest
  seldon-tracing uninject models/ --in-place              remove tracing from the files of a folder
  kubectl get sdep my-model -o yaml | seldon-tracing uninject";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  seldon-tracing explain model.yaml                       print a table
  seldon-tracing explain sdep/my-model -n models          a model of the cluster
  kubectl get sdep my-model -o yaml | seldon-tracing explain
  seldon-tracing explain models/ -o json                  print JSON, as docs/explain.md describes it";

/// Where the result goes, and in which format.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Output {
    /// Print a unified diff instead of the manifest
    #[arg(long)]
    pub diff: bool,
    /// Write the files instead of printing: all of them or, after any error, none
    ///
    /// Prepares a new file beside each old one, with its mode and owner and a hidden name (.seldon-tracing-*.tmp). When all
    /// are ready, renames them over the old files. If a rename fails, puts the old files back; on a file system without hard
    /// links it cannot, and lists the files that are written. Ctrl-C before the first rename removes the prepared files. If
    /// the process is killed, each file is complete, old or new: delete remaining hidden files, and run the command again.
    /// A symlink stays, and its target is written. Standard input, special files, UTF-16 and files with several hard links
    /// are refused.
    #[arg(long, conflicts_with = "check")]
    pub in_place: bool,
    /// Only print the names of files that would change, or with --diff the changes, and exit 1 if there are any
    #[arg(long)]
    pub check: bool,
    /// Print every document in this format, instead of as it is written
    #[arg(short = 'o', long, value_name = "FORMAT", conflicts_with_all = ["diff", "in_place", "check"])]
    pub output: Option<DataForm>,
    /// Print no summary, only warnings and errors
    #[arg(short = 'q', long)]
    pub quiet: bool,
}

/// `inject`
#[derive(Args, Debug)]
pub struct Inject {
    /// The manifests to read.
    #[command(flatten)]
    pub input: Input,
    /// Where the result goes, and in which format.
    #[command(flatten)]
    pub output: Output,
    /// Inputs besides the objects.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Add the tracing annotation with this value (true, false or a profile) to every SeldonDeployment without one
    ///
    /// `uninject` removes it again.
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
}

/// `uninject`
#[derive(Args, Debug)]
pub struct Uninject {
    /// The manifests to read.
    #[command(flatten)]
    pub input: Input,
    /// Where the result goes, and in which format.
    #[command(flatten)]
    pub output: Output,
    /// The config file, for the key of the tracing annotation.
    #[command(flatten)]
    pub file: ConfigFile,
}

/// `explain`
#[derive(Args, Debug)]
pub struct Explain {
    /// The manifests to read.
    #[command(flatten)]
    pub input: Input,
    /// Inputs besides the objects.
    #[command(flatten)]
    pub surroundings: Surroundings,
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table")]
    pub output: ExplainForm,
    /// Explain the result of `inject --tracing VALUE`
    #[arg(long, value_name = "VALUE")]
    pub tracing: Option<String>,
    /// After the table, show the changes that `inject` would make
    #[arg(long)]
    pub diff: bool,
    /// Which cluster, for sdep/NAME.
    #[command(flatten)]
    pub connection: Connection,
}

/// An output format of `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainForm {
    /// A table for reading.
    Table,
    /// A table with a row for every variable of every target.
    Wide,
    /// JSON for programs.
    Json,
    /// YAML, with the content of the JSON.
    Yaml,
}

impl Output {
    /// Whether the manifests are printed.
    #[must_use]
    pub const fn prints_manifests(&self) -> bool {
        !(self.diff || self.in_place || self.check)
    }
}
