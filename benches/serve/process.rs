//! A server as a process of its own, with its CPU time and its memory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::cgroup::Cgroup;

const WEBHOOK: &str = env!("CARGO_BIN_EXE_seldon-tracing");

pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
    /// Of health and metrics.
    pub(crate) admin: u16,
    pub(crate) ready_at: Instant,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// The product, as it is released, with its log on.
    pub(crate) fn webhook() -> Self {
        Self::start(Command::new(WEBHOOK))
    }

    /// The same, in a control group.
    pub(crate) fn webhook_in(group: &Cgroup) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]);
        shell.arg(group.door()).arg(WEBHOOK);
        Self::start(shell)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .args(["--admin-listen", "127.0.0.1:0", "--log-format", "json"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut ports = None;
        let ready_at = loop {
            let line = lines.next().expect("it says that it is ready").unwrap();
            let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            match line["message"].as_str() {
                Some("listening") => {
                    ports =
                        Some(["address", "admin"].map(|at| port_of(line[at].as_str().unwrap())));
                }
                Some("ready") => break Instant::now(),
                _ => {}
            }
        };
        // Somebody reads the log, as in a cluster.
        thread::spawn(move || lines.for_each(drop));
        let [port, admin] = ports.unwrap();
        Self {
            child,
            port,
            admin,
            ready_at,
        }
    }

    /// The limit, with answers of that size.
    pub(crate) fn echo(size: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--echo", &size.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            port: port_of(line.trim()),
            admin: 0,
            ready_at: Instant::now(),
        }
    }

    /// An attack from an address, which ends by itself after its time.
    pub(crate) fn attacker(number: usize, port: u16, from: Ipv4Addr, time: Duration) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .arg("--attacker")
            .args([number.to_string(), port.to_string(), from.to_string()])
            .arg(time.as_secs().to_string())
            .spawn()
            .unwrap()
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The time on a CPU of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = tasks.filter_map(|task| {
            let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Resident memory now, in KiB.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory that there was, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}
