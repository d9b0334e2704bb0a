//! `manifests/cert-manager` with cert-manager's own controllers: who writes `caBundle`. In `tests/node`, pods have the certificates.

use crate::models::{is_traced, model};
use crate::rig::installation::{self, bundles, overlay};
use crate::rig::{Cluster, until};

tests![manifests_that_are_applied_again_leave_ca_bundle_alone];

/// As tools for Git do it, by the client and as a manager of their own. No caBundle is in what is rendered, so nobody fights over it.
fn manifests_that_are_applied_again_leave_ca_bundle_alone(cluster: &Cluster) {
    let plane = cluster.plane();
    let root = &cluster.installation().ca;
    assert_eq!(bundles(plane), [Some(root.clone()), Some(root.clone())]);
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
    let space = cluster.space("applied-again");
    assert!(is_traced(&space.create(&model("model"))));
}
