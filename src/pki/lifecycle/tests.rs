//! Each state that an installation can be in, and the steps that lead out of it.

pub(super) mod world;

use time::Duration;

use self::world::{TIMES, World, foreign, installed, names, start};
use super::*;
use crate::pki::read_certificates;

const SECOND: Duration = Duration::SECOND;

/// The steps that replace a CA under a certificate in use.
const CHANGE: [Why; 6] = [
    Why::BundleDiffers,
    Why::Trusting,
    Why::LeafOfOtherCa,
    Why::Loading,
    Why::OldCaReplaced,
    Why::BundleDiffers,
];

/// The steps of a change of the CA, which begins and ends like this.
fn change(first: Why) -> Vec<Why> {
    [&[first], &CHANGE[..], &[Why::UpToDate]].concat()
}

#[test]
fn from_nothing_to_a_certificate_without_a_wait() {
    let mut world = World::new();
    let steps = [
        Why::CaMissing,
        Why::BundleDiffers,
        Why::LeafMissing,
        Why::UpToDate,
    ];
    assert_eq!(world.steps(), steps);
    assert_eq!(world.now, start());
    assert_eq!(world.bundles, [world.ca.certificate.as_str(); 2]);
    let leaf = read_certificates(world.leaf.chain.as_bytes()).unwrap();
    assert_eq!(leaf[0].dns, names().dns);
    assert_eq!(leaf[0].not_after, start() + TIMES.leaf);
    let next = world.next(&TIMES);
    assert!(next.step == Step::Wait(Duration::days(60)));
    assert_eq!(next.ca_end, Some(start() + TIMES.ca));
    assert_eq!(next.leaf_end, Some(start() + TIMES.leaf));

    // Before the webhook is registered there is no caBundle.
    let mut world = World::new();
    world.bundles.clear();
    let steps = [Why::CaMissing, Why::LeafMissing, Why::UpToDate];
    assert_eq!(world.steps(), steps);
    world.bundles = vec![String::new()];
    assert_eq!(world.steps(), [Why::BundleDiffers, Why::UpToDate]);
}

#[test]
fn a_damaged_certificate_is_made_anew_at_once() {
    type Damage = fn(&mut World);
    let cases: [(Why, Damage); 10] = [
        (Why::LeafMissing, |it| it.leaf = LeafSecret::default()),
        (Why::LeafUnusable, |it| it.leaf.key.clear()),
        (Why::LeafUnusable, |it| it.leaf.chain.clear()),
        (Why::LeafUnusable, |it| it.leaf.chain.truncate(300)),
        (Why::LeafUnusable, |it| {
            it.leaf.key = "\u{0}garbage".to_owned();
        }),
        (Why::LeafUnusable, |it| it.leaf.key = foreign().1.key),
        (Why::LeafUnusable, |it| {
            std::mem::swap(&mut it.leaf.key, &mut it.leaf.chain);
        }),
        (Why::LeafOfOtherCa, |it| it.leaf = foreign().1),
        (Why::LeafNotValid, |it| it.now += TIMES.leaf + SECOND),
        (Why::LeafEnds, |it| it.now += TIMES.leaf * 2 / 3),
    ];
    for (why, damage) in cases {
        let mut world = installed();
        let before = world.clone();
        damage(&mut world);
        let now = world.now;
        assert_eq!(world.steps(), [why, Why::UpToDate], "{why:?}");
        assert_eq!(world.now, now, "{why:?}: there is no wait");
        assert!(world.ca == before.ca && world.bundles == before.bundles);
        assert!(world.leaf != before.leaf);
    }
}

