//! The binary as a plugin of the real kubectl, and its installation by the real krew.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::Tool;
use crate::support::fixtures::{folder, root};

tests![KUBECTL: crate::Test; kubectl_runs_the_plugin_and_completes_it];
tests![KREW: crate::Test; krew_installs_the_archives_of_a_release_by_their_manifest];

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

/// The name of the archive for this machine.
fn archive() -> String {
    let architecture = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("seldon-tracing-{}-{architecture}.tar.gz", env::consts::OS)
}

fn krew_installs_the_archives_of_a_release_by_their_manifest(tool: &Tool) {
    // What is in the archive needs no room, so a script says how it was called.
    let program = "#!/bin/sh\necho \"$0\"\n";
    let home = folder(&[
        ("files/seldon-tracing", program),
        ("files/LICENSE", "the licence"),
        ("files/THIRD-PARTY-LICENCES.txt", "their licences"),
        ("dist/readme", ""),
        ("krew/readme", ""),
    ]);
    let at = |path: &str| home.path().join(path);
    fs::set_permissions(at("files/seldon-tracing"), Permissions::from_mode(0o755)).unwrap();
    let archive = at("dist").join(archive());
    let run = |command: &mut Command| {
        let output = command.env("HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(Command::new("tar")
        .args(["--create", "--gzip", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(at("files"))
        .args(["LICENSE", "THIRD-PARTY-LICENCES.txt", "seldon-tracing"]));
    let manifest = run(Command::new(root().join("release/krew"))
        .arg(at("dist"))
        .arg("https://example.com/seldon-tracing/releases/download/v0.1.0"));
    fs::write(at("seldon-tracing.yaml"), manifest).unwrap();
    run(Command::new(&tool.0)
        .env("KREW_ROOT", at("krew"))
        .arg("install")
        .arg(format!(
            "--manifest={}",
            at("seldon-tracing.yaml").display()
        ))
        .arg(format!("--archive={}", archive.display())));
    let plugin = at("krew/bin/kubectl-seldon_tracing");
    // By this name it knows that it is a plugin.
    let called = run(&mut Command::new(&plugin));
    assert_eq!(called.trim(), plugin.to_str().unwrap());
    let installed = fs::canonicalize(&plugin).unwrap();
    assert!(
        installed.with_file_name("LICENSE").exists(),
        "{}",
        installed.display()
    );
    assert!(
        installed
            .with_file_name("THIRD-PARTY-LICENCES.txt")
            .exists()
    );
}
