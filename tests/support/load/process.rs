//! The webhook in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::until;
use crate::support::binary;

/// A process. It is killed on drop, and also when the tests are killed.
#[derive(Debug)]
pub(crate) struct Process {
    lifeline: Child,
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    reading: Option<JoinHandle<()>>,
    deaf: Arc<AtomicBool>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // The lifeline first: it must not kill another process that gets the same id. Both may have ended.
        for process in [&mut self.lifeline, &mut self.child] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Kills the process when the pipe to the tests breaks, because they were killed.
fn lifeline(of: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r _; kill -s KILL \"$0\"", &of.id().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The command `serve` with its certificate in this folder.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = binary(folder);
    command
        .args(["serve", "--tls-cert", "tls.crt", "--tls-key", "tls.key"])
        .args(arguments);
    command
}

/// The binary, run in this folder.
pub(crate) fn binary(folder: &Path) -> Command {
    let mut command = binary::command();
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts it on free ports and waits until it is ready.
pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Process {
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    run(command(folder, &[&ports, arguments].concat())).await
}

/// Starts a command and waits until it is ready.
pub(crate) async fn run(mut command: Command) -> Process {
    let mut child = command.spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let log = Arc::new(Mutex::new(Vec::new()));
    let deaf = Arc::new(AtomicBool::new(false));
    let (lines, ends) = (Arc::clone(&log), Arc::clone(&deaf));
    let reading = thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
            if ends.load(Ordering::Acquire) {
                break;
            }
        }
    });
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut process = Process {
        lifeline: lifeline(&child),
        child,
        address: nowhere,
        admin: nowhere,
        log,
        reading: Some(reading),
        deaf,
    };
    until("it says where it listens", || async {
        process.line("listening").is_some()
    })
    .await;
    let line = process.line("listening").unwrap();
    process.admin = line["admin"].as_str().unwrap().parse().unwrap();
    // The controller has no other.
    let address = line["address"].as_str();
    process.address = address.map_or(process.admin, |address| address.parse().unwrap());
    until("it is ready", || async {
        super::get(process.admin, "/readyz").await.0 == 200
    })
    .await;
    process
}

impl Process {
    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Stops reading the log after its next line, and closes the pipe.
    pub(crate) fn stop_reading(&self) {
        self.deaf.store(true, Ordering::Release);
    }

    /// How many lines of the log so far have this text.
    pub(crate) fn lines_with(&self, text: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|line| line.contains(text)).count()
    }

    /// The first line of the log with this message.
    pub(crate) fn line(&self, message: &str) -> Option<Value> {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["message"] == message)
    }

    /// What the kernel says of its memory, in KiB: a line of `/proc/PID/status`.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.unwrap().parse().unwrap()
    }

    /// Sends a signal to this process and to no other.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &id])
            .status();
        assert!(kill.unwrap().success());
    }

    /// Its standard output.
    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// Waits until it has ended and its log has been read.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        let end = tokio::time::Instant::now() + super::LONG;
        while status.is_none() {
            assert!(
                tokio::time::Instant::now() < end,
                "it does not end: {}",
                self.log()
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            status = self.child.try_wait().unwrap();
        }
        if let Some(reading) = self.reading.take() {
            reading.join().unwrap();
        }
        status.unwrap()
    }
}
