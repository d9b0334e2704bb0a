//! Lives of a `SeldonDeployment`: sequences of what users, admins and outages do, with the webhook between them. What must hold is in
//! `machine/checks.rs`. `SEQUENCES=1000000 cargo test --release --test engine sequences` runs a million of them.

mod machine;

use std::{env, fs};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

use crate::support::fixtures::root;
use crate::support::variables;

#[test]
fn what_must_hold_holds_at_each_step_of_any_life() {
    // A fixed seed by default: whoever changes something else is not stopped by a life that nobody has seen yet.
    let (cases, rng_seed) = env::var("SEQUENCES").map_or((300, RngSeed::Fixed(1)), |count| {
        (
            count.parse().expect("SEQUENCES is a number"),
            RngSeed::Random,
        )
    });
    // A failure that matters becomes a file of the corpus, with a name.
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed,
        ..ProptestConfig::default()
    };
    let seen = std::cell::Cell::new(machine::Seen::default());
    let steps = proptest::collection::vec(any::<[u8; 4]>(), 2..24);
    let result = TestRunner::new(config).run(&steps, |steps| {
        let one = machine::run(&steps).map_err(|failure| {
            let bytes = steps.as_flattened();
            TestCaseError::fail(format!("{failure}\nbytes: {bytes:02x?}"))
        })?;
        let all = seen.get();
        seen.set(machine::Seen {
            calls: all.calls + one.calls,
            patches: all.patches + one.patches,
            opted_out: all.opted_out + one.opted_out,
        });
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let machine::Seen {
        calls,
        patches,
        opted_out,
    } = seen.get();
    println!("{calls} calls of the webhook, {patches} patches, {opted_out} objects that opted out");
    let cases = usize::try_from(cases).unwrap();
    assert!(
        patches > cases && opted_out > cases / 4,
        "{calls} {patches} {opted_out}"
    );
}

/// What fuzzing found once, and where it begins.
#[test]
fn the_lives_of_the_corpus_hold() {
    let corpus = root().join("fuzz/corpus/sequences");
    let files: Vec<_> = fs::read_dir(corpus)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(files.len() > 20);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let steps: Vec<machine::Step> = bytes.as_chunks().0.to_vec();
        if let Err(failure) = machine::run(&steps) {
            panic!("{}: {failure}", file.display());
        }
    }
}
