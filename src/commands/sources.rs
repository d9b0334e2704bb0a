//! The input of the commands: files, folders and standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use walkdir::WalkDir;

use super::messages;
use crate::cli::{Input, OneFile};
use crate::config::Config;
use crate::files::at_most;
use crate::inject::Context;
use crate::manifest::stream::{Documents, RawDocument};
use crate::offline::{self, Done};

/// The files that are read from a folder.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Whether the path stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A file, standard input, or an object of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
    Live { name: String, text: String },
}

impl Source {
    pub(super) fn of(path: &Path) -> Self {
        if is_stdin(path) {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }

    /// The name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Live { name, .. } => name.clone(),
        }
    }

    pub(super) fn open(&self) -> anyhow::Result<Box<dyn BufRead>> {
        Ok(match self {
            Self::Stdin => utf8(BufReader::new(io::stdin().lock()))?,
            Self::File(path) => File::open(path)
                .and_then(|file| utf8(BufReader::with_capacity(64 * 1024, file)))
                .with_context(|| format!("cannot open {}", path.display()))?,
            Self::Live { text, .. } => Box::new(Cursor::new(text.clone().into_bytes())),
        })
    }

    /// All bytes, which may come from a pipe: `--config <(...)`. More than `most` are an error.
    pub(super) fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Stdin => at_most(io::stdin().lock(), most),
            Self::File(path) => at_most(File::open(path)?, most),
            Self::Live { text, .. } => at_most(text.as_bytes(), most),
        }
    }
}

/// Converts UTF-16 with a byte order mark, as `>` in PowerShell writes it. Other text passes.
fn utf8(mut reader: impl BufRead + 'static) -> io::Result<Box<dyn BufRead>> {
    let Some(unit) = utf16(reader.fill_buf()?) else {
        return Ok(Box::new(reader));
    };
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    if bytes.len() % 2 == 1 {
        let half = "its text in UTF-16 ends within a character";
        return Err(io::Error::new(io::ErrorKind::InvalidData, half));
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units.skip(1)).collect();
    let text = text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Box::new(Cursor::new(text.into_bytes())))
}

/// How a text in UTF-16 is read, by the byte order mark at its beginning.
pub(super) fn utf16(beginning: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match beginning {
        [0xFF, 0xFE, ..] => Some(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => Some(u16::from_be_bytes),
        _ => None,
    }
}

/// The file that the arguments name; `-` for standard input.
pub(super) fn one(file: &OneFile) -> anyhow::Result<&Path> {
    match file.path() {
        Some(path) => Ok(path),
        None => piped("a file").map(|()| Path::new("-")),
    }
}

/// Refuses to wait for a person to type a manifest.
fn piped(what: &str) -> anyhow::Result<()> {
    if io::stdin().is_terminal() {
        bail!("nothing to read: name {what}, or pipe it in (--help has examples)");
    }
    Ok(())
}

/// The sources that the flags name. The config file must not be read from standard input too.
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
    let paths: Vec<_> = input.paths().collect();
    if paths.is_empty() {
        return piped("a manifest or a folder").map(|()| vec![Source::Stdin]);
    }
    if paths.iter().filter(|path| is_stdin(path)).count() > 1 {
        bail!("standard input (-) can be read only once");
    }
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() && !is_stdin(path) {
            walk(path, &mut sources)?;
        } else {
            sources.push(Source::of(path));
        }
    }
    Ok(sources)
}

/// Adds the manifests of a folder, sorted by name.
fn walk(folder: &Path, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let before = sources.len();
    let visible = |entry: &walkdir::DirEntry| {
        // Hidden folders such as `.git` hold no manifests. The folder that the user named is always read.
        entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
    };
    for entry in WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(visible)
    {
        let entry =
            entry.with_context(|| format!("cannot read the folder {}", folder.display()))?;
        let extension = entry.path().extension().and_then(|it| it.to_str());
        if entry.path().is_file() && extension.is_some_and(|it| EXTENSIONS.contains(&it)) {
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

/// Runs the engine on every document of a source. Reports the documents that it cannot read or edit, and returns how many these are.
///
/// # Errors
/// Only those of `seen`.
pub(super) fn each(
    source: &Source,
    config: &Config,
    context: &Context<'_>,
    mut seen: impl FnMut(&RawDocument, Done) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let name = source.name();
    let reader = match source.open() {
        Ok(reader) => reader,
        Err(error) => {
            messages::error(&format!("{error:#}"));
            return Ok(1);
        }
    };
    let mut faults = 0;
    for document in Documents::new(reader) {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                messages::error(&format!("{name}: cannot read it: {error}"));
                return Ok(faults + 1);
            }
        };
        match offline::run(&document.text, config, context) {
            Ok(done) => seen(&document, done)?,
            Err(fault) => {
                messages::fault(&name, document.first_line, &fault);
                faults += 1;
            }
        }
    }
    Ok(faults)
}
