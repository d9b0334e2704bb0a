//! Runs the commands of the documentation as a person would.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use walkdir::WalkDir;

use super::control_plane::{ControlPlane, Ground};
use super::kubectl::{self, Ran};
use crate::support::fixtures::root;

/// A shell in a folder that looks like a checkout of ours, with our command, kubectl and a kubeconfig at hand.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    folder: PathBuf,
    path: String,
    kubeconfig: PathBuf,
}

impl Shell {
    pub(crate) fn new(plane: &ControlPlane) -> Self {
        let folder = plane.file("checkout");
        let tools = plane.file("tools");
        // Certificates are made in it, so it is not the checkout itself.
        fs::create_dir_all(folder.join("certs")).unwrap();
        fs::create_dir_all(&tools).unwrap();
        let link = |from: &Path, to: PathBuf| {
            // Another shell of this cluster may have made it.
            if !to.exists() {
                symlink(from, to).unwrap();
            }
        };
        link(&root().join("examples"), folder.join("examples"));
        copy(&root().join("manifests"), &folder.join("manifests"));
        if plane.ground == Ground::Loopback && !may_listen_below_1024() {
            for name in [
                "base/service",
                "base/webhook",
                "chart/templates/service",
                "chart/templates/webhook",
            ] {
                let file = folder.join(format!("manifests/{name}.yaml"));
                let text = fs::read_to_string(&file).unwrap();
                fs::write(file, text.replace("port: 443", "port: 20443")).unwrap();
            }
        }
        link(&plane.kubectl(), tools.join("kubectl"));
        let ours = env!("CARGO_BIN_EXE_seldon-tracing");
        link(Path::new(ours), tools.join("seldon-tracing"));
        let path = env::var("PATH").unwrap();
        Self {
            folder,
            path: format!("{}:{path}", tools.display()),
            kubeconfig: plane.kubeconfig(),
        }
    }

    /// Gives it one more command.
    pub(crate) fn add(&self, name: &str, program: &Path) {
        let tools = self.folder.with_file_name("tools");
        symlink(program, tools.join(name)).unwrap();
    }

    /// Runs a block of commands, until one fails.
    pub(crate) fn run(&self, block: &str) -> Ran {
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", block])
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .env("KUBECONFIG", &self.kubeconfig);
        kubectl::finish(command, "")
    }

    /// Runs the blocks under a heading of a page.
    pub(crate) fn follow(&self, page: &str, heading: &str) -> Vec<String> {
        let blocks = blocks(page, heading);
        blocks.iter().map(|block| self.run(block).ok()).collect()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The port of the Service is root's on many machines. Then it gets another.
fn may_listen_below_1024() -> bool {
    let may = TcpListener::bind("127.96.0.1:443").is_ok();
    if !may {
        eprintln!("cluster: port 443 is for root alone; the Service gets 20443 in these tests");
    }
    may
}

/// Copies a folder, for an admin changes what is in it.
fn copy(from: &Path, to: &Path) {
    for entry in WalkDir::new(from) {
        let entry = entry.unwrap();
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The blocks of commands for a cluster under a heading of a page, in order. The others, marked `sh`, need none.
pub(crate) fn blocks(page: &str, heading: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let mut lines = text.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "{page} has no heading {heading:?}");
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in lines.take_while(|line| !line.starts_with("## ") && !line.starts_with("### ")) {
        match &mut block {
            None if line == "```bash" => block = Some(String::new()),
            None => {}
            Some(_) if line == "```" => blocks.extend(block.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    assert!(
        !blocks.is_empty(),
        "{page} has no commands under {heading:?}"
    );
    blocks
}
