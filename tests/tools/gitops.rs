//! `inject` as a function of kustomize and as a post-renderer of Helm, as `docs/gitops.md` shows them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Tool;
use crate::support::binary;
use crate::support::fixtures::{folder, root};

tests![KUSTOMIZE: crate::Test; kustomize_runs_inject_as_a_function];
tests![HELM: crate::Test; helm_runs_inject_as_a_post_renderer];

const PAGE: &str = "docs/gitops.md";
const SECTION: &str = "## Helm and kustomize";

/// The text of a fenced block of the section, by a text in it.
fn block(language: &str, with: &str) -> String {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let (_, page) = page.split_once(SECTION).unwrap();
    let fence = format!("```{language}\n");
    let mut blocks = page.split(&fence).skip(1);
    let block = blocks.find_map(|rest| {
        let (block, _) = rest.split_once("```")?;
        block.contains(with).then(|| block.to_owned())
    });
    block.unwrap_or_else(|| panic!("{PAGE} has lost {with:?}"))
}

/// Runs a command of the page in a folder, with the tool and the binary on the `PATH`. Returns what it printed.
fn sh(tool: &Tool, folder: &Path, command: &str) -> String {
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_seldon-tracing"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [tool.0.parent().unwrap(), ours.parent().unwrap()];
    let folders = folders.map(Path::to_owned);
    let output = Command::new("sh")
        .args(["-euc", command])
        .current_dir(folder)
        .env("HOME", folder)
        .env(
            "PATH",
            env::join_paths(folders.into_iter().chain(env::split_paths(&path))).unwrap(),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What is printed is traced, and has nothing of the tool's own format.
#[track_caller]
fn is_traced(printed: &str) {
    assert!(printed.contains("name: JAEGER_AGENT_HOST"), "{printed}");
    assert!(!printed.contains("ResourceList"), "{printed}");
    let output = folder(&[("printed.yaml", printed)]);
    let check = binary::command()
        .args(["inject", "--check", "printed.yaml"])
        .current_dir(output.path())
        .status()
        .unwrap();
    assert!(check.success(), "inject would change more: {printed}");
}

fn model() -> String {
    fs::read_to_string(root().join("examples/own-container.yaml")).unwrap()
}

fn kustomize_runs_inject_as_a_function(tool: &Tool) {
    let files = folder(&[
        ("model.yaml", &model()),
        (
            "tracing.yaml",
            &block("yaml", "config.kubernetes.io/function"),
        ),
        ("kustomization.yaml", &block("yaml", "transformers:")),
    ]);
    let printed = sh(tool, files.path(), &block("bash", "--enable-exec"));
    is_traced(&printed);
}

fn helm_runs_inject_as_a_post_renderer(tool: &Tool) {
    let files = folder(&[
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: models\nversion: 0.1.0\n",
        ),
        ("chart/templates/model.yaml", &model()),
        (
            "chart/templates/other.yaml",
            "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {{ .Release.Name }}\n",
        ),
    ]);
    for with in ["--post-renderer", "helm template models chart |"] {
        is_traced(&sh(tool, files.path(), &block("bash", with)));
    }
}
