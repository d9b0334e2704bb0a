//! `manifests/cert-manager` with cert-manager's own controllers: certificates come, are renewed, and are trusted all the time.

use crate::models::{is_traced, model};
use crate::rig::installation::{self, NAMESPACE, SECRET, bundles, get, overlay, part};
use crate::rig::{Cluster, cert_manager, metrics, until};

/// The Certificate of the webhook.
const LEAF: &str = "seldon-tracing-tls";

tests![
    cert_manager_issues_trusts_and_renews_and_the_root_stays,
    manifests_that_are_applied_again_leave_ca_bundle_alone,
];

/// Creates a model and looks whether it was traced by way of the Service.
fn assert_traced(cluster: &Cluster, name: &str) {
    let space = cluster.space(name);
    let create = ["create", "-f", "-", "-o", "json"];
    let created = space.kubectl_with(&model("model").to_string(), &create);
    assert!(is_traced(&created.json()));
}

fn cert_manager_issues_trusts_and_renews_and_the_root_stays(cluster: &Cluster) {
    let plane = cluster.plane();
    let installation = cluster.installation();
    let root = &installation.ca;
    assert_eq!(bundles(plane), [Some(root.clone()), Some(root.clone())]);
    assert_traced(cluster, "issued");

    let before = part(&get(plane, "secret", SECRET), "tls.crt");
    cert_manager::renew(plane, NAMESPACE, LEAF);
    let secret = get(plane, "secret", SECRET);
    let after = part(&secret, "tls.crt");
    assert_ne!(after, before);
    assert_eq!(part(&secret, "ca.crt"), *root, "the root stays the same");
    assert_eq!(bundles(plane), [Some(root.clone()), Some(root.clone())]);

    installation.webhook().shows(&after, root);
    assert_traced(cluster, "renewed");
    let opened = "apiserver_admission_webhook_fail_open_count";
    assert!(
        metrics::sum(cluster, opened, &[]).abs() < 0.5,
        "no call failed"
    );
}

/// As tools for Git do it, by the client and as a manager of their own. No caBundle is in what is rendered, so nobody fights over it.
fn manifests_that_are_applied_again_leave_ca_bundle_alone(cluster: &Cluster) {
    let plane = cluster.plane();
    let root = &cluster.installation().ca;
    let folder = overlay("cert-manager");
    cluster.kubectl(&["apply", "-k", &folder]).ok();
    assert_eq!(bundles(plane), [Some(root.clone()), Some(root.clone())]);
    let manager = "--field-manager=a-gitops-tool";
    let apply = ["apply", "--server-side", manager, "-k", &folder];
    cluster.kubectl(&apply).ok();
    assert_eq!(bundles(plane), [Some(root.clone()), Some(root.clone())]);
    cluster.kubectl(&["diff", "-k", &folder]).ok();

    let person = r#"--patch=[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]"#;
    let name = ["mutatingwebhookconfiguration", installation::NAME];
    let patch = [&["patch"], &name[..], &["--type=json", person]].concat();
    cluster.kubectl(&patch).ok();
    until("what a person took away is back", || {
        bundles(plane) == [Some(root.clone()), Some(root.clone())]
    });
    assert_traced(cluster, "applied-again");
}
