//! Two replicas behind one Service come and go, and so do their certificates, while users write. Nobody notices.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use kube::api::{Patch, PatchParams};
use seldon_tracing::pki::{Authority, Names, Pair, Purpose};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::models::is_traced;
use crate::rig::installation::{self, NAMESPACE, SECRET, part, service_name, trust};
use crate::rig::{Cluster, Space, metrics, until};
use crate::support::load::get;
use crate::traffic::{Outcome, Writes};

tests![
    a_rolling_restart_while_fifty_objects_a_second_are_written_is_not_noticed,
    new_certificates_and_a_new_ca_while_fifty_objects_a_second_are_written_are_not_noticed,
    a_killed_replica_fails_no_write_and_what_it_left_untraced_is_traced_by_the_next_write,
];

fn a_rolling_restart_while_fifty_objects_a_second_are_written_is_not_noticed(cluster: &Cluster) {
    let space = cluster.space("roll");
    let node = &cluster.installation().node;
    let before = failed_open(cluster);
    let old = decided(cluster);
    let writes = Writes::start(&space);
    until_all_decide(cluster, &writes, &old);

    let logs = cluster.block_on(node.roll());
    assert_eq!(logs.len(), old.len());
    for log in logs {
        let here = format!(r#""namespace":"{}""#, space.name);
        let count = log.lines().filter(|line| line.contains(&here)).count();
        assert!(count > 0, "an old pod decided nothing: {log}");
        assert!(log.contains("stopped in order"), "{log}");
    }
    let new = decided(cluster);
    assert!(
        new.keys().all(|pod| !old.contains_key(pod)),
        "{old:?} {new:?}"
    );
    until_all_decide(cluster, &writes, &BTreeMap::new());

    let outcome = writes.end();
    outcome.say("a rolling restart");
    not_noticed(cluster, &space, &outcome, before);
}

fn new_certificates_and_a_new_ca_while_fifty_objects_a_second_are_written_are_not_noticed(
    cluster: &Cluster,
) {
    let space = cluster.space("rotation");
    let installation = cluster.installation();
    let before = failed_open(cluster);
    let original = secret(cluster);
    let new_ca = Authority::new(None, OffsetDateTime::now_utc(), time::Duration::days(2)).unwrap();
    let (old, new) = (installation.ca.as_str(), new_ca.certificate());
    let writes = Writes::start(&space);
    writes.more(50);

    // The trust first, then the certificate, then the old trust goes. No bundle comes twice: the API server keeps its connections to
    // go with each.
    trusted(cluster, &writes, &format!("{old}{new}"));
    replaced(cluster, &issued(&new_ca), new);
    trusted(cluster, &writes, new);
    // A new certificate of the same CA. That the API server takes it is seen when it dials anew, for the next step.
    replaced(cluster, &issued(&new_ca), new);
    trusted(cluster, &writes, &format!("{new}{old}"));
    // And back.
    let (chain, key) = (part(&original, "tls.crt"), part(&original, "tls.key"));
    replaced(cluster, &Pair { chain, key }, old);
    trusted(cluster, &writes, &format!("{old}\n"));

    let outcome = writes.end();
    // To the byte what other tests find.
    trust(cluster.plane(), old);
    outcome.say("three certificates and two CAs");
    not_noticed(cluster, &space, &outcome, before);
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn a_killed_replica_fails_no_write_and_what_it_left_untraced_is_traced_by_the_next_write(
    cluster: &Cluster,
) {
    let space = cluster.space("kill");
    let node = &cluster.installation().node;
    let before = failed_open(cluster);
    let writes = Writes::start(&space);
    until_all_decide(cluster, &writes, &decided(cluster));

    // The Service is to learn of it as late as possible.
    node.after_a_probe();
    let mut victim = node.oldest();
    let address = victim.address;
    // In this order: what is dialled between the two counts twice, not never.
    let dialled = node.proxy.dialled(address);
    let open = node.proxy.open(address);
    assert!(open > 0, "nothing would be lost");
    let killed = Instant::now();
    victim.signal("KILL");
    cluster.block_on(victim.ended());
    writes.crowd();
    until("the Service knows that the pod is gone", || {
        !node.proxy.is_ready(address)
    });
    let noticed = Instant::now();
    let to_the_dead = node.proxy.dialled(address) - dialled;
    writes.crowd();
    writes.more(100);
    let outcome = writes.end();
    cluster.block_on(node.start());

    outcome.say("a kill");
    assert_eq!(
        outcome.errors,
        Vec::<String>::new(),
        "failurePolicy Ignore lets every write through"
    );
    let lost = &outcome.lost;
    let recovered = lost.iter().map(|write| write.ended - killed).max();
    eprintln!(
        "cluster: a kill: {open} connections were open to the pod, {to_the_dead} were dialled to it before the Service noticed after {:?}; \
         the last untraced write ended {:?} after the kill",
        noticed - killed,
        recovered.unwrap_or_default(),
    );
    assert!(
        !lost.is_empty(),
        "the kill was not felt: this proves nothing"
    );
    assert!(
        lost.len() <= open + to_the_dead,
        "{} untraced for {open} open connections and {to_the_dead} dialled ones",
        lost.len()
    );
    for write in lost {
        assert!(
            write.ended >= killed && write.began <= noticed,
            "untraced while the Service sent nothing to a dead pod: {}",
            write.name
        );
    }
    // What is untraced is told in the audit log, and nothing else is.
    let names: BTreeSet<_> = lost.iter().map(|write| write.name.clone()).collect();
    assert_eq!(told_as_failed_open(cluster, &space), names);
    assert!(failed_open(cluster) > before);

    let models = space.models();
    let touch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/note": "touched"}}}));
    let parameters = PatchParams::default();
    let mut traced = 0;
    for name in &names {
        let call = models.patch(name, &parameters, &touch);
        // A user may have deleted it meanwhile.
        let touched = match cluster.block_on(call) {
            Err(kube::Error::Api(status)) if status.code == 404 => continue,
            touched => serde_json::to_value(touched.unwrap()).unwrap(),
        };
        assert!(is_traced(&touched), "{touched}");
        traced += 1;
    }
    assert!(traced > 0, "all were deleted: {names:?}");
}

/// How often the API server went on without a webhook.
pub(crate) fn failed_open(cluster: &Cluster) -> f64 {
    metrics::sum(cluster, "apiserver_admission_webhook_fail_open_count", &[])
}

/// Objects of a namespace of which the audit log says that.
fn told_as_failed_open(cluster: &Cluster, space: &Space<'_>) -> BTreeSet<String> {
    let events = cluster.plane().audit_with(&space.name);
    assert!(
        !events.is_empty(),
        "the audit log does not know {}",
        space.name
    );
    let told = events.iter().filter(|event| {
        let annotations = event["annotations"].as_object();
        let mut keys = annotations.into_iter().flatten().map(|(key, _)| key);
        keys.any(|key| key.starts_with("failed-open."))
    });
    // The name of an object that is created is not in its path.
    told.map(|event| {
        let name = &event["requestObject"]["metadata"]["name"];
        name.as_str().unwrap().to_owned()
    })
    .collect()
}

/// Not one error, not one untraced object, and the API server has not gone on without us.
#[track_caller]
pub(crate) fn not_noticed(cluster: &Cluster, space: &Space<'_>, outcome: &Outcome, before: f64) {
    assert_eq!(outcome.errors, Vec::<String>::new());
    let untraced: Vec<_> = outcome.lost.iter().map(|write| &write.name).collect();
    assert_eq!(untraced, Vec::<&String>::new());
    assert!(outcome.created > 100, "{}", outcome.created);
    assert_eq!(told_as_failed_open(cluster, space), BTreeSet::new());
    let after = failed_open(cluster);
    assert!((after - before).abs() < 0.5, "{before} {after}");
}

/// How many reviews each pod has decided.
fn decided(cluster: &Cluster) -> BTreeMap<SocketAddr, f64> {
    let admins = cluster.installation().node.admins();
    let count = |admin| {
        let (status, text) = cluster.block_on(get(admin, "/metrics"));
        assert_eq!(status, 200, "{admin}");
        let count = metrics::sum_of(&text, "seldon_tracing_requests_total", &[]);
        (admin, count)
    };
    admins.into_iter().map(count).collect()
}

/// Waits until each pod has decided more than before.
fn until_all_decide(cluster: &Cluster, writes: &Writes<'_>, before: &BTreeMap<SocketAddr, f64>) {
    until("each pod decides", || {
        writes.crowd();
        let now = decided(cluster);
        now.iter()
            .all(|(pod, count)| *count > before.get(pod).copied().unwrap_or_default())
    });
}

/// A certificate for the name of the Service.
fn issued(authority: &Authority) -> Pair {
    let names = Names {
        dns: vec![service_name()],
        ip: Vec::new(),
    };
    let now = OffsetDateTime::now_utc();
    authority
        .issue(&names, Purpose::Server, now, time::Duration::DAY)
        .unwrap()
}

/// Puts a certificate into the Secret, as an admin does, and into the pods, as the kubelet does. Waits until they show it.
fn replaced(cluster: &Cluster, pair: &Pair, ca: &str) {
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "stringData": {"tls.crt": pair.chain, "tls.key": pair.key},
    });
    let replace = ["replace", "-f", "-"];
    cluster.kubectl_with(&manifest.to_string(), &replace).ok();
    let stored = secret(cluster);
    let node = &cluster.installation().node;
    cluster.block_on(node.shows(&part(&stored, "tls.crt"), ca));
}

fn secret(cluster: &Cluster) -> Value {
    installation::get(cluster.plane(), "secret", SECRET)
}

/// Writes caBundle, and waits until the API server has dialled anew with it.
fn trusted(cluster: &Cluster, writes: &Writes<'_>, ca: &str) {
    let proxy = &cluster.installation().node.proxy;
    writes.more(25);
    let before = proxy.dialled_in_all();
    trust(cluster.plane(), ca);
    until("the API server dials anew", || {
        proxy.dialled_in_all() > before
    });
    writes.more(25);
    writes.crowd();
}
