//! A container's memory limit: a control group with a process in it, as the kubelet makes one.
//! <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>, <https://docs.kernel.org/admin-guide/cgroup-v2.html>

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The limit of the Deployment.
pub(crate) const LIMIT: u64 = 128 << 20;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A group below the one of this process, until it is dropped. Its process must have ended by then.
#[derive(Debug)]
pub(crate) struct Cgroup {
    folder: PathBuf,
    peak: &'static str,
}

impl Cgroup {
    /// Needs the right to write to the groups: root, mostly.
    pub(crate) fn new() -> io::Result<Self> {
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let below = |hierarchy: &str, mount: &str| -> Option<PathBuf> {
            let line = own.lines().find(|line| line.contains(hierarchy))?;
            let path = line.rsplit(':').next()?.trim_start_matches('/');
            Some(Path::new(mount).join(path))
        };
        let (parent, limits, peak) = match below(":memory:", "/sys/fs/cgroup/memory") {
            Some(parent) => (
                parent,
                &["memory.limit_in_bytes", "memory.kmem.tcp.limit_in_bytes"][..],
                "memory.max_usage_in_bytes",
            ),
            None => (
                below("0::", "/sys/fs/cgroup").ok_or(io::ErrorKind::NotFound)?,
                &["memory.max"][..],
                "memory.peak",
            ),
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("seldon-tracing-bench-{}-{number}", std::process::id());
        let folder = parent.join(name);
        fs::create_dir(&folder)?;
        let group = Self { folder, peak };
        for limit in limits {
            fs::write(group.folder.join(limit), LIMIT.to_string())?;
        }
        Ok(group)
    }

    /// Where a process writes its number to go in.
    pub(crate) fn door(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// The most memory that its process had, in bytes: its own, and in version 2 that of its sockets.
    pub(crate) fn peak(&self) -> io::Result<u64> {
        let text = fs::read_to_string(self.folder.join(self.peak))?;
        text.trim().parse().map_err(io::Error::other)
    }

    /// The most memory that its sockets had, where that is counted for itself.
    pub(crate) fn sockets(&self) -> Option<u64> {
        let text =
            fs::read_to_string(self.folder.join("memory.kmem.tcp.max_usage_in_bytes")).ok()?;
        text.trim().parse().ok()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The kernel may take a moment to see that the process has gone.
        for _ in 0..200 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        eprintln!("{} could not be removed", self.folder.display());
    }
}
