//! An installation over months, in which the controller stops at any step, and users damage its objects. What pods serve is always
//! trusted.

use time::{Duration, OffsetDateTime};

use super::tests::world::{World, start};
use super::*;
use crate::pki::authority::key_of;
use crate::pki::{Certificate, read_certificates};

/// Short enough that every renewal and change of the CA happens several times.
const TIMES: Times = Times {
    leaf: Duration::hours(3),
    ca: Duration::hours(12),
    ca_renewal: Duration::hours(5),
    trust: Duration::seconds(10),
    load: Duration::minutes(3),
};

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// A text and since when it is there.
type Since = (OffsetDateTime, String);

/// What others have noticed by now.
struct Others {
    /// The contents of the Secret that a pod could take, oldest first. Any pod may be at any of the last.
    served: Vec<Since>,
    /// The `caBundle`s that an API server may use, oldest first.
    trusted: Vec<Since>,
    /// Since when no user has changed a `caBundle`.
    good_since: Option<OffsetDateTime>,
}

impl Others {
    fn look(&mut self, world: &World) {
        let now = world.now;
        if is_served(&world.leaf) && self.served.last().is_none_or(|it| it.1 != world.leaf.chain) {
            self.served.push((now, world.leaf.chain.clone()));
        }
        for bundle in &world.bundles {
            if self.trusted.last().is_none_or(|it| it.1 != *bundle) {
                self.trusted.push((now, bundle.clone()));
            }
        }
        // The one before the first that is older than a wait is not in use any more.
        let keep = |list: &mut Vec<Since>, wait: Duration| {
            while list.len() > 1 && list[1].0 + wait <= now {
                list.remove(0);
            }
        };
        keep(&mut self.served, TIMES.load);
        keep(&mut self.trusted, TIMES.trust);
    }

    /// Every API server trusts the certificate of every pod.
    fn check(&self, now: OffsetDateTime, story: &[String]) {
        let good = self
            .good_since
            .is_some_and(|since| now - since >= TIMES.trust);
        if !good || self.served.is_empty() {
            return;
        }
        for (_, chain) in &self.served {
            let leaf = &certificates(chain)[0];
            for (_, bundle) in &self.trusted {
                let is_trusted = certificates(bundle).iter().any(|ca| leaf.is_signed_by(ca));
                let tail = &story[story.len().saturating_sub(30)..];
                assert!(is_trusted, "untrusted at {now}: {tail:#?}");
            }
        }
        let (_, newest) = self.served.last().unwrap();
        assert!(certificates(newest)[0].validity(now).is_valid());
    }
}

fn certificates(text: &str) -> Vec<Certificate> {
    read_certificates(text.as_bytes()).unwrap_or_default()
}

/// Pods keep what they have when they cannot use what is new.
fn is_served(leaf: &LeafSecret) -> bool {
    let read = certificates(&leaf.chain);
    let fits = |read: &Certificate| !read.dns.is_empty() && key_of(read, &leaf.key).is_ok();
    read.first().is_some_and(fits)
}

/// Damage by a user. Says whether it changed `caBundle`.
fn damage(world: &mut World, dice: &mut Dice) -> (&'static str, bool) {
    match dice.roll(10) {
        0 => world.ca = CaSecret::default(),
        1 => world.ca.key = "garbage".to_owned(),
        2 => world.ca.certificate.truncate(200),
        3 => "garbage".clone_into(&mut world.ca.old),
        4 => world.leaf = LeafSecret::default(),
        5 => world.leaf.key.truncate(40),
        6 => {
            let (chain, key) = (world.leaf.chain.clone(), world.leaf.key.clone());
            world.leaf.chain = std::mem::replace(&mut world.ca.certificate, chain);
            world.leaf.key = std::mem::replace(&mut world.ca.key, key);
            return ("the Secrets are swapped", false);
        }
        7 => {
            world.ca = CaSecret::default();
            world.leaf = LeafSecret::default();
        }
        8 => {
            world.bundles[0].clear();
            return ("caBundle is emptied", true);
        }
        _ => {
            world.bundles[1].push_str("garbage");
            return ("caBundle is garbled", true);
        }
    }
    ("a Secret is damaged", false)
}

/// Does what a step says, and others begin to notice.
fn perform(world: &mut World, others: &mut Others, step: Step) {
    if matches!(step, Step::Bundle(_)) {
        others.good_since.get_or_insert(world.now);
    }
    world.apply(step);
    others.look(world);
    world.now += Duration::milliseconds(50);
}

/// Returns how often the CA was changed, and how often the controller was ended.
fn run(seed: u64) -> (usize, usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut world = World::new();
    let mut others = Others {
        served: Vec::new(),
        trusted: Vec::new(),
        good_since: None,
    };
    let mut story = Vec::new();
    let (mut changes, mut kills) = (0, 0);
    while world.now < start() + Duration::hours(48) {
        let next = world.next(&TIMES);
        story.push(format!("{} {:?}", world.now, next.why));
        changes += usize::from(next.why == Why::OldCaReplaced);
        match next.step {
            // Something may happen at any time of it.
            Step::Wait(wait) => {
                let part = i32::try_from(dice.roll(4)).unwrap();
                let some: Duration = wait * part / 3;
                let some = some.max(Duration::SECOND);
                world.now += some.min(Duration::minutes(20));
            }
            step if dice.roll(8) == 0 => {
                // Ended just before it or after it, and started again.
                if dice.roll(2) == 0 {
                    perform(&mut world, &mut others, step);
                }
                kills += 1;
                world.now += Duration::seconds(i64::try_from(dice.roll(60)).unwrap());
                (world.bundles_since, world.leaf_since) = (world.now, world.now);
                story.push("killed".to_owned());
            }
            step => perform(&mut world, &mut others, step),
        }
        others.look(&world);
        others.check(world.now, &story);
        // The trusted CAs are in the Secret and in caBundle; damage to both loses them.
        if others.good_since.is_some() && dice.roll(8) == 0 {
            let (what, is_bundle) = damage(&mut world, &mut dice);
            story.push(what.to_owned());
            if is_bundle {
                others.good_since = None;
                world.bundles_since = world.now;
            }
        }
    }
    (changes, kills)
}

#[test]
fn what_is_served_is_trusted_whatever_happens() {
    let (mut changes, mut kills) = (0, 0);
    for seed in 0..3 {
        let (of_run, killed) = run(seed);
        changes += of_run;
        kills += killed;
    }
    assert!(changes > 30 && kills > 30, "{changes} {kills}");
}