#[test]
fn a_lost_ca_is_replaced_while_what_it_signed_stays_trusted() {
    type Damage = fn(&mut World);
    let cases: [(Why, Damage); 11] = [
        (Why::CaMissing, |it| it.ca = CaSecret::default()),
        (Why::CaUnusable, |it| it.ca.key.clear()),
        (Why::CaUnusable, |it| it.ca.certificate.clear()),
        (Why::CaUnusable, |it| it.ca.certificate.truncate(300)),
        (Why::CaUnusable, |it| it.ca.key = "garbage".to_owned()),
        (Why::CaUnusable, |it| {
            it.ca.key = foreign().0.key().to_owned();
        }),
        (Why::CaUnusable, |it| {
            // The two Secrets, swapped.
            let (chain, key) = (it.ca.certificate.clone(), it.ca.key.clone());
            it.ca.certificate = std::mem::replace(&mut it.leaf.chain, chain);
            it.ca.key = std::mem::replace(&mut it.leaf.key, key);
        }),
        (Why::CaMissing, |it| {
            it.ca = CaSecret::default();
            it.leaf = LeafSecret::default();
        }),
        (Why::CaNotValid, |it| it.now += TIMES.ca + SECOND),
        (Why::CaEnds, |it| it.now += TIMES.ca - TIMES.ca_renewal),
        // Nothing else knows of the CA any more.
        (Why::CaUnusable, |it| {
            it.ca.key.clear();
            it.bundles.fill(String::new());
        }),
    ];
    for (why, damage) in cases {
        let mut world = installed();
        let before = world.clone();
        damage(&mut world);
        let mut steps = Vec::new();
        let begin = world.now;
        loop {
            let next = world.next(&TIMES);
            steps.push(next.why);
            assert!(steps.len() < 20, "no end: {steps:?}");
            if next.why == Why::UpToDate {
                break;
            }
            if next.why == Why::LeafOfOtherCa || next.why == Why::LeafMissing {
                assert!(world.now - begin >= TIMES.trust);
                assert_eq!(world.cas().len(), 2, "{why:?}: old and new");
                assert!(world.bundles[1].ends_with(&before.ca.certificate));
            }
            world.apply(next.step);
        }
        let mut wanted = change(why);
        if before.leaf != world.leaf && steps[3] != Why::LeafOfOtherCa {
            wanted[3] = steps[3];
            assert!(matches!(steps[3], Why::LeafMissing | Why::LeafUnusable));
        }
        assert_eq!(steps, wanted);
        assert_eq!(world.now - begin, TIMES.trust + TIMES.load);
        assert!(world.bundles == [world.ca.certificate.as_str(); 2]);
        assert!(!before.bundles.contains(&world.bundles[0]));
        assert!(world.ca.old.is_empty());
    }
}

#[test]
fn a_ca_bundle_that_somebody_changed_is_put_back() {
    let other = foreign().0.certificate().to_owned();
    let mut worlds = vec![installed()];
    // In the middle of a change too.
    let mut changing = installed();
    changing.ca = CaSecret::default();
    changing.until(Why::Trusting);
    worlds.push(changing.clone());
    changing.until(Why::Loading);
    worlds.push(changing);
    for world in worlds {
        let good = world.bundles[0].clone();
        let reversed: Vec<_> = good
            .split_inclusive("-----END CERTIFICATE-----\n")
            .collect();
        let reversed: String = reversed.into_iter().rev().collect();
        for bad in [
            String::new(),
            "garbage".to_owned(),
            other.clone(),
            format!("{good}{other}"),
            good[..200].to_owned(),
            reversed + "\n",
        ] {
            for at in [0, 1] {
                let mut world = world.clone();
                world.bundles[at].clone_from(&bad);
                let next = world.next(&TIMES);
                assert_eq!(next.why, Why::BundleDiffers, "{bad}");
                assert!(next.step == Step::Bundle(good.clone()), "{bad}");
            }
        }
    }
}

#[test]
fn whoever_takes_over_from_somebody_else_trusts_his_ca_until_his_certificate_is_gone() {
    let (ca, leaf) = foreign();
    // With a CA of ours from long ago, and without.
    let mut with = installed();
    with.leaf = leaf;
    with.bundles.fill(ca.certificate().to_owned());
    let mut without = with.clone();
    without.ca = CaSecret::default();
    for (mut world, first) in [(with, Why::OldCaInUse), (without, Why::CaMissing)] {
        assert_eq!(world.steps(), change(first));
        assert_eq!(world.cas().len(), 1);
        assert_ne!(world.cas(), ["CN=foreign"]);
    }
}

#[test]
fn what_the_secret_lists_of_old_cas_is_kept_and_mended() {
    let mut world = installed();
    world.ca = CaSecret::default();
    world.until(Why::Trusting);
    let good = world.ca.old.clone();
    assert!(!good.is_empty());
    for bad in ["", "garbage", &good[..200], &format!("\n{good}")] {
        let mut world = world.clone();
        bad.clone_into(&mut world.ca.old);
        let next = world.next(&TIMES);
        assert_eq!(next.why, Why::OldCaInUse, "{bad}");
        assert!(
            next.step
                == Step::Ca(CaSecret {
                    old: good.clone(),
                    ..world.ca
                })
        );
    }
    // The old CA is lost too, before anything is replaced.
    for _ in 0..20 {
        world.ca = CaSecret::default();
        let step = world.next(&TIMES).step;
        world.apply(step);
        assert!(world.ca.old.starts_with(&good), "what it signed is in use");
        let step = world.next(&TIMES).step;
        world.apply(step);
        assert!(world.cas().len() <= 8);
    }
}

