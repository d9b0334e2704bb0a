//! The engine: from the bytes of an object to the bytes of the patch, beside a bare parse of the same bytes. Allocations are counted.
//!
//! `cargo bench --bench plan` prints times and allocations; the ratios of one run are what counts.

#[path = "support/mod.rs"]
mod support;

use divan::{AllocProfiler, Bencher, black_box};
use seldon_tracing::config::Config;
use support::{Reference, decide, injected, object, reapplied};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The yardstick of `create`.
#[divan::bench]
fn reference_parse(bencher: Bencher<'_, '_>) {
    let json = object(3);
    bencher.bench(|| serde_json::from_slice::<Reference<'_>>(black_box(json.as_bytes())).is_ok());
}

/// The parse into the engine's own view, which copes with any shape.
#[divan::bench]
fn view_parse(bencher: Bencher<'_, '_>) {
    let json = object(3);
    bencher.bench(|| {
        seldon_tracing::inject::SeldonDeployment::from_json(black_box(json.as_bytes())).is_ok()
    });
}

/// CREATE of an object of 12 KB.
#[divan::bench]
fn create(bencher: Bencher<'_, '_>) {
    let json = object(3);
    let config = Config::default();
    bencher.bench(|| {
        let mut out = Vec::with_capacity(4096);
        decide(black_box(json.as_bytes()), None, &config, &mut out);
        out
    });
}

/// UPDATE by a manifest that is applied again: all our variables are gone and come back.
#[divan::bench]
fn update_reapplied(bencher: Bencher<'_, '_>) {
    let stored = injected(&object(3));
    let json = reapplied(&object(3), &stored);
    let config = Config::default();
    bencher.bench(|| {
        let mut out = Vec::with_capacity(4096);
        decide(
            black_box(json.as_bytes()),
            Some(stored.as_bytes()),
            &config,
            &mut out,
        );
        out
    });
}

/// UPDATE of something else: there is nothing to do.
#[divan::bench]
fn update_unchanged(bencher: Bencher<'_, '_>) {
    let stored = injected(&object(3));
    let config = Config::default();
    bencher.bench(|| {
        let mut out = Vec::with_capacity(4096);
        decide(
            black_box(stored.as_bytes()),
            Some(stored.as_bytes()),
            &config,
            &mut out,
        );
        out
    });
}

/// CREATE of objects of many containers; 900 make 3 MB.
#[divan::bench(args = [2, 20, 200, 900])]
fn create_containers(bencher: Bencher<'_, '_>, containers: usize) {
    let json = object(containers);
    let config = Config::default();
    bencher
        .counter(divan::counter::BytesCount::new(json.len()))
        .bench(|| {
            let mut out = Vec::new();
            decide(black_box(json.as_bytes()), None, &config, &mut out);
            out
        });
}

/// The parse of the same, for the proportion.
#[divan::bench(args = [2, 20, 200, 900])]
fn reference_parse_containers(bencher: Bencher<'_, '_>, containers: usize) {
    let json = object(containers);
    bencher
        .counter(divan::counter::BytesCount::new(json.len()))
        .bench(|| serde_json::from_slice::<Reference<'_>>(black_box(json.as_bytes())).is_ok());
}
