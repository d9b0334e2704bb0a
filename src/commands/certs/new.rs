//! `certs new`: writes a CA and a certificate for the webhook to a folder, all four files or none.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use time::OffsetDateTime;

use crate::commands::Status;
use crate::commands::messages::{self, print, printable};
use crate::pki::{Authority, Names, Purpose};

/// `certs new`
pub(super) fn new(
    dir: &Path,
    dns: &[String],
    ip: &[IpAddr],
    days: u32,
    ca_days: u32,
) -> anyhow::Result<Status> {
    if days > ca_days {
        bail!(
            "--days {days} is more than --ca-days {ca_days}, and a certificate cannot outlive its CA: use --days {ca_days} or --ca-days {days}"
        );
    }
    let now = OffsetDateTime::now_utc();
    let names = Names {
        dns: dns.to_vec(),
        ip: ip.to_vec(),
    };
    let authority = Authority::new(None, now, ca_days)?;
    let pair = authority.issue(&names, Purpose::Server, now, days)?;
    let paths = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(|name| dir.join(name));
    refuse_to_overwrite(&paths)?;
    let mut written = Written::default();
    written.folder(dir)?;
    let [ca, ca_key, chain, key] = &paths;
    written.file(ca, authority.certificate(), Readers::All)?;
    written.file(ca_key, authority.key(), Readers::Owner)?;
    written.file(chain, &pair.chain, Readers::All)?;
    written.file(key, &pair.key, Readers::Owner)?;
    written.keep();
    let lines = paths
        .each_ref()
        .map(|path| printable(&path.display().to_string()) + "\n");
    print(&lines.concat())?;
    let [ca, _, chain, key] = paths.map(|path| quoted(&path));
    messages::summary(&format!(
        "run the webhook:   seldon-tracing serve --tls-cert {chain} --tls-key {key}\n\
         call the webhook:  seldon-tracing review -f model.yaml --url https://ADDRESS --cacert {ca}\n\
         ca.crt is the caBundle of the webhook configuration; anyone with ca.key can impersonate the webhook"
    ));
    Ok(Status::Done)
}

/// Existing certificates may be in use, so nothing is written if one of the files exists.
fn refuse_to_overwrite(paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut existing = Vec::new();
    for path in paths {
        // Unlike `exists`, this also finds a broken symlink.
        match fs::symlink_metadata(path) {
            Ok(_) => existing.push(path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "cannot check whether {} exists; nothing was written",
                        path.display()
                    )
                });
            }
        }
    }
    if !existing.is_empty() {
        bail!(
            "{} would be overwritten; nothing was written: move {} away, or choose another --dir",
            existing.join(", "),
            if existing.len() == 1 { "it" } else { "them" }
        );
    }
    Ok(())
}

/// The users who can read a file.
#[derive(Clone, Copy)]
enum Readers {
    All = 0o644,
    Owner = 0o600,
}

/// Files and folders that are removed again if not all of them can be written.
#[derive(Default)]
struct Written {
    /// Parents first.
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Written {
    /// Creates a folder that only its owner can enter, if it does not exist.
    fn folder(&mut self, path: &Path) -> anyhow::Result<()> {
        let missing = path
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_owned)
            .collect::<Vec<_>>();
        for folder in missing.into_iter().rev() {
            let created = DirBuilder::new().mode(0o700).create(&folder);
            created.with_context(|| {
                format!(
                    "cannot create the folder {}; nothing was written",
                    folder.display()
                )
            })?;
            self.folders.push(folder);
        }
        Ok(())
    }

    /// Writes a new file. It is created with its mode, so that a key is never readable by others, not even for a moment.
    fn file(&mut self, path: &Path, text: &str, readers: Readers) -> anyhow::Result<()> {
        let what = || format!("cannot write {}; nothing was written", path.display());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(readers as u32);
        let mut file = options.open(path).with_context(what)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(what)
    }

    /// Everything is written: removes nothing.
    fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // The error that led here is reported already.
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = printable(&path.display().to_string());
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+@:,%=".contains(letter);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_files_are_removed_if_one_cannot_be_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let dir = folder.path().join("a/b");
        let failed = (|| {
            let mut written = Written::default();
            written.folder(&dir)?;
            written.file(&dir.join("one"), "1", Readers::All)?;
            fs::write(dir.join("two"), "mine")?;
            written.file(&dir.join("two"), "2", Readers::Owner)?;
            written.keep();
            anyhow::Ok(())
        })();
        let said = format!("{:#}", failed.unwrap_err());
        assert!(said.contains("two; nothing was written"), "{said}");
        assert!(!dir.join("one").exists());
        // A file that another process has created stays, and so do its folders.
        assert_eq!(fs::read_to_string(dir.join("two")).unwrap(), "mine");
        drop(Written {
            folders: vec![folder.path().join("a"), dir.clone()],
            files: vec![dir.join("two")],
        });
        assert!(!folder.path().join("a").exists());
        assert!(folder.path().exists());
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("certs/dev/tls.crt")), "certs/dev/tls.crt");
        assert_eq!(quoted(Path::new("it's/a b")), r"'it'\''s/a b'");
        assert_eq!(quoted(Path::new("a\u{1b}b")), "'a\u{fffd}b'");
    }
}
