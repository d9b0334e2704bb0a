//! `certs new`: writes a CA and a certificate for the webhook to a folder, all four files or none.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::TempPath;
use time::{Duration, OffsetDateTime};

use super::exit::Status;
use super::messages::{self, print, printable};
use crate::cli::CertsCommand;
use crate::pki::{Authority, Names, Purpose};

/// `certs …`
pub(super) fn certs(command: CertsCommand) -> anyhow::Result<Status> {
    let CertsCommand::New {
        dir,
        dns,
        ip,
        days,
        ca_days,
    } = command;
    if days > ca_days {
        bail!(
            "--days {days} is more than --ca-days {ca_days}, and a certificate cannot outlive its CA: use --days {ca_days} or --ca-days {days}"
        );
    }
    let now = OffsetDateTime::now_utc();
    let names = Names { dns, ip };
    let authority = Authority::new(None, now, Duration::days(ca_days.into()))?;
    let pair = authority.issue(&names, Purpose::Server, now, Duration::days(days.into()))?;
    let paths = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(|name| dir.join(name));
    refuse_to_overwrite(&paths)?;
    let create = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
    create.with_context(|| {
        let dir = dir.display();
        format!("cannot create the folder {dir}; nothing was written")
    })?;
    let texts = [
        (authority.certificate(), 0o644),
        (authority.key(), 0o600),
        (&pair.chain, 0o644),
        (&pair.key, 0o600),
    ];
    // A full disk must not leave an incomplete set of files.
    let prepared: Vec<_> = texts
        .into_iter()
        .map(|(text, mode)| prepare(&dir, text, mode))
        .collect::<io::Result<_>>()
        .with_context(|| format!("cannot write to {}; nothing was written", dir.display()))?;
    put_in_place(prepared, &paths)?;
    let lines = paths
        .each_ref()
        .map(|path| printable(&path.display().to_string()) + "\n");
    print(&lines.concat())?;
    let [ca, _, chain, key] = paths.map(|path| quoted(&path));
    messages::summary(&format!(
        "run the webhook:   seldon-tracing serve --tls-cert {chain} --tls-key {key}\n\
         call the webhook:  seldon-tracing review model.yaml --url https://ADDRESS --cacert {ca}\n\
         ca.crt is the caBundle of the webhook configuration; anyone with ca.key can impersonate the webhook"
    ));
    Ok(Status::Done)
}

/// Existing certificates may be in use, so nothing is written if one of the files exists.
fn refuse_to_overwrite(paths: &[PathBuf]) -> anyhow::Result<()> {
    // Unlike `exists`, this also finds a broken symlink.
    let exists = |path: &&PathBuf| fs::symlink_metadata(path).is_ok();
    let existing = paths.iter().filter(exists);
    let existing: Vec<_> = existing.map(|path| path.display().to_string()).collect();
    if !existing.is_empty() {
        bail!(
            "{} would be overwritten; nothing was written: move {} away, or choose another --dir",
            existing.join(", "),
            if existing.len() == 1 { "it" } else { "them" }
        );
    }
    Ok(())
}

/// Writes a temporary file. It has its mode from the start, so that a key is never readable by others.
fn prepare(dir: &Path, text: &str, mode: u32) -> io::Result<TempPath> {
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file.into_temp_path())
}

/// Renames all files to their final names, or none.
fn put_in_place(prepared: Vec<TempPath>, paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut placed = Vec::with_capacity(paths.len());
    for (file, path) in prepared.into_iter().zip(paths) {
        // The error has the temporary file, which must go too.
        let result = file
            .persist_noclobber(path)
            .map_err(|refused| refused.error);
        result.with_context(|| format!("cannot write {}; nothing was written", path.display()))?;
        placed.push(TempPath::try_from_path(path)?);
    }
    for file in placed {
        file.keep()?;
    }
    Ok(())
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
    fn where_a_file_cannot_have_its_name_those_before_it_lose_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
        let prepared = || {
            paths
                .iter()
                .map(|_| prepare(dir.path(), "x", 0o600).unwrap())
        };
        fs::write(&paths[1], "another's").unwrap();
        let error = put_in_place(prepared().collect(), &paths).unwrap_err();
        assert!(error.to_string().ends_with("/b; nothing was written"));
        let names = || fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names(), 1);
        assert_eq!(fs::read_to_string(&paths[1]).unwrap(), "another's");
        fs::remove_file(&paths[1]).unwrap();
        put_in_place(prepared().collect(), &paths).unwrap();
        assert_eq!(names(), 3);
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("certs/dev/tls.crt")), "certs/dev/tls.crt");
        assert_eq!(quoted(Path::new("it's/a b")), r"'it'\''s/a b'");
        assert_eq!(quoted(Path::new("a\u{1b}b")), "'a\u{fffd}b'");
    }
}
