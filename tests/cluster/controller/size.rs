//! How much memory the controller has with many models.

use std::time::Instant;

use futures::stream::{self, StreamExt};

use super::Controller;
use crate::models::{model, untraced};
use crate::rig::{Cluster, Space, space, until};

tests![a_controller_with_a_hundred_models_is_small];

// It takes a minute, and the cluster is slower after it: `tests/cluster/run "" ten_thousand --ignored` runs it.
tests![LARGE: crate::Test; a_controller_with_ten_thousand_models_is_not_large];

/// Creates models, every tenth of which is traced.
fn fill(space: &Space<'_>, count: u16) {
    let created = stream::iter(0..count)
        .map(|number| {
            let name = format!("model-{number}");
            let object = if number % 10 == 0 {
                model(&name)
            } else {
                untraced(&name)
            };
            space::create(space.cluster.client(), space.name.clone(), object)
        })
        .buffer_unordered(16)
        .map(Result::unwrap)
        .count();
    assert_eq!(space.cluster.block_on(created), usize::from(count));
}

/// Starts a controller, and has it see all models. Its memory may not be more than this, in MiB.
fn measure(cluster: &Cluster, count: u16, most: u64) {
    let start = Instant::now();
    let controller = Controller::start(cluster, &[]);
    until("it has seen all models", || {
        controller.metric("seldon_tracing_models", "") > f64::from(count) - 0.5
            && controller.has_problem("[+]watch-models ok")
    });
    let took = start.elapsed();
    let [all, own, peak] = ["VmRSS", "RssAnon", "VmHWM"].map(|it| controller.process.memory(it));
    eprintln!(
        "cluster: the controller has {all} KiB in memory with {count} models, {own} KiB of them its own, and had {peak} KiB at most; \
         it knew them after {took:.1?}"
    );
    // Pages of code that are mapped from the file count too in VmRSS, and a debug build has three times as many.
    assert!(own < most << 10, "{own} KiB");
}

fn a_controller_with_a_hundred_models_is_small(cluster: &Cluster) {
    fill(&cluster.space("hundred"), 100);
    measure(cluster, 100, 20);
}

fn a_controller_with_ten_thousand_models_is_not_large(cluster: &Cluster) {
    let start = Instant::now();
    fill(&cluster.space("ten-thousand"), 10_000);
    eprintln!(
        "cluster: 10 000 models were created in {:.0?}",
        start.elapsed()
    );
    measure(cluster, 10_000, 60);
}
