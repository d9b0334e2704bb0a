//! Whether requests should come here: what `/readyz` answers.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::metrics::Source;

/// What readiness depends on: nothing outside of this process, so that it does not flap with others.
#[derive(Debug)]
pub(super) struct Health {
    listening: AtomicBool,
    stopping: AtomicBool,
    /// When the served certificate begins and ends, in seconds since 1970.
    not_before: AtomicI64,
    not_after: AtomicI64,
    /// What was wrong with the files at the last look; the last good ones are used then.
    problems: Mutex<[Option<String>; 2]>,
}

impl Health {
    pub(super) const fn new() -> Self {
        Self {
            listening: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            not_before: AtomicI64::new(i64::MIN),
            not_after: AtomicI64::new(i64::MIN),
            problems: Mutex::new([None, None]),
        }
    }

    pub(super) fn listens(&self) {
        self.listening.store(true, Ordering::Release);
    }

    pub(super) fn stops(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether the shutdown has begun: then every answer closes its connection.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn certificate(&self, not_before: i64, not_after: i64) {
        self.not_before.store(not_before, Ordering::Release);
        self.not_after.store(not_after, Ordering::Release);
    }

    /// Notes what is wrong with new files, or that all is well. Says whether that is news.
    pub(super) fn problem(&self, source: Source, problem: Option<String>) -> bool {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = &mut problems[source as usize];
        let news = *slot != problem;
        *slot = problem;
        news
    }

    /// Whether requests should come, and a line for each thing that this depends on.
    pub(super) fn ready(&self) -> (bool, String) {
        let mut ready = true;
        let mut text = String::new();
        let mut check = |good: bool, name: &str, why: &str| {
            ready &= good;
            // Writing into a String does not fail.
            let _ = if good {
                writeln!(text, "[+]{name} ok")
            } else {
                writeln!(text, "[-]{name} failed: {why}")
            };
        };
        check(
            self.listening.load(Ordering::Acquire),
            "listener",
            "not listening yet",
        );
        check(
            !self.is_stopping(),
            "shutdown",
            "shutting down, requests that come are still answered",
        );
        let now = now();
        check(
            now >= self.not_before.load(Ordering::Acquire),
            "certificate-begun",
            "the certificate is not valid yet: look at the clocks",
        );
        check(
            now < self.not_after.load(Ordering::Acquire),
            "certificate-not-expired",
            "the certificate has expired: put a new one in its place, it is read again",
        );
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, problem) in [Source::Certificate, Source::Config].iter().zip(&*problems) {
            let name = source.code();
            let _ = match problem {
                None => writeln!(text, "[+]{name}-files ok"),
                // The last good one serves, so this alone is no reason to go.
                Some(problem) => writeln!(text, "[!]{name}-files: {problem}"),
            };
        }
        (ready, text)
    }
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
