//! An installation whose certificates are kept, without a cluster.

use time::{Duration, OffsetDateTime};

use crate::pki::lifecycle::{CaSecret, LeafSecret, Next, Seen, Step, Times, Why, next};
use crate::pki::{Authority, Names, Purpose, read_certificates};

/// Those of production.
pub(in super::super) const TIMES: Times = Times {
    leaf: Duration::days(90),
    ca: Duration::days(5 * 365),
    ca_renewal: Duration::days(365),
    trust: Duration::seconds(10),
    load: Duration::minutes(3),
};

pub(in super::super) fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
}

pub(in super::super) fn names() -> Names {
    Names {
        dns: vec![
            "seldon-tracing.seldon-tracing.svc".to_owned(),
            "seldon-tracing.seldon-tracing.svc.cluster.local".to_owned(),
        ],
        ip: vec![],
    }
}

/// An installation, and how long it has been as it is.
#[derive(Clone)]
pub(in super::super) struct World {
    pub(in super::super) ca: CaSecret,
    pub(in super::super) leaf: LeafSecret,
    pub(in super::super) bundles: Vec<String>,
    pub(in super::super) now: OffsetDateTime,
    pub(in super::super) bundles_since: OffsetDateTime,
    pub(in super::super) leaf_since: OffsetDateTime,
}

impl World {
    /// Nothing is there but the webhook configuration, with two entries.
    pub(in super::super) fn new() -> Self {
        Self {
            ca: CaSecret::default(),
            leaf: LeafSecret::default(),
            bundles: vec![String::new(); 2],
            now: start(),
            bundles_since: start(),
            leaf_since: start(),
        }
    }

    pub(in super::super) fn next(&self, times: &Times) -> Next {
        let seen = Seen {
            ca: &self.ca,
            leaf: &self.leaf,
            bundles: &self.bundles,
            bundles_for: self.now - self.bundles_since,
            leaf_for: self.now - self.leaf_since,
        };
        next(&seen, &names(), self.now, times).unwrap()
    }

    /// Does what a step says. Time passes only in a wait.
    pub(in super::super) fn apply(&mut self, step: Step) {
        match step {
            Step::Ca(secret) => self.ca = secret,
            Step::Leaf(secret) => {
                self.leaf = secret;
                self.leaf_since = self.now;
            }
            Step::Bundle(bundle) => {
                self.bundles.fill(bundle);
                self.bundles_since = self.now;
            }
            Step::Wait(time) => self.now += time,
        }
    }

    /// What is done until the next time when there is nothing to do, and then waits for that.
    pub(super) fn steps(&mut self) -> Vec<Why> {
        let mut steps = Vec::new();
        loop {
            let next = self.next(&TIMES);
            steps.push(next.why);
            assert!(steps.len() < 20, "no end: {steps:?}");
            if next.why == Why::UpToDate {
                return steps;
            }
            self.apply(next.step);
        }
    }

    /// Does what comes before this.
    pub(super) fn until(&mut self, why: Why) {
        for _ in 0..20 {
            let next = self.next(&TIMES);
            if next.why == why {
                return;
            }
            self.apply(next.step);
        }
        panic!("it never comes to {why:?}");
    }

    pub(super) fn cas(&self) -> Vec<String> {
        let read = read_certificates(self.bundles[0].as_bytes()).unwrap();
        read.into_iter().map(|ca| ca.subject).collect()
    }
}

/// An installation that is complete.
pub(super) fn installed() -> World {
    let mut world = World::new();
    world.steps();
    world
}

/// A foreign CA, and a certificate of it.
pub(super) fn foreign() -> (Authority, LeafSecret) {
    let ca = Authority::new(Some("foreign"), start(), Duration::days(3000)).unwrap();
    let pair = ca
        .issue(&names(), Purpose::Server, start(), Duration::days(90))
        .unwrap();
    let leaf = LeafSecret {
        chain: pair.chain,
        key: pair.key,
    };
    (ca, leaf)
}
