//! Ports and selectors, which several objects have.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use seldon_tracing::cli::Listen;
use serde_json::json;

use crate::deployment::{container, flags, pod, port};
use crate::files::{the, typed};

#[test]
fn the_ports_of_flags_container_and_service_agree() {
    let flags = flags();
    // A port alone: an address of one family would not do on nodes of the other.
    assert_eq!(flags.listen, Some(Listen::Port(port("https"))));
    assert_eq!(flags.admin.admin_listen, Some(Listen::Port(port("admin"))));
    assert_eq!(
        port("https"),
        10250,
        "firewalls of private clusters let it through"
    );
    let names = container().ports.unwrap();
    assert_eq!(names.len(), 2);
    let service: Service = typed("Service");
    let ports = service.spec.unwrap().ports.unwrap();
    assert_eq!(
        ports.len(),
        1,
        "health and metrics are not for the API server"
    );
    let target = IntOrString::String("https".to_owned());
    assert_eq!(
        (ports[0].port, ports[0].target_port.as_ref()),
        (443, Some(&target))
    );
    assert_eq!(ports[0].name.as_deref(), Some("https"));
}

#[test]
fn the_network_lets_in_the_api_server_and_prometheus_and_nothing_out() {
    let policy: NetworkPolicy = typed("NetworkPolicy");
    let spec = policy.spec.unwrap();
    assert_eq!(spec.policy_types.unwrap(), ["Ingress", "Egress"]);
    assert_eq!(spec.egress, None);
    let rules = spec.ingress.unwrap();
    let ports: Vec<_> = rules
        .iter()
        .flat_map(|rule| rule.ports.clone().unwrap())
        .map(|one| (one.protocol.unwrap(), one.port.unwrap()))
        .collect();
    let tcp = |name| ("TCP".to_owned(), IntOrString::Int(port(name).into()));
    assert_eq!(ports, [tcp("https"), tcp("admin")]);
    // The API server is no pod: no selector would find it.
    assert_eq!(rules[0].from, None);
    let from = rules[1].from.as_ref().unwrap();
    assert!(!from.is_empty() && from.iter().all(|peer| peer.namespace_selector.is_some()));
}

#[test]
fn all_selectors_are_the_two_labels_that_can_never_be_changed() {
    let expected = json!({
        "app.kubernetes.io/name": "seldon-tracing",
        "app.kubernetes.io/component": "webhook",
    });
    let deployment: Deployment = typed("Deployment");
    let spec = deployment.spec.unwrap();
    let labels = spec.template.metadata.unwrap().labels.unwrap();
    assert_eq!(json!(labels), expected);
    assert_eq!(json!(spec.selector), json!({"matchLabels": expected}));
    assert_eq!(the("Service")["spec"]["selector"], expected);
    for (kind, field) in [
        ("PodDisruptionBudget", "selector"),
        ("NetworkPolicy", "podSelector"),
    ] {
        assert_eq!(
            the(kind)["spec"][field],
            json!({"matchLabels": expected}),
            "{kind}"
        );
    }
    for one in pod().topology_spread_constraints.unwrap() {
        assert_eq!(json!(one.label_selector), json!({"matchLabels": expected}));
        assert_eq!(one.match_label_keys.unwrap(), ["pod-template-hash"]);
    }
}

#[test]
fn a_drain_takes_one_pod_at_a_time_and_is_never_blocked() {
    let budget: PodDisruptionBudget = typed("PodDisruptionBudget");
    let spec = budget.spec.unwrap();
    assert_eq!(spec.max_unavailable, Some(IntOrString::Int(1)));
    assert_eq!(spec.min_available, None);
    let policy = spec.unhealthy_pod_eviction_policy;
    assert_eq!(policy.as_deref(), Some("AlwaysAllow"));
}
