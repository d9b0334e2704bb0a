//! What shells offer for the beginning of a command.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::Tool;
use crate::support::binary;
use crate::support::fixtures::{folder, root};

tests![BASH: crate::Test; bash_completes];
tests![FISH: crate::Test; fish_completes];
tests![ZSH: crate::Test; zsh_completes];

/// What is typed, and what its last word becomes.
const LINES: [(&str, &str); 11] = [
    ("uninj", "uninject"),
    ("inject --dif", "--diff"),
    ("inject mod", "model.yaml"),
    ("inject --diff mod", "model.yaml"),
    ("inject -f mod", "model.yaml"),
    ("explain -o js", "json"),
    ("review --operation UP", "UPDATE"),
    ("config sho", "show"),
    ("config show -o js", "json"),
    ("certs new --dn", "--dns"),
    ("check --pr", "--pre"),
];

fn bash_completes(shell: &Tool) {
    completes(shell, "bash", &["--norc", "--noprofile"]);
}

fn fish_completes(shell: &Tool) {
    completes(shell, "fish", &["--no-config"]);
}

fn zsh_completes(shell: &Tool) {
    completes(shell, "zsh", &["-f"]);
}

#[track_caller]
fn completes(shell: &Tool, name: &str, flags: &[&str]) {
    let files = folder(&[("model.yaml", ""), ("script", "")]);
    let script = binary::command()
        .args(["completions", name])
        .output()
        .unwrap();
    fs::write(files.path().join("script"), script.stdout).unwrap();
    let mut child = Command::new(&shell.0)
        .args(flags)
        .arg(root().join(format!("tests/tools/complete.{name}")))
        .arg("./script")
        .current_dir(files.path())
        .env("HOME", files.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for (typed, _) in LINES {
        writeln!(stdin, "seldon-tracing {typed}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let offered = String::from_utf8(output.stdout).unwrap();
    assert_eq!(offered.lines().count(), LINES.len(), "{offered}");
    for ((typed, word), offered) in LINES.iter().zip(offered.lines()) {
        let last = offered.split_whitespace().last();
        assert_eq!(last, Some(*word), "{typed}: {offered}");
    }
}
