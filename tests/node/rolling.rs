//! Pods and certificates come and go while users write. Nobody notices.

use std::collections::BTreeSet;
use std::time::Instant;

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::models::is_traced;
use crate::pods::{self, SELECTOR, serving, until_all_decide, until_replaced};
use crate::rig::installation::NAMESPACE;
use crate::rig::{Cluster, until};
use crate::traffic::{self, Writes, failed_open, told_as_failed_open};

tests![
    a_rolling_restart_while_fifty_objects_a_second_are_written_is_not_noticed,
    a_new_ca_while_fifty_objects_a_second_are_written_is_not_noticed,
    a_drain_leaves_one_pod_and_is_not_noticed,
    a_pod_that_is_deleted_by_force_is_not_missed,
    a_killed_process_fails_no_write_and_what_it_left_untraced_is_traced_by_the_next_write,
    no_pod_came_near_its_limit_of_memory,
];

fn a_rolling_restart_while_fifty_objects_a_second_are_written_is_not_noticed(cluster: &Cluster) {
    let old = serving(cluster);
    not_noticed(cluster, "a rolling restart", || pods::restart(cluster));
    until_replaced(cluster, &old);
}

/// By the commands of `manifests/external/README.md`.
fn a_new_ca_while_fifty_objects_a_second_are_written_is_not_noticed(cluster: &Cluster) {
    not_noticed(cluster, "a new CA", || crate::readme::rotate(cluster));
}

/// The node takes no new pods meanwhile, so the second pod may not go: the budget has it stay.
fn a_drain_leaves_one_pod_and_is_not_noticed(cluster: &Cluster) {
    let old = serving(cluster);
    not_noticed(cluster, "a drain", || {
        let drain = ["drain", "node", "--pod-selector", SELECTOR, "--timeout=15s"];
        let refused = cluster.kubectl(&drain).refused();
        assert!(refused.contains("disruption budget"), "{refused}");
        assert_eq!(serving(cluster).len(), 1);
        cluster.kubectl(&["uncordon", "node"]).ok();
        until("there are two again", || serving(cluster).len() == 2);
        let rest = old.iter().filter(|pod| serving(cluster).contains(pod));
        assert_eq!(rest.count(), 1);
    });
}

fn a_pod_that_is_deleted_by_force_is_not_missed(cluster: &Cluster) {
    not_noticed(cluster, "a deletion by force", || {
        let victim = &serving(cluster)[0];
        let delete = ["delete", "pod", &victim.name, "--namespace", NAMESPACE];
        let force = ["--force", "--grace-period=0"];
        cluster.kubectl(&[&delete[..], &force].concat()).ok();
        until("another is there", || {
            let pods = serving(cluster);
            pods.len() == 2 && !pods.contains(victim)
        });
    });
}

fn a_killed_process_fails_no_write_and_what_it_left_untraced_is_traced_by_the_next_write(
    cluster: &Cluster,
) {
    let space = cluster.space("kill");
    let before = failed_open(cluster);
    let writes = Writes::start(&space);
    until_all_decide(cluster, || writes.crowd());
    let victim = &serving(cluster)[0];
    let process = victim.process();
    let killed = Instant::now();
    victim.kill();
    writes.crowd();
    until("the process is another", || !process.exists());
    until("the pod is ready again", || serving(cluster).len() == 2);
    writes.crowd();
    writes.more(100);
    let outcome = writes.end();
    outcome.say("a kill");
    assert_eq!(
        outcome.errors,
        Vec::<String>::new(),
        "failurePolicy Ignore lets every write through"
    );
    let last = outcome.lost.iter().map(|write| write.ended - killed).max();
    eprintln!("node: the last untraced write ended {last:?} after the kill");
    // What is untraced is told in the audit log, and nothing else is.
    let names: BTreeSet<_> = outcome.lost.iter().map(|it| it.name.clone()).collect();
    assert_eq!(told_as_failed_open(cluster, &space), names);
    let opened = failed_open(cluster) - before;
    assert_eq!(opened > 0.5, !names.is_empty());

    let models = space.models();
    let touch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/note": "touched"}}}));
    let parameters = PatchParams::default();
    for name in &names {
        let call = models.patch(name, &parameters, &touch);
        // A user may have deleted it meanwhile.
        let touched = match cluster.block_on(call) {
            Err(kube::Error::Api(status)) if status.code == 404 => continue,
            touched => serde_json::to_value(touched.unwrap()).unwrap(),
        };
        assert!(is_traced(&touched), "{touched}");
    }
}

/// Writes meanwhile. Not one error, not one untraced object, and the API server has not gone on without us.
#[track_caller]
pub(crate) fn not_noticed(cluster: &Cluster, what: &str, happens: impl FnOnce()) {
    // Those of the test before may still be on their way out.
    until_replaced(cluster, &[]);
    let space = cluster.space("busy");
    let before = failed_open(cluster);
    let writes = Writes::start(&space);
    until_all_decide(cluster, || writes.crowd());
    let start = Instant::now();
    happens();
    let took = start.elapsed();
    until_all_decide(cluster, || writes.crowd());
    let outcome = writes.end();
    outcome.say(&format!("{what}, of {took:.1?}"));
    traffic::not_noticed(cluster, &space, &outcome, before);
    // The tests that come have no use for a thousand models.
    let delete = ["delete", "namespace", &space.name, "--wait=false"];
    cluster.kubectl(&delete).ok();
}

/// After all that load. The limit is that of the manifests, and the kernel enforces it.
fn no_pod_came_near_its_limit_of_memory(cluster: &Cluster) {
    for pod in serving(cluster) {
        let [limit, peak] = pod.memory();
        assert_eq!(limit, 128 << 20);
        eprintln!("node: {} had {} MiB at most", pod.name, peak >> 20);
        assert!(peak < 64 << 20, "{peak}");
    }
}
