//! The binary under the names by which kubectl finds a plugin and its completions.

use std::os::unix::fs::symlink;
use std::path::Path;

use assert_cmd::Command;

use crate::command::{MODEL, Run, folder, outcome};

const PLUGIN: &str = "kubectl-seldon_tracing";

/// Runs the binary by another name, in a folder of its own.
fn called(folder: &Path, name: &str, arguments: &[&str]) -> Run {
    let path = folder.join(name);
    if !path.exists() {
        symlink(env!("CARGO_BIN_EXE_seldon-tracing"), &path).unwrap();
    }
    let mut command = Command::new(path);
    command.env("COLUMNS", "100").current_dir(folder);
    outcome(command.args(arguments).write_stdin(""))
}

#[test]
fn help_and_errors_of_the_plugin_are_what_a_user_of_kubectl_can_type() {
    let files = folder(&[(
        "template.yaml",
        &MODEL.replace("name: model", "name: {{ x }}"),
    )]);
    let plugin = |arguments: &[&str]| called(files.path(), PLUGIN, arguments);
    for command in [
        "inject", "explain", "status", "resync", "review", "check", "serve", "config",
    ] {
        let help = plugin(&[command, "--help"]).data();
        assert!(
            help.contains(&format!("Usage: kubectl seldon-tracing {command} ")),
            "{help}"
        );
        for (at, _) in help.match_indices("seldon-tracing ") {
            let before = &help[..at];
            // It is the name of a namespace and of a Service too.
            let known = ["kubectl ", "-n ", "service/"];
            let is_known = known.iter().any(|word| before.ends_with(word));
            assert!(is_known, "{}", &help[at..]);
        }
    }
    let help = plugin(&["--help"]).data();
    assert!(
        help.contains("Usage: kubectl seldon-tracing [OPTIONS] <COMMAND>"),
        "{help}"
    );
    assert!(!help.contains("completions"), "{help}");
    let wrong = plugin(&["status", "--al"]).refusal();
    assert!(
        wrong.contains("Usage: kubectl seldon-tracing status "),
        "{wrong}"
    );
    let template = plugin(&["inject", "template.yaml"]).refusal();
    assert!(
        template.contains("helm template . | kubectl seldon-tracing inject"),
        "{template}"
    );
    let script = plugin(&["completions", "bash"]).refusal();
    assert!(
        script.contains("/kubectl_complete-seldon_tracing"),
        "{script}"
    );
}

#[test]
fn kubectl_is_told_what_comes_next_and_how_to_go_on() {
    let files = folder(&[("model.yaml", ""), ("models/one.yaml", "")]);
    let offered = |words: &[&str]| -> Vec<String> {
        let said = called(files.path(), "kubectl_complete-seldon_tracing", words).data();
        let first = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        said.lines().map(first).collect()
    };
    for (words, expected) in [
        (&["uninj"][..], &["uninject", ":4"][..]),
        (&["completi"], &["completions", ":4"]),
        (&["inject", "model."], &["model.yaml", ":4"]),
        (&["inject", "models"], &["models/", ":6"]),
        (&["inject", "models/"], &["models/one.yaml", ":4"]),
        (&["status", "-o", "j"], &["json", ":4"]),
        (&["config", "sh"], &["show", ":4"]),
        (&["status", "--all-n"], &["--all-namespaces", ":4"]),
        (&["nonsense", "x"], &[":4"]),
    ] {
        assert_eq!(offered(words), expected, "{words:?}");
    }
    let all = offered(&[""]);
    assert!(
        all.contains(&"status".to_owned()) && !all.contains(&"completions".to_owned()),
        "{all:?}"
    );
}
