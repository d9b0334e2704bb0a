//! Waiting for conditions.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine. A test waits for so long only if it fails.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// Waits for a condition, at most [`LONG`].
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(20));
    }
}
