//! Which model is repaired next, and when. Pure: the caller passes the time.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// After a repair that changed nothing, the webhook is probably down: the next model is tried after this time, until one is repaired.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the first model waits after a repair that changed nothing. The time doubles, up to a minute, so that a model is traced within a
/// minute of the end of an outage, however long the outage was.
const FIRST_RETRY: Duration = Duration::from_secs(15);

/// A model that the webhook leaves as it is, while it repairs others, is given up after this many repairs.
const ATTEMPTS: u32 = 3;

/// If another client undoes a repair, the next one waits twice as long each time, up to this time: each repair restarts pods.
const LAST_GRACE: Duration = Duration::from_hours(1);

/// The speed of repairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long a model waits, because the write that makes a repair unnecessary may be under way.
    pub(super) grace: Duration,
    /// How many models are repaired within a minute. Each repair restarts pods.
    pub(super) per_minute: u16,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<K> {
    /// Repair this model.
    Repair(K),
    /// Nothing before this time.
    Wait(Instant),
    /// Nothing until a model changes.
    Nothing,
}

/// What a repair that changed nothing means for its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vain {
    /// It is tried again. `first` is set the first time.
    Again { first: bool },
    /// It is not tried again until it changes.
    GivenUp,
}

/// A model that lacks the tracing it asks for, or has tracing that nothing asks for.
struct Waiting {
    /// A hash of everything that a decision depends on.
    fingerprint: u64,
    /// When it is repaired; `None` if it was given up.
    due: Option<Instant>,
    vain: u32,
    /// How many of those came after a repair of another model, which shows that the webhook answers.
    vain_while_up: u32,
}

/// The models that wait for a repair.
pub(super) struct Queue<K> {
    limits: Limits,
    waiting: HashMap<K, Waiting>,
    /// When models were repaired in the last minute.
    repaired: VecDeque<Instant>,
    /// How often a model was repaired, and when last.
    before: HashMap<K, (u32, Instant)>,
    paused_until: Option<Instant>,
    is_up: bool,
}

