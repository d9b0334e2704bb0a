//! What `--in-place` writes, what it refuses to write, and what it leaves behind when it is stopped.

#![cfg(unix)]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::command::{MODEL, Run, folder, outcome, run_in, seldon_tracing};
use crate::support::binary;

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn in_place(folder: &Path, paths: &[&str]) -> Run {
    let mut command = seldon_tracing();
    command.current_dir(folder).args(["inject", "--in-place"]);
    for path in paths {
        command.args(["-f", path]);
    }
    outcome(command.timeout(Duration::from_mins(1)))
}

#[test]
fn standard_input_is_refused_by_all_its_names() {
    let files = folder(&[("a.yaml", MODEL)]);
    let path = files.path().join("a.yaml");
    symlink("/dev/stdin", files.path().join("link.yaml")).unwrap();
    for name in [
        "-",
        "/dev/stdin",
        "/dev/fd/0",
        "/proc/self/fd/0",
        "link.yaml",
    ] {
        let arguments = ["inject", "--in-place", "-f", name];
        let said = run_in(files.path(), &arguments, MODEL).refusal();
        assert!(said.starts_with("error: --in-place "), "{name}: {said}");
    }
    // The system shows a file that is standard input as this file.
    for name in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        let output = binary::command()
            .args(["inject", "--in-place", "-f", name])
            .stdin(File::open(&path).unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.starts_with("error: --in-place "), "{name}: {said}");
        assert_eq!(read(files.path(), "a.yaml"), MODEL);
    }
}

#[test]
fn what_is_no_file_is_neither_read_nor_replaced() {
    let files = folder(&[("a.yaml", MODEL)]);
    let fifo = files.path().join("fifo.yaml");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let _socket = UnixListener::bind(files.path().join("socket.yaml")).unwrap();
    symlink("fifo.yaml", files.path().join("link.yaml")).unwrap();
    for (name, kind) in [
        ("fifo.yaml", "a FIFO"),
        ("link.yaml", "a FIFO"),
        ("socket.yaml", "a socket"),
        ("/dev/null", "a device"),
    ] {
        let said = in_place(files.path(), &["a.yaml", name]).refusal();
        let expected = format!("error: --in-place cannot write {name}: it is {kind}");
        assert!(said.starts_with(&expected), "{said}");
        assert_eq!(read(files.path(), "a.yaml"), MODEL);
    }
    // In a folder, only files are taken.
    assert_eq!(in_place(files.path(), &["."]).code, 0);
    assert!(fs::metadata(fifo).unwrap().file_type().is_fifo());
    assert!(read(files.path(), "a.yaml").contains("JAEGER"));
}

#[test]
fn a_hard_link_is_refused_where_it_would_be_parted() {
    let files = folder(&[("a.yaml", MODEL), ("b.yaml", MODEL)]);
    let (path, other) = (files.path().join("a.yaml"), files.path().join("other"));
    fs::hard_link(&path, &other).unwrap();
    let said = in_place(files.path(), &["."]).refusal();
    let expected =
        "error: cannot write ./a.yaml: it has 2 hard links, and --in-place would break the links";
    assert!(said.starts_with(expected), "{said}");
    for name in ["a.yaml", "b.yaml", "other"] {
        assert_eq!(read(files.path(), name), MODEL);
    }
    // The way that the message shows.
    let injected = run_in(files.path(), &["inject", "-f", "a.yaml"], "").data();
    fs::write(&path, &injected).unwrap();
    assert_eq!(read(files.path(), "other"), injected);
    // What need not change is not written.
    assert_eq!(in_place(files.path(), &["."]).code, 0);
    assert_eq!(fs::metadata(&path).unwrap().nlink(), 2);
}

#[test]
fn symlinks_stay_and_what_they_point_to_is_written() {
    let files = folder(&[("real/a.yaml", MODEL), ("m/b.yaml", MODEL)]);
    symlink("../real/a.yaml", files.path().join("m/first.yaml")).unwrap();
    symlink("first.yaml", files.path().join("m/second.yaml")).unwrap();
    symlink("real", files.path().join("linked")).unwrap();
    let written = in_place(files.path(), &["m", "linked/a.yaml"]);
    assert_eq!(written.code, 0, "{written:?}");
    for name in ["m/first.yaml", "m/second.yaml", "linked"] {
        assert!(files.path().join(name).is_symlink(), "{name}");
    }
    for name in ["m/b.yaml", "real/a.yaml"] {
        assert!(read(files.path(), name).contains("JAEGER"), "{name}");
        assert!(!files.path().join(name).is_symlink());
    }
    assert_eq!(temporary(&files.path().join("real")), 0);
    symlink("absent", files.path().join("m/dangling.yaml")).unwrap();
    let said = in_place(files.path(), &["m/dangling.yaml"]).refusal();
    assert!(said.starts_with("error: cannot open m/dangling.yaml: "));
}

