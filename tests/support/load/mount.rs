//! A Secret or a ConfigMap as the kubelet mounts it: the keys are files of a folder, and all change at once.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A mounted volume. Its files change by a swap of the symlink `..data`.
#[derive(Debug)]
pub(crate) struct Mount {
    folder: TempDir,
    version: u32,
}

impl Mount {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Self { folder, version: 0 };
        mount.swap(files);
        for (name, _) in files {
            symlink(Path::new("..data").join(name), mount.path().join(name)).unwrap();
        }
        mount
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn swap(&mut self, files: &[(&str, &str)]) {
        self.version += 1;
        let old = fs::read_link(self.path().join("..data")).ok();
        let new = PathBuf::from(format!("..2024_{}", self.version));
        let at = self.path().join(&new);
        fs::create_dir(&at).unwrap();
        for (name, content) in files {
            fs::write(at.join(name), content).unwrap();
        }
        let link = self.path().join("..data_tmp");
        symlink(&new, &link).unwrap();
        fs::rename(&link, self.path().join("..data")).unwrap();
        if let Some(old) = old {
            fs::remove_dir_all(self.path().join(old)).unwrap();
        }
    }
}
