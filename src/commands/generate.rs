//! `completions`, the completions of kubectl, and `man`: generated from the types of the command line.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use clap::CommandFactory;
use clap_complete::engine::complete;

use super::exit::Status;
use super::messages::print;
use crate::cli::{Called, Cli};

/// `completions`
pub(super) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Status> {
    if Called::now() == Called::Plugin {
        bail!(
            "kubectl needs no completion script: it completes plugins through a second executable. Create it in a folder of your PATH: \
             ln -s \"$(command -v kubectl-seldon_tracing)\" DIR/kubectl_complete-seldon_tracing"
        );
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seldon-tracing", &mut script);
    // clap_complete writes the hyphen of the name in two ways, so its script for bash does not find the subcommands
    // (https://github.com/clap-rs/clap/issues/6421).
    let script =
        String::from_utf8_lossy(&script).replace("seldon__subcmd__tracing", "seldon__tracing");
    print(&script)?;
    Ok(Status::Done)
}

/// Prints the completions that kubectl offers for a command of the plugin: a line for each, and a number that tells the shell how to
/// continue.
///
/// # Errors
/// An error for the user, if standard output or the current folder cannot be used.
pub fn offer() -> anyhow::Result<Status> {
    /// The shell adds no space, because more of a path follows.
    const NO_SPACE: u8 = 2;
    /// The shell offers no file names of its own: for an argument that is a file, they are in the list already.
    const NO_FILES: u8 = 4;
    let words = Called::words();
    let last = words.len() - 1;
    let folder = std::env::current_dir().context("cannot find the current folder")?;
    let mut command = Cli::definition();
    let offered = complete(&mut command, words, last, Some(&folder))?;
    let mut text = String::new();
    let mut is_folder = !offered.is_empty();
    for candidate in &offered {
        let value = candidate.get_value().to_string_lossy();
        is_folder &= value.ends_with('/');
        let help = candidate.get_help().map(ToString::to_string);
        let help = help.as_deref().and_then(|help| help.lines().next());
        text += &value;
        text += &help.map_or_else(String::new, |help| format!("\t{help}"));
        text.push('\n');
    }
    let how = NO_FILES + if is_folder { NO_SPACE } else { 0 };
    print(&format!("{text}:{how}\n"))?;
    Ok(Status::Done)
}

/// `man`
pub(super) fn man(dir: &Path) -> anyhow::Result<Status> {
    let mut command = Cli::command();
    command.build();
    pages(&command, dir)?;
    Ok(Status::Done)
}

fn pages(command: &clap::Command, dir: &Path) -> anyhow::Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let path = dir.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    // The examples are lines, not a paragraph.
    let page = String::from_utf8_lossy(&page)
        .replace(".SH EXTRA\n", ".SH EXTRA\n.nf\n")
        .replace(".SH VERSION\n", ".fi\n.SH VERSION\n");
    fs::write(&path, page)
        .with_context(|| format!("cannot write the man page {}", path.display()))?;
    command
        .get_subcommands()
        .filter(|subcommand| subcommand.get_name() != "help")
        .try_for_each(|subcommand| pages(subcommand, dir))
}
