//! Lives of a SeldonDeployment, each step of which is four bytes; the same as `tests/engine/sequences` draws from proptest.

#![no_main]

#[path = "../../tests/engine/sequences/machine/mod.rs"]
mod machine;
#[path = "../../tests/support/variables.rs"]
#[allow(dead_code)]
mod variables;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let steps: Vec<machine::Step> = data.as_chunks().0.to_vec();
    if let Err(failure) = machine::run(&steps) {
        panic!("{failure}");
    }
});
