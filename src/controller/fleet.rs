//! The state of the models that repair needs: the standing of each, and which of them wait. Pure.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::queue::{Limits, Queue};
use crate::inject::Standing;

/// A model by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// What was last seen of a model.
struct Model {
    standing: Standing,
    fingerprint: u64,
    /// The uid of the object, so that an Event about it needs no request.
    uid: Option<Box<str>>,
}

/// All models.
pub(super) struct Fleet {
    pub(super) queue: Queue<Key>,
    seen: HashMap<Key, Model>,
    /// The models of a list that is under way.
    listed: Option<HashSet<Key>>,
}

impl Fleet {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            queue: Queue::new(limits),
            seen: HashMap::new(),
            listed: None,
        }
    }

    /// A list of all models begins.
    pub(super) fn list_begins(&mut self) {
        self.listed = Some(HashSet::new());
    }

    /// A list of all models is complete: those that are not in it are gone.
    pub(super) fn list_ends(&mut self) {
        if let Some(listed) = self.listed.take() {
            let gone = self.seen.keys().filter(|key| !listed.contains(key));
            for key in gone.cloned().collect::<Vec<_>>() {
                self.gone(&key);
            }
        }
    }

    /// A model was seen. `fingerprint` changes with everything that its standing depends on. Returns whether the standing or the fingerprint
    /// is new.
    pub(super) fn saw(
        &mut self,
        key: &Key,
        uid: Option<&str>,
        (standing, fingerprint): (Standing, u64),
        now: Instant,
    ) -> bool {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        if is_repaired(standing) {
            self.queue.needs(key.clone(), fingerprint, now);
        } else {
            self.queue.settled(key);
        }
        let model = Model {
            standing,
            fingerprint,
            uid: uid.map(Box::from),
        };
        let before = self.seen.insert(key.clone(), model);
        before.is_none_or(|it| it.standing != standing || it.fingerprint != fingerprint)
    }

    /// A model was deleted, or is being deleted.
    pub(super) fn gone(&mut self, key: &Key) {
        self.seen.remove(key);
        self.queue.settled(key);
    }

    /// The uid of a model that was seen.
    pub(super) fn uid(&self, key: &Key) -> Option<&str> {
        self.seen.get(key)?.uid.as_deref()
    }

    /// How many models have a standing.
    pub(super) fn count(&self, standing: Standing) -> usize {
        let seen = self.seen.values();
        seen.filter(|it| it.standing == standing).count()
    }
}

/// Whether any write changes a model of this standing, because the webhook decides on it. An outdated model changes only on request,
/// because its pods restart.
pub(super) const fn is_repaired(standing: Standing) -> bool {
    matches!(standing, Standing::Missing | Standing::Leftover)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::queue::Next;
    use super::*;

    fn key(name: &str) -> Key {
        Key {
            namespace: "models".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn only_what_a_write_mends_waits_and_what_is_gone_does_not() {
        let now = Instant::now();
        let limits = Limits {
            grace: Duration::ZERO,
            per_minute: 10,
        };
        let mut fleet = Fleet::new(limits);
        fleet.list_begins();
        for (at, standing) in Standing::ALL.into_iter().enumerate() {
            let name = key(&format!("{at}"));
            assert!(fleet.saw(&name, Some("u"), (standing, 1), now), "it is new");
            assert!(
                !fleet.saw(&name, Some("u"), (standing, 1), now),
                "it is known"
            );
            assert_eq!(fleet.count(standing), 1);
        }
        fleet.list_ends();
        assert_eq!(fleet.queue.len(), 2);

        // The next list lacks a model that waits.
        let Next::Repair(waiting) = fleet.queue.next(now) else {
            panic!("one waits")
        };
        fleet.list_begins();
        for (at, standing) in Standing::ALL.into_iter().enumerate() {
            let name = key(&format!("{at}"));
            if name != waiting {
                fleet.saw(&name, Some("u"), (standing, 1), now);
            }
        }
        fleet.list_ends();
        assert_eq!(fleet.queue.len(), 1);
        let Next::Repair(other) = fleet.queue.next(now) else {
            panic!("another waits")
        };
        assert_eq!(fleet.uid(&other), Some("u"));
        fleet.gone(&other);
        assert_eq!(fleet.uid(&other), None);
        assert_eq!(fleet.queue.next(now), Next::Nothing);
    }
}
