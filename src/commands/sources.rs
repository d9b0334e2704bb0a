//! Where manifests come from: files, folders and standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use walkdir::WalkDir;

use super::config::is_stdin;
use crate::cli::Input;

/// The names of files that are taken from a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// One stream of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// How messages call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    pub(super) fn open(&self) -> anyhow::Result<Box<dyn BufRead>> {
        Ok(match self {
            Self::Stdin => Box::new(BufReader::new(io::stdin().lock())),
            Self::File(path) => {
                let file =
                    File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
                Box::new(BufReader::with_capacity(64 * 1024, file))
            }
        })
    }
}

/// Finds the streams that are meant, folders walked in the order of their names. The config file is named so that it is not
/// read from standard input as well.
pub(super) fn find(input: &Input, config: Option<&Path>) -> anyhow::Result<Vec<Source>> {
    let sources = all(input)?;
    if sources.contains(&Source::Stdin) && config.is_some_and(is_stdin) {
        bail!(
            "--config - and the manifests cannot both be read from standard input: name one of them as a file"
        );
    }
    Ok(sources)
}

fn all(input: &Input) -> anyhow::Result<Vec<Source>> {
    if input.paths.is_empty() {
        if io::stdin().is_terminal() {
            bail!(
                "nothing to read: name a manifest or a folder with -f PATH, or pipe manifests in (--help has examples)"
            );
        }
        return Ok(vec![Source::Stdin]);
    }
    let mut sources = Vec::new();
    for path in &input.paths {
        if is_stdin(path) {
            sources.push(Source::Stdin);
        } else if path.is_dir() {
            walk(path, &mut sources)?;
        } else {
            sources.push(Source::File(path.clone()));
        }
    }
    if sources
        .iter()
        .filter(|source| **source == Source::Stdin)
        .count()
        > 1
    {
        bail!("standard input (-f -) can be read only once");
    }
    Ok(sources)
}

fn walk(folder: &Path, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let before = sources.len();
    let visible = |entry: &walkdir::DirEntry| {
        // `.git` and the like hold no manifests; the folder that was named is taken whatever its name.
        entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
    };
    for entry in WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible)
    {
        let entry =
            entry.with_context(|| format!("cannot walk the folder {}", folder.display()))?;
        let ending = entry.path().extension().and_then(|ending| ending.to_str());
        if entry.path().is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            sources.push(Source::File(entry.into_path()));
        }
    }
    if sources.len() == before {
        bail!(
            "no .yaml, .yml or .json file in the folder {}",
            folder.display()
        );
    }
    Ok(())
}
