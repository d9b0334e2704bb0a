//! `--in-place`: new texts are prepared beside their files, then renamed over them.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_usize};
use signal_hook::low_level::emulate_default_handler;
use tempfile::{NamedTempFile, TempPath};

use super::sources::{Source, utf16};
use crate::files;

/// Refuses a source that cannot be replaced, before anything is read.
pub(super) fn check(source: &Source) -> anyhow::Result<()> {
    let Source::File(path) = source else {
        bail!("--in-place writes files; standard input has no file to write to");
    };
    // Names that the system keeps for open files, such as /dev/stdin. The file behind may have another name.
    let folder = std::path::absolute(path)?;
    let folder = folder
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    if folder.is_some_and(|folder| folder == Path::new("/dev") || folder.starts_with("/proc"))
        && path.is_file()
    {
        bail!(
            "--in-place cannot write {}: it refers to another file; use that path",
            path.display()
        );
    }
    match files::regular(path).and_then(|_| utf8(path)) {
        // A missing file is reported where it is read.
        Err(error) if path.exists() => {
            Err(error).with_context(|| format!("--in-place cannot write {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Prepared files by the path that they replace, each with the name that the user gave.
#[derive(Default)]
pub(super) struct Prepared(BTreeMap<PathBuf, (TempPath, String)>);

impl Prepared {
    /// Writes the new text of a file beside it, with its mode and owner.
    pub(super) fn add(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let name = path.display().to_string();
        // A symlink stays: the file that it points to is replaced.
        let prepared =
            fs::canonicalize(path).and_then(|target| Ok((prepare(&target, text)?, target)));
        let (file, target) = prepared.with_context(|| format!("cannot write {name}"))?;
        self.0.insert(target, (file, name));
        Ok(())
    }

    /// Renames all prepared files over the old ones. If one cannot be renamed, the old files come back.
    pub(super) fn replace(self) -> anyhow::Result<()> {
        let mut replaced = Vec::new();
        for (target, (file, name)) in self.0 {
            let old = second_name(&target);
            if let Err(error) = file.persist(&target) {
                let written = put_back(replaced);
                let rest = match written.as_slice() {
                    [] => "nothing was written".to_owned(),
                    names => format!("these files are written: {}", names.join(", ")),
                };
                return Err(error.error).with_context(|| format!("cannot write {name}; {rest}"));
            }
            replaced.push((target, old, name));
        }
        Ok(())
    }
}

/// Gives an old file a second, hidden name, by which it can come back. Some file systems have no hard links.
fn second_name(target: &Path) -> Option<TempPath> {
    let link = hidden().make_in(folder(target), |name| fs::hard_link(target, name));
    Some(link.ok()?.into_temp_path())
}

/// Puts old files back. Returns the names of those that cannot be.
fn put_back(replaced: Vec<(PathBuf, Option<TempPath>, String)>) -> Vec<String> {
    let stays_written = |(target, old, name): (PathBuf, Option<TempPath>, String)| {
        let is_back = old.is_some_and(|old| old.persist(target).is_ok());
        (!is_back).then_some(name)
    };
    replaced.into_iter().filter_map(stays_written).collect()
}

/// Hidden, so that a file that a killed run left behind is not read as a manifest.
fn hidden() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".seldon-tracing-").suffix(".tmp");
    builder
}

fn folder(target: &Path) -> &Path {
    target.parent().unwrap_or_else(|| Path::new("."))
}

fn prepare(target: &Path, text: &str) -> io::Result<TempPath> {
    let metadata = files::regular(target)?;
    sole_name(&metadata)?;
    let mut file: NamedTempFile = hidden().tempfile_in(folder(target))?;
    file.write_all(text.as_bytes())?;
    keep_owner(file.as_file(), &metadata)?;
    // After the owner: a change of owner clears the setuid and setgid bits.
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Refuses UTF-16, which is read and printed as UTF-8.
fn utf8(path: &Path) -> io::Result<()> {
    let mut beginning = [0; 2];
    let read = File::open(path)?.read(&mut beginning)?;
    match utf16(&beginning[..read]) {
        None => Ok(()),
        Some(_) => Err(io::Error::other(format!(
            "it is UTF-16, and --in-place would make it UTF-8; {COPY}"
        ))),
    }
}

/// Advice for files that cannot be replaced.
const COPY: &str = "print the manifest instead, and copy it over this file";

/// Replacing one of several hard links would leave the others with the old text.
fn sole_name(metadata: &Metadata) -> io::Result<()> {
    match metadata.nlink() {
        0 | 1 => Ok(()),
        links => Err(io::Error::other(format!(
            "it has {links} hard links, and --in-place would break the links; {COPY}"
        ))),
    }
}

/// Gives a new file to the owner of the old one. Only root can do that where they differ.
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

/// A signal arrived while files were prepared.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; nothing was written")]
pub(super) struct Interrupted;

/// Notes signals that would end the process, so that prepared files are removed first.
#[derive(Default)]
pub(super) struct Interrupt {
    /// Whether the next signal ends the process at once.
    came: Arc<AtomicBool>,
    /// The number of the last signal.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Notes the first signal from now on. A second one ends the process.
    pub(super) fn listen() -> io::Result<Self> {
        let new = Self::default();
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // They run in this order.
            register_conditional_default(signal, Arc::clone(&new.came))?;
            let number = signal.unsigned_abs() as usize;
            register_usize(signal, Arc::clone(&new.signal), number)?;
            register(signal, Arc::clone(&new.came))?;
        }
        Ok(new)
    }

    /// An error after a signal.
    pub(super) fn check(&self) -> Result<(), Interrupted> {
        if self.came.load(Ordering::Acquire) {
            return Err(Interrupted);
        }
        Ok(())
    }

    /// Nothing is left to remove: the next signal ends the process.
    pub(super) fn over(&self) {
        self.came.store(true, Ordering::Release);
    }

    /// Ends the process by the signal that arrived, so that a shell knows why it ended.
    pub(super) fn end(&self) -> io::Result<()> {
        let signal = i32::try_from(self.signal.load(Ordering::Acquire)).unwrap_or(SIGTERM);
        emulate_default_handler(signal)
    }
}
