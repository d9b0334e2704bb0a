//! New texts for files: shown as a diff, or written over the old ones, all or none.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use similar::TextDiff;
use tempfile::{NamedTempFile, TempPath};

use super::talk::printable;

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

/// Files that are written but not yet in their places.
#[derive(Default)]
pub(super) struct Rewrites(Vec<(TempPath, PathBuf)>);

impl Rewrites {
    /// Writes the new text of a file beside it, with its mode and owner.
    pub(super) fn add(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let what = || format!("cannot write {}", path.display());
        // A link stays a link: what it points to is written.
        let target = fs::canonicalize(path).with_context(what)?;
        let folder = target.parent().unwrap_or_else(|| Path::new("."));
        let metadata = fs::metadata(&target).with_context(what)?;
        let mut file = NamedTempFile::new_in(folder).with_context(what)?;
        file.write_all(text.as_bytes()).with_context(what)?;
        file.as_file()
            .set_permissions(metadata.permissions())
            .with_context(what)?;
        keep_owner(file.path(), &metadata);
        file.as_file().sync_all().with_context(what)?;
        self.0.push((file.into_temp_path(), target));
        Ok(())
    }

    /// Puts all files into their places.
    pub(super) fn carry_out(self) -> anyhow::Result<()> {
        for (file, target) in self.0 {
            file.persist(&target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
        Ok(())
    }
}

/// Who runs this as root should not become the owner. Anybody else may not give files away, and need not.
#[cfg(unix)]
fn keep_owner(path: &Path, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _ = chown(path, Some(metadata.uid()), Some(metadata.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}