#[test]
fn a_clock_that_was_wrong_is_survived() {
    // Back by less than an hour: what is there was made to be valid since then.
    let mut world = installed();
    world.now -= Duration::minutes(59);
    assert_eq!(world.steps(), [Why::UpToDate]);
    // Back by more: the certificate was made since then, and the CA was not.
    let mut world = installed();
    world.now += Duration::days(70);
    world.steps();
    world.now -= Duration::days(60);
    assert_eq!(world.steps(), [Why::LeafNotValid, Why::UpToDate]);
    // Back to before the CA was made.
    let mut world = installed();
    world.now -= Duration::days(10);
    assert_eq!(world.steps(), change(Why::CaNotValid));
    let end = read_certificates(world.leaf.chain.as_bytes()).unwrap()[0].not_after;
    assert!(end - world.now > Duration::days(89));
}

#[test]
fn a_name_that_changed_gives_a_new_certificate_and_an_order_does_not() {
    let world = installed();
    let seen = Seen {
        ca: &world.ca,
        leaf: &world.leaf,
        bundles: &world.bundles,
        bundles_for: Duration::ZERO,
        leaf_for: Duration::ZERO,
    };
    let why = |dns: &[&str]| {
        let names = Names {
            dns: dns.iter().map(|name| (*name).to_owned()).collect(),
            ip: vec![],
        };
        next(&seen, &names, world.now, &TIMES).unwrap().why
    };
    let [short, long] = [
        "seldon-tracing.seldon-tracing.svc",
        "seldon-tracing.seldon-tracing.svc.cluster.local",
    ];
    assert_eq!(why(&[long, short]), Why::UpToDate);
    for other in [
        &[short][..],
        &[short, long, "more.example"],
        &[short, "seldon-tracing.seldon-tracing.svc.example"],
    ] {
        assert_eq!(why(other), Why::LeafOfOtherNames, "{other:?}");
    }
}

#[test]
fn seconds_are_enough_for_a_life() {
    let times = Times {
        leaf: Duration::seconds(30),
        ca: Duration::seconds(90),
        ca_renewal: Duration::seconds(45),
        trust: Duration::seconds(1),
        load: Duration::seconds(7),
    };
    let times = times.checked().unwrap();
    let mut world = World::new();
    let mut steps = Vec::new();
    while world.now < start() + Duration::seconds(100) {
        let next = world.next(&times);
        if !matches!(next.step, Step::Wait(_)) {
            steps.push((next.why, (world.now - start()).whole_seconds()));
        }
        world.apply(next.step);
    }
    let wanted = [
        (Why::CaMissing, 0),
        (Why::BundleDiffers, 0),
        (Why::LeafMissing, 0),
        (Why::LeafEnds, 20),
        (Why::LeafEnds, 40),
        (Why::CaEnds, 45),
        (Why::BundleDiffers, 45),
        (Why::LeafOfOtherCa, 46),
        (Why::OldCaReplaced, 53),
        (Why::BundleDiffers, 53),
        (Why::LeafEnds, 66),
        (Why::LeafEnds, 86),
        (Why::CaEnds, 90),
        (Why::BundleDiffers, 90),
        (Why::LeafOfOtherCa, 91),
        (Why::OldCaReplaced, 98),
        (Why::BundleDiffers, 98),
    ];
    assert_eq!(steps, wanted);
}

#[test]
fn times_that_do_not_fit_together_are_refused() {
    assert_eq!(TIMES.checked(), Ok(TIMES));
    for (times, part) in [
        (
            Times {
                leaf: Duration::days(366),
                ..TIMES
            },
            "outlive its CA",
        ),
        (
            Times {
                ca: TIMES.ca_renewal,
                ..TIMES
            },
            "the CA must be valid for longer",
        ),
        (
            Times {
                load: Duration::days(30),
                ..TIMES
            },
            "before its replacement is in use",
        ),
        (
            Times {
                trust: Duration::seconds(-1),
                ..TIMES
            },
            "before its replacement is in use",
        ),
    ] {
        let why = times.checked().unwrap_err().to_string();
        assert!(why.contains(part), "{why}");
    }
}
