//! Whether this process is ready for requests: the answer of `/readyz`. It depends on nothing outside this process.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The state of one thing that readiness depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Ok,
    /// A problem that does not affect readiness.
    Problem(String),
    /// Not ready, for this reason.
    Failed(String),
}

/// All checks of a process, by name.
pub(crate) struct Health {
    checks: Mutex<BTreeMap<&'static str, Check>>,
    stopping: AtomicBool,
}

impl Health {
    /// A process that does not listen yet, and whose other checks are fine.
    pub(crate) fn new(others: impl IntoIterator<Item = &'static str>) -> Self {
        let mut checks: BTreeMap<_, _> = others.into_iter().map(|it| (it, Check::Ok)).collect();
        checks.insert("listener", Check::Failed("not listening yet".to_owned()));
        checks.insert("shutdown", Check::Ok);
        Self {
            checks: Mutex::new(checks),
            stopping: AtomicBool::new(false),
        }
    }

    /// Sets a check, and says whether that changes it.
    pub(crate) fn set(&self, name: &'static str, check: Check) -> bool {
        self.checks().insert(name, check.clone()) != Some(check)
    }

    /// The check of this name, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<Check> {
        self.checks().get(name).cloned()
    }

    pub(crate) fn listens(&self) {
        self.set("listener", Check::Ok);
    }

    pub(crate) fn stops(&self) {
        self.stopping.store(true, Ordering::Release);
        let why = "shutting down; requests are still answered";
        self.set("shutdown", Check::Failed(why.to_owned()));
    }

    /// Whether the shutdown has begun: then every answer closes its connection.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether requests should be sent here, and a line for each check.
    pub(crate) fn ready(&self) -> (bool, String) {
        let (mut ready, mut text) = (true, String::new());
        for (name, check) in &*self.checks() {
            // Writing to a String does not fail.
            let _ = match check {
                Check::Ok => writeln!(text, "[+]{name} ok"),
                Check::Problem(why) => writeln!(text, "[!]{name}: {why}"),
                Check::Failed(why) => writeln!(text, "[-]{name} failed: {why}"),
            };
            ready &= !matches!(check, Check::Failed(_));
        }
        (ready, text)
    }

    fn checks(&self) -> MutexGuard<'_, BTreeMap<&'static str, Check>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
