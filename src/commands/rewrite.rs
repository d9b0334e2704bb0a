//! New texts for files: shown as a diff, or written over the old ones, all or none.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, bail};
use similar::TextDiff;
use tempfile::TempPath;

use super::sources::Source;
use super::talk::{self, plural, printable};
use crate::files;

/// A unified diff of one file.
pub(super) fn diff(name: &str, before: &str, after: &str) -> String {
    let name = printable(name.trim_start_matches('/'));
    TextDiff::from_lines(before, after)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// Prints a diff, in colour where there is a terminal.
pub(super) fn print_diff(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    for line in text.split_inclusive('\n') {
        let style = match line.as_bytes().first() {
            Some(b'+') => AnsiColor::Green.on_default(),
            Some(b'-') => AnsiColor::Red.on_default(),
            Some(b'@') => AnsiColor::Cyan.on_default(),
            _ => Style::new(),
        };
        let (content, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |content| (content, "\n"));
        write!(stdout, "{style}{content}{style:#}{end}")
            .context("cannot write to standard output")?;
    }
    Ok(())
}

/// Refuses what has no file to write to, before anything is read from it.
pub(super) fn check(source: &Source) -> anyhow::Result<()> {
    let Source::File(path) = source else {
        bail!("--in-place writes files; standard input has no file to write to");
    };
    // Where the system keeps names for what is open, such as /dev/stdin, which may be a file that goes by another name.
    let folder = std::path::absolute(path)?;
    let folder = folder
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    if folder.is_some_and(|folder| folder == Path::new("/dev") || folder.starts_with("/proc"))
        && path.is_file()
    {
        bail!(
            "--in-place cannot write {}: it stands for another file; name that one",
            path.display()
        );
    }
    match files::regular(path) {
        // That it is missing is said where it is read.
        Err(error) if path.exists() => {
            Err(error).with_context(|| format!("--in-place cannot write {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Files that are written but not yet in their places, by place, each with its name for messages.
#[derive(Default)]
pub(super) struct Rewrites(BTreeMap<PathBuf, (TempPath, String)>);

impl Rewrites {
    /// Writes the new text of a file beside it, with its mode and owner.
    pub(super) fn add(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let name = path.display().to_string();
        // A link stays a link: what it points to is written.
        let staged = fs::canonicalize(path).and_then(|target| Ok((stage(&target, text)?, target)));
        let (file, target) = staged.with_context(|| format!("cannot write {name}"))?;
        self.0.insert(target, (file, name));
        Ok(())
    }

    /// Puts all files into their places. If that fails in the middle, it says which ones are there.
    pub(super) fn carry_out(self) -> anyhow::Result<()> {
        let mut written = Vec::new();
        for (target, (file, name)) in self.0 {
            if let Err(error) = file.persist(&target) {
                for name in &written {
                    talk::warning(&format!("{name} is written"));
                }
                let what = match written.len() {
                    0 => "nothing was written".to_owned(),
                    count => format!(
                        "the {} named above {} written and all others are as they were; run the command again for these",
                        plural(count, "file"),
                        if count == 1 { "is" } else { "are" }
                    ),
                };
                return Err(error.error)
                    .with_context(|| format!("cannot write {name}, so that {what}"));
            }
            written.push(name);
        }
        Ok(())
    }
}

/// Writes a file beside its place. It is hidden, so that a folder with one that was left behind by a kill can be walked.
fn stage(target: &Path, text: &str) -> io::Result<TempPath> {
    let metadata = files::regular(target)?;
    sole_name(&metadata)?;
    let mut file = tempfile::Builder::new()
        .prefix(".seldon-tracing-")
        .suffix(".tmp")
        .tempfile_in(target.parent().unwrap_or_else(|| Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    keep_owner(file.as_file(), &metadata)?;
    // After the owner, for a change of it takes away the bits by which others run it as theirs.
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// What to do where a new file cannot stand for the old one.
const COPY: &str = "print the manifest instead, and copy it over this file";

/// A new file in the place of one of its names would leave the other names to the old one.
fn sole_name(metadata: &Metadata) -> io::Result<()> {
    match metadata.nlink() {
        0 | 1 => Ok(()),
        links => Err(io::Error::other(format!(
            "it has {links} hard links, and --in-place would part them; {COPY}"
        ))),
    }
}

/// Gives a new file to the owner of the old one. Only root can do that where they are not the same.
fn keep_owner(file: &File, metadata: &Metadata) -> io::Result<()> {
    let (user, group) = (metadata.uid(), metadata.gid());
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (user, group) {
        return Ok(());
    }
    fchown(file, Some(user), Some(group)).map_err(|error| {
        let why = format!("it belongs to user {user} and group {group}, and a new file would not");
        io::Error::new(error.kind(), format!("{why} ({error}); {COPY}"))
    })
}
