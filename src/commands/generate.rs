//! `completions` and `man`: generated from the types of the command line.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use super::exit::Status;
use super::messages::print;
use crate::cli::Cli;

/// `completions`
pub(super) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "seldon-tracing", &mut script);
    // clap_complete writes the hyphen of the name in two ways, so its script for bash does not find the subcommands
    // (https://github.com/clap-rs/clap/issues/6421).
    let script =
        String::from_utf8_lossy(&script).replace("seldon__subcmd__tracing", "seldon__tracing");
    print(&script)?;
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
