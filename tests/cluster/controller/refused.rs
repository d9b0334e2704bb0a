//! A model that the controller cannot repair, whatever it does.

use serde_json::json;

use super::Controller;
use super::repair::{FLAGS, Outage, events};
use crate::models::{is_traced, model, untraced};
use crate::rig::{Cluster, Space, until};
use crate::writes::{apply, quietly};

tests![
    a_model_that_the_api_server_refuses_to_write_holds_up_no_other,
    a_model_that_cannot_be_repaired_while_others_are_is_given_up,
];

/// A policy that refuses to have the model `a-refused` changed, until this is dropped.
struct Refusal<'c>(&'c Cluster);

impl<'c> Refusal<'c> {
    const NAME: &'static str = "refuses-a-model";

    /// Begins an outage, in which the model is written.
    fn begin(space: &Space<'c>) -> (Self, Outage<'c>) {
        let rules = json!([{
            "apiGroups": ["machinelearning.seldon.io"],
            "apiVersions": ["v1"],
            "operations": ["UPDATE"],
            "resources": ["seldondeployments"],
            "resourceNames": ["a-refused"],
        }]);
        let kind = "ValidatingAdmissionPolicy";
        let api = "admissionregistration.k8s.io/v1";
        let refusing = json!({"apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": api,
                "kind": kind,
                "metadata": {"name": Self::NAME},
                "spec": {
                    "matchConstraints": {"resourceRules": rules},
                    "validations": [{"expression": "false", "message": "it is frozen"}],
                },
            },
            {
                "apiVersion": api,
                "kind": format!("{kind}Binding"),
                "metadata": {"name": Self::NAME},
                "spec": {"policyName": Self::NAME, "validationActions": ["Deny"]},
            },
        ]});
        let create = ["create", "-f", "-"];
        let cluster = space.cluster;
        cluster.kubectl_with(&refusing.to_string(), &create).ok();
        let refusal = Self(cluster);
        let outage = Outage::begin(cluster);
        quietly(apply(space, &[model("a-refused")]));
        until("the policy is in force", || {
            let annotate = ["annotate", "sdep/a-refused", "note=1", "--overwrite"];
            space.kubectl(&annotate).code != Some(0)
        });
        (refusal, outage)
    }
}

impl Drop for Refusal<'_> {
    fn drop(&mut self) {
        let kind = "validatingadmissionpolicy";
        for kind in [format!("{kind}binding"), kind.to_owned()] {
            self.0.kubectl(&["delete", &kind, Self::NAME]);
        }
    }
}

fn a_model_that_the_api_server_refuses_to_write_holds_up_no_other(cluster: &Cluster) {
    let space = cluster.space("refused");
    let (refusal, outage) = Refusal::begin(&space);
    quietly(apply(&space, &[model("other")]));
    drop(outage);
    let controller = Controller::start(cluster, &FLAGS);
    until("the other is repaired", || is_traced(&space.get("other")));
    assert!(!is_traced(&space.get("a-refused")));
    until("the user is told", || {
        events(&space, "TracingNotRepaired") == 1
    });
    let described = space.kubectl(&["describe", "sdep/a-refused"]).ok();
    assert!(described.contains("it is frozen"), "{described}");
    drop(refusal);
    until("it is repaired too", || is_traced(&space.get("a-refused")));
    drop(controller);
}

fn a_model_that_cannot_be_repaired_while_others_are_is_given_up(cluster: &Cluster) {
    let space = cluster.space("given-up");
    let (refusal, outage) = Refusal::begin(&space);
    drop(outage);
    let controller = Controller::start(cluster, &FLAGS);
    until("it is tried", || events(&space, "TracingNotRepaired") == 1);
    let is_given_up = || events(&space, "TracingGivenUp") == 1;
    // After each repair of another model it is tried again.
    let repair_another = || {
        let other = cluster.space("other");
        quietly(apply(&other, &[untraced("other")]));
        let label = ["label", "namespace", &other.name, "tracing=enabled"];
        cluster.kubectl(&label).ok();
        until("another is repaired", || is_traced(&other.get("other")));
    };
    let mut others = 0;
    while !is_given_up() {
        repair_another();
        others += 1;
        assert!(others < 6);
    }
    assert!(others >= 3, "{others}");
    let described = space.kubectl(&["describe", "sdep/a-refused"]).ok();
    assert!(
        described.contains("does not try again until this model changes"),
        "{described}"
    );
    drop(refusal);
    let failed = || controller.metric("seldon_tracing_repairs_total", "result=\"failed\"");
    let tries = failed();
    repair_another();
    assert!((failed() - tries).abs() < 0.5, "it is tried no more");
    assert!(!is_traced(&space.get("a-refused")));
    // Its next write is one of its user.
    let annotate = ["annotate", "sdep/a-refused", "note=2", "--overwrite"];
    space.kubectl(&annotate).ok();
    assert!(is_traced(&space.get("a-refused")));
    let waiting = || controller.metric("seldon_tracing_models_waiting", "");
    until("nothing waits", || waiting() < 0.5);
}
