//! The binary as a plugin of the real kubectl.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::Tool;
use crate::support::fixtures::{folder, root};

tests![KUBECTL: crate::Test; kubectl_runs_the_plugin_and_completes_it];

/// Kubectl, with the binary on the `PATH` by the two names that it looks for.
fn kubectl(tool: &Tool, home: &Path) -> Command {
    for name in ["kubectl-seldon_tracing", "kubectl_complete-seldon_tracing"] {
        let link = home.join("bin").join(name);
        if !link.exists() {
            symlink(env!("CARGO_BIN_EXE_seldon-tracing"), link).unwrap();
        }
    }
    let mut command = Command::new(&tool.0);
    let path = env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", home.join("bin").display());
    command
        .env("PATH", path)
        .env("HOME", home)
        .current_dir(home);
    command
}

fn kubectl_runs_the_plugin_and_completes_it(tool: &Tool) {
    let home = folder(&[("bin/readme", ""), ("model.yaml", "")]);
    let example = fs::read(root().join("examples/own-container.yaml")).unwrap();
    fs::write(home.path().join("model.yaml"), example).unwrap();
    let said = |arguments: &[&str]| {
        let output = kubectl(tool, home.path()).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };

    let (code, listed) = said(&["plugin", "list"]);
    assert!(
        code == Some(0) && listed.contains("/kubectl-seldon_tracing"),
        "{listed}"
    );
    let (code, help) = said(&["seldon-tracing", "inject", "--help"]);
    assert!(
        code == Some(0) && help.contains("Usage: kubectl seldon-tracing inject"),
        "{help}"
    );
    // The exit code of the plugin is that of kubectl.
    let (code, checked) = said(&["seldon-tracing", "inject", "--check", "model.yaml"]);
    assert_eq!(code, Some(1), "{checked}");
    let (code, wrong) = said(&["seldon-tracing", "inject", "--inplace"]);
    assert!(
        code == Some(2) && wrong.contains("Usage: kubectl seldon-tracing"),
        "{wrong}"
    );

    for (words, word) in [
        (&["uninj"][..], "uninject"),
        (&["status", "-o", "w"], "wide"),
        (&["inject", "mod"], "model.yaml"),
        (&["check", "--pr"], "--pre"),
    ] {
        let (_, offered) = said(&[&["__complete", "seldon-tracing"], words].concat());
        let mut lines = offered.lines();
        let first = lines.next().unwrap_or_default().split('\t').next();
        assert_eq!(first, Some(word), "{words:?}: {offered}");
        assert_eq!(lines.next(), Some(":4"), "{words:?}: {offered}");
    }
    let (_, offered) = said(&["__complete", "seldon-trac"]);
    assert!(offered.starts_with("seldon-tracing\t"), "{offered}");
}
