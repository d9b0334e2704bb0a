//! Pauses between attempts.

use std::time::{Duration, Instant};

/// From one step to the next.
const SHORTEST: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that grow while one follows the other, so that a fight with another program over an object does not wear out the API server.
pub(super) struct Backoff {
    pause: Duration,
    last: Option<Instant>,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self {
            pause: SHORTEST,
            last: None,
        }
    }

    /// The pause to make at this time. It is the shortest again after a rest of several pauses.
    pub(super) fn next(&mut self, now: Instant) -> Duration {
        let rested = self.last.is_none_or(|last| now - last > self.pause * 4);
        self.pause = if rested {
            SHORTEST
        } else {
            LONGEST.min(self.pause * 2)
        };
        self.last = Some(now);
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_are_short_again_after_a_rest() {
        let mut now = Instant::now();
        let mut backoff = Backoff::new();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let pause = backoff.next(now);
            pauses.push(pause.as_millis());
            now += pause;
        }
        let wanted = [
            50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000,
        ];
        assert_eq!(pauses, wanted);
        assert_eq!(backoff.next(now + LONGEST * 5), SHORTEST);
    }
}