impl<K: Clone + Eq + Hash + Ord> Queue<K> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: HashMap::new(),
            repaired: VecDeque::new(),
            before: HashMap::new(),
            paused_until: None,
            is_up: false,
        }
    }

    /// A model needs a repair.
    pub(super) fn needs(&mut self, key: K, fingerprint: u64, now: Instant) {
        let is_known = |known: &Waiting| known.fingerprint == fingerprint;
        if self.waiting.get(&key).is_some_and(is_known) {
            return;
        }
        let times = self.before.get(&key).map_or(0, |&(times, _)| times);
        let grace = self.limits.grace.saturating_mul(1 << times.min(16));
        let waiting = Waiting {
            fingerprint,
            due: Some(now + grace.min(LAST_GRACE.max(self.limits.grace))),
            vain: 0,
            vain_while_up: 0,
        };
        self.waiting.insert(key, waiting);
    }

    /// A model needs no repair, or was deleted.
    pub(super) fn settled(&mut self, key: &K) {
        self.waiting.remove(key);
    }

    /// How many models wait, including those given up.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn next(&mut self, now: Instant) -> Next<K> {
        while self.repaired.front().is_some_and(|&at| at + MINUTE <= now) {
            self.repaired.pop_front();
        }
        self.before
            .retain(|_, (_, last)| *last + 2 * LAST_GRACE > now);
        let due = self
            .waiting
            .iter()
            .filter_map(|(key, it)| Some((it.due?, key)));
        let Some((due, key)) = due.min() else {
            return Next::Nothing;
        };
        let is_full = self.repaired.len() >= usize::from(self.limits.per_minute);
        let full_until = self
            .repaired
            .front()
            .filter(|_| is_full)
            .map(|&at| at + MINUTE);
        let start = [Some(due), self.paused_until, full_until]
            .into_iter()
            .flatten()
            .max();
        match start {
            Some(start) if start > now => Next::Wait(start),
            _ => Next::Repair(key.clone()),
        }
    }

    /// A repair changed its model.
    pub(super) fn repaired(&mut self, key: &K, now: Instant) {
        self.waiting.remove(key);
        self.repaired.push_back(now);
        let (times, last) = self.before.entry(key.clone()).or_insert((0, now));
        (*times, *last) = (*times + 1, now);
        self.paused_until = None;
        if !self.is_up {
            self.is_up = true;
            for waiting in self.waiting.values_mut().filter(|it| it.vain > 0) {
                waiting.due = waiting.due.map(|due| due.min(now));
            }
        }
    }

    /// A repair changed nothing.
    pub(super) fn was_vain(&mut self, key: &K, now: Instant) -> Vain {
        self.paused_until = Some(now + PAUSE);
        let Some(waiting) = self.waiting.get_mut(key) else {
            return Vain::Again { first: false };
        };
        let first = waiting.vain == 0;
        // While others are repaired between two attempts, the webhook answers.
        waiting.vain_while_up += u32::from(self.is_up && !first);
        self.is_up = false;
        waiting.vain += 1;
        if waiting.vain_while_up >= ATTEMPTS {
            waiting.due = None;
            return Vain::GivenUp;
        }
        let doubled = FIRST_RETRY.saturating_mul(1 << (waiting.vain - 1).min(8));
        waiting.due = Some(now + doubled.min(MINUTE));
        Vain::Again { first }
    }

    /// A repair failed for a reason that says nothing about its model, such as an API server that is down.
    pub(super) fn failed(&mut self, now: Instant) {
        self.paused_until = Some(now + PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        grace: Duration::from_secs(30),
        per_minute: 3,
    };

    /// A queue with a clock.
    struct Played {
        queue: Queue<u32>,
        now: Instant,
    }

    impl Played {
        fn new(models: std::ops::Range<u32>) -> Self {
            let mut played = Self {
                queue: Queue::new(LIMITS),
                now: Instant::now(),
            };
            for model in models {
                played.queue.needs(model, 0, played.now);
            }
            played
        }

        fn pass(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }

        fn next(&mut self) -> Next<u32> {
            self.queue.next(self.now)
        }

        /// The model that is due, after the time until then.
        fn due(&mut self) -> u32 {
            loop {
                match self.next() {
                    Next::Repair(model) => return model,
                    Next::Wait(until) => {
                        assert!(until > self.now);
                        self.now = until;
                    }
                    Next::Nothing => panic!("nothing is due"),
                }
            }
        }

        fn vain(&mut self, model: u32) -> Vain {
            self.queue.was_vain(&model, self.now)
        }
    }

    #[test]
    fn a_model_is_repaired_after_the_grace_period_and_not_if_it_settles_before() {
        let mut played = Played::new(0..2);
        assert_eq!(played.next(), Next::Wait(played.now + LIMITS.grace));
        played.pass(29);
        // The same model seen again does not wait longer; a changed one does.
        played.queue.needs(0, 0, played.now);
        played.queue.needs(1, 1, played.now);
        played.pass(1);
        assert_eq!(played.next(), Next::Repair(0));
        played.queue.settled(&0);
        assert_eq!(
            played.next(),
            Next::Wait(played.now + Duration::from_secs(29))
        );
        played.queue.settled(&1);
        assert_eq!(played.next(), Next::Nothing);
    }

    #[test]
    fn no_more_than_the_limit_is_repaired_within_a_minute() {
        let mut played = Played::new(0..10);
        let mut times = Vec::new();
        for _ in 0..10 {
            let model = played.due();
            times.push(played.now);
            played.queue.repaired(&model, played.now);
        }
        for (earlier, later) in times.iter().zip(&times[3..]) {
            assert_eq!(*later - *earlier, MINUTE);
        }
        assert_eq!(played.next(), Next::Nothing);
        assert_eq!(played.queue.len(), 0);
    }

    #[test]
    fn a_model_whose_repair_somebody_undoes_is_repaired_less_and_less_often() {
        let mut played = Played::new(0..1);
        let start = played.now;
        let mut repairs = 0;
        while played.now < start + Duration::from_hours(24) {
            let model = played.due();
            played.queue.repaired(&model, played.now);
            repairs += 1;
            played.pass(1);
            played.queue.needs(0, 0, played.now);
        }
        assert!((24..40).contains(&repairs), "{repairs}");
    }

    #[test]
    fn in_an_outage_one_model_is_tried_every_five_seconds_and_after_it_all_at_once() {
        let mut played = Played::new(0..100);
        let start = played.now;
        let mut tried = 0;
        while played.now < start + Duration::from_hours(1) {
            let model = played.due();
            let first = played.vain(model);
            assert_ne!(first, Vain::GivenUp);
            tried += 1;
        }
        assert_eq!(tried, (3600 - 30) / 5 + 1);
        // The webhook is back: one attempt shows it, and the others follow without a pause.
        let back = played.now;
        let model = played.due();
        played.queue.repaired(&model, played.now);
        assert!(played.now - back <= PAUSE);
        for _ in 1..3 {
            let Next::Repair(model) = played.next() else {
                panic!("no pause");
            };
            played.queue.repaired(&model, played.now);
        }
    }

    #[test]
    fn a_single_model_is_traced_within_a_minute_of_the_end_of_a_long_outage() {
        let mut played = Played::new(0..1);
        for attempt in 0..50 {
            let before = played.now;
            let model = played.due();
            assert!(played.now - before <= MINUTE);
            assert_eq!(
                played.vain(model),
                Vain::Again {
                    first: attempt == 0
                }
            );
        }
    }

    #[test]
    fn a_model_that_the_webhook_leaves_as_it_is_is_given_up_until_it_changes() {
        let mut played = Played::new(0..1);
        let mut attempts = 0;
        loop {
            // Others are repaired between its attempts.
            let other = 1000 + attempts;
            played.queue.needs(other, 0, played.now);
            let model = played.due();
            if model != 0 {
                played.queue.repaired(&model, played.now);
                continue;
            }
            attempts += 1;
            if played.vain(0) == Vain::GivenUp {
                break;
            }
        }
        assert!(attempts <= 2 * ATTEMPTS + 1, "{attempts}");
        played.queue.needs(0, 0, played.now);
        let is_tried = |played: &mut Played| {
            (0..10).any(|_| match played.next() {
                Next::Repair(0) => true,
                Next::Repair(other) => {
                    played.queue.repaired(&other, played.now);
                    false
                }
                Next::Wait(until) => {
                    played.now = until;
                    false
                }
                Next::Nothing => false,
            })
        };
        assert!(!is_tried(&mut played));
        played.queue.needs(0, 1, played.now);
        assert!(is_tried(&mut played));
    }

    #[test]
    fn an_api_server_that_is_down_counts_for_no_model() {
        let mut played = Played::new(0..1);
        for _ in 0..10 {
            assert_eq!(played.due(), 0);
            played.queue.failed(played.now);
        }
        assert_eq!(played.due(), 0);
        assert_eq!(played.vain(0), Vain::Again { first: true });
    }
}
