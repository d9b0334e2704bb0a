//! Manifests as text: edits, random documents, and real manifests offline and over HTTPS. Tests over the corpus and over the small inputs of
//! bug reports are ignored if there are none in `../shared`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "all of this is tests, though clippy takes only some of it for tests"
)]

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod cases;
mod edits;
mod https;
mod nulls;
mod offline;
mod random;

use std::process::ExitCode;

use cases::Cases;
use libtest_mimic::Arguments;
use support::fixtures::Corpus;
use support::registry::{self, lazy, plain, trials};

/// A test that needs nothing.
type Plain = registry::Test<fn()>;

/// A test over the corpus.
type Test = registry::Test<fn(&Corpus)>;

/// A test over the small inputs.
type OverCases = registry::Test<fn(&Cases)>;

fn main() -> ExitCode {
    let corpus = Corpus::find();
    if corpus.is_none() {
        eprintln!("manifest: tests are ignored, for {}", Corpus::ABSENT);
    }
    let corpus = corpus.map(|corpus| lazy(|| corpus));
    let kind = if corpus.is_some() {
        "corpus"
    } else {
        "no corpus in ../shared"
    };
    let over_corpus = [edits::TESTS, offline::TESTS, https::TESTS];
    let mut all = plain(&[random::TESTS, nulls::TESTS, https::EXAMPLES]);
    let cases = Cases::find().map(|cases| lazy(|| cases));
    let over_cases = [cases::TESTS];
    all.extend(trials(&over_cases, "cases", cases.as_ref(), Cases::ABSENT));
    all.extend(trials(&over_corpus, kind, corpus.as_ref(), Corpus::ABSENT));
    libtest_mimic::run(&Arguments::from_args(), all).exit_code()
}
