//! The tools of users: completions in real shells, `inject` in kustomize and Helm, the plugin in kubectl, the alerts in promtool.
//!
//! `tests/tools/run` builds kustomize and Helm, gets promtool, and runs all of them. `cargo test` alone counts those as ignored whose tool is not on the
//! `PATH`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod completions;
mod gitops;
mod plugin;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::Arguments;
use support::registry::{self, lazy, trials};

/// The program of a tool.
struct Tool(PathBuf);

/// A test with a tool.
type Test = registry::Test<fn(&Tool)>;

fn main() -> ExitCode {
    let mut all = Vec::new();
    for (tool, absent, tests) in [
        ("bash", "bash is not on the PATH", completions::BASH),
        ("fish", "fish is not on the PATH", completions::FISH),
        ("zsh", "zsh is not on the PATH", completions::ZSH),
        (
            "kustomize",
            "kustomize is not on the PATH",
            gitops::KUSTOMIZE,
        ),
        ("helm", "helm is not on the PATH", gitops::HELM),
        ("krew", "krew is not on the PATH", plugin::KREW),
        ("kubectl", "kubectl is not on the PATH", plugin::KUBECTL),
        ("promtool", "promtool is not on the PATH", alerts::PROMTOOL),
    ] {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut places = env::split_paths(&path).map(|folder| folder.join(tool));
        let found = places.find(|place| place.is_file());
        let kind = if found.is_some() { tool } else { absent };
        let found = found.map(|found| lazy(|| Tool(found)));
        all.extend(trials(&[tests], kind, found.as_ref(), absent));
    }
    libtest_mimic::run(&Arguments::from_args(), all).exit_code()
}