/// Only root can make a file of another user's; for others this is about the mode.
#[test]
fn mode_and_owner_are_kept() {
    let files = folder(&[("a.yaml", MODEL)]);
    let path = files.path().join("a.yaml");
    let own = fs::metadata(&path).unwrap();
    let is_root = own.uid() == 0;
    let (user, group) = if is_root {
        (1234, 5678)
    } else {
        (own.uid(), own.gid())
    };
    for mode in [0o640, 0o444, 0o4755] {
        fs::write(&path, MODEL).unwrap();
        chown(&path, Some(user), Some(group)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(in_place(files.path(), &["a.yaml"]).code, 0);
        assert!(read(files.path(), "a.yaml").contains("JAEGER"));
        let now = fs::metadata(&path).unwrap();
        assert_eq!((now.uid(), now.gid()), (user, group));
        assert_eq!(now.mode() & 0o7777, mode);
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    if !is_root {
        return;
    }
    // The same by a user who may write it, and may not give files away.
    fs::write(&path, MODEL).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(files.path(), Permissions::from_mode(0o777)).unwrap();
    let binary = files.path().join("seldon-tracing");
    fs::copy(env!("CARGO_BIN_EXE_seldon-tracing"), &binary).unwrap();
    let output = Command::new(&binary)
        .args(["inject", "--in-place", "-f", "a.yaml"])
        .current_dir(files.path())
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "error: cannot write a.yaml: it belongs to user 1234 and group 5678, and a new file would not";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(read(files.path(), "a.yaml"), MODEL);
    assert_eq!(temporary(files.path()), 0);
}

/// How many files have been prepared beside their places.
fn temporary(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap();
    let is_ours = |name: &str| name.starts_with(".seldon-tracing-");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| is_ours(name)).count()
}

/// A run over many files that was halted when a few of them had been prepared, and none was in its place.
struct Halted {
    files: TempDir,
    child: Child,
}

impl Halted {
    /// How many files there are.
    const COUNT: usize = 1000;

    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        for at in 0..Self::COUNT {
            fs::write(Self::file(files.path(), at), MODEL).unwrap();
        }
        let child = binary::command()
            .args(["inject", "--in-place", "-f", "."])
            .current_dir(files.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let halted = Self { files, child };
        let end = Instant::now() + Duration::from_mins(1);
        while temporary(halted.path()) < 3 {
            assert!(Instant::now() < end, "nothing is prepared");
            sleep(Duration::from_millis(1));
        }
        halted.signal("STOP");
        // It has stopped when the system says so.
        let stat = format!("/proc/{}/stat", halted.child.id());
        while !fs::read_to_string(&stat).unwrap().contains(") T ") {
            assert!(Instant::now() < end, "it does not stop");
            sleep(Duration::from_millis(1));
        }
        assert!(temporary(halted.path()) < Self::COUNT, "it was too fast");
        assert_eq!(halted.injected(), 0);
        halted
    }

    fn path(&self) -> &Path {
        self.files.path()
    }

    fn file(folder: &Path, at: usize) -> PathBuf {
        folder.join(format!("{at:04}.yaml"))
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(kill.unwrap().success());
    }

    /// How many files have been injected. The others are as they were.
    fn injected(&self) -> usize {
        let texts = (0..Self::COUNT)
            .map(|at| Self::file(self.path(), at))
            .filter(|path| path.is_file())
            .map(|path| fs::read_to_string(path).unwrap());
        let (old, new): (Vec<_>, Vec<_>) = texts.partition(|text| text == MODEL);
        let back = |text: &String| crate::command::run(&["uninject"], text).data();
        if let Some(first) = new.first() {
            assert_eq!(back(first), MODEL);
            assert!(new.iter().all(|text| text == first));
        }
        assert!(old.len() + new.len() + 1 >= Self::COUNT);
        new.len()
    }

    fn ended(self) -> (TempDir, Output) {
        (self.files, self.child.wait_with_output().unwrap())
    }
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let halted = Halted::new();
        halted.signal(signal);
        halted.signal("CONT");
        let (files, output) = halted.ended();
        assert_eq!(output.status.signal(), Some(number), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "error: interrupted; nothing was written\n");
        assert_eq!(temporary(files.path()), 0);
        for at in 0..Halted::COUNT {
            let text = fs::read_to_string(Halted::file(files.path(), at)).unwrap();
            assert_eq!(text, MODEL);
        }
    }
}

#[test]
fn a_run_that_is_killed_leaves_whole_files_and_the_next_one_finishes() {
    let halted = Halted::new();
    halted.signal("KILL");
    let (files, output) = halted.ended();
    assert_eq!(output.status.signal(), Some(9));
    let left = temporary(files.path());
    assert!(left >= 3);
    // As if it had been killed a little later.
    let (first, path) = (Halted::file(files.path(), 0), files.path());
    let injected = run_in(path, &["inject", "-f", "0000.yaml"], "").data();
    fs::write(&first, &injected).unwrap();
    let again = in_place(path, &["."]);
    let total = again.stderr.lines().last().unwrap();
    let expected = "1000 files, 1000 SeldonDeployments: 999 injected, 0 removed; 999 files written";
    assert_eq!((again.code, total), (0, expected));
    assert_eq!(run_in(path, &["inject", "--check", "-f", "."], "").code, 0);
    assert_eq!(temporary(path), left, "what is not known to be ours stays");
}

#[test]
fn where_a_file_cannot_be_replaced_the_others_come_back() {
    let halted = Halted::new();
    let third = Halted::file(halted.path(), 2);
    fs::remove_file(&third).unwrap();
    fs::create_dir_all(third.join("no file can replace this")).unwrap();
    halted.signal("CONT");
    let status = {
        let mut halted = halted;
        let output = halted.child.wait().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut halted.child.stderr.take().unwrap(), &mut said).unwrap();
        let expected = "error: cannot write ./0002.yaml; nothing was written: ";
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(halted.injected(), 0);
        assert_eq!(temporary(halted.path()), 0);
        output
    };
    assert_eq!(status.code(), Some(2));
}
