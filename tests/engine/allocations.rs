//! Ceilings on what one decision allocates. Counts are exact, so they can be tested where times cannot.

use allocation_counter::measure;
use seldon_tracing::config::Config;

use crate::support::objects::{decide, injected, object, reapplied};

fn allocations(json: &str, old: Option<&str>) -> u64 {
    let config = Config::default();
    let mut out = Vec::with_capacity(16 * 1024);
    let info = measure(|| decide(json.as_bytes(), old.map(str::as_bytes), &config, &mut out));
    assert!(out.starts_with(b"["), "there is a patch");
    info.count_total
}

#[test]
fn a_create_of_12_kb_allocates_at_most_64_times() {
    let json = object(3);
    assert!(
        (11_000..13_000).contains(&json.len()),
        "the object has {} bytes",
        json.len()
    );
    let count = allocations(&json, None);
    assert!(count <= 64, "{count} allocations");
}

#[test]
fn an_update_allocates_in_proportion() {
    let stored = injected(&object(3));
    let json = reapplied(&object(3), &stored);
    let count = allocations(&json, Some(&stored));
    assert!(count <= 256, "{count} allocations");
}

#[test]
fn the_count_grows_at_most_in_proportion_to_the_containers() {
    let (few, many) = (
        allocations(&object(20), None),
        allocations(&object(200), None),
    );
    assert!(
        many <= 10 * few,
        "{few} allocations for 20 containers, {many} for 200"
    );
}

#[test]
fn a_search_for_misplaced_triggers_is_bounded_in_memory() {
    let labels = vec![r#""a":"""#; 300_000].join(",");
    let json = format!(
        r#"{{"metadata":{{}},"spec":{{"predictors":[{{"labels":{{{labels}}},"componentSpecs":[{{"metadata":{{"labels":{{{labels}}}}}}}]}}]}}}}"#
    );
    let config = Config::default();
    let mut out = Vec::new();
    let info = measure(|| decide(json.as_bytes(), None, &config, &mut out));
    assert!(info.bytes_max < 2 << 20, "{} bytes", info.bytes_max);
}
