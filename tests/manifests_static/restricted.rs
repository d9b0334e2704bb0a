//! Pod Security `restricted`, and what is stricter.

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

use crate::files::{the, typed};

#[test]
fn s1_the_pod_is_restricted_and_its_root_is_read_only() {
    let pod = the("Deployment")["spec"]["template"]["spec"].clone();
    let expected = json!({
        "runAsNonRoot": true,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    assert_eq!(pod["securityContext"], expected);
    let container = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    assert_eq!(pod["containers"][0]["securityContext"], container);
    for other in [
        "initContainers",
        "ephemeralContainers",
        "hostNetwork",
        "hostPID",
        "hostIPC",
    ] {
        assert_eq!(pod.get(other), None, "{other}");
    }
    for volume in pod["volumes"].as_array().unwrap() {
        let allowed = volume.get("secret").or_else(|| volume.get("configMap"));
        assert!(allowed.is_some(), "{volume}");
    }
    for port in pod["containers"][0]["ports"].as_array().unwrap() {
        assert_eq!(port.get("hostPort"), None);
    }
}

#[test]
fn s2_no_token_is_mounted_and_no_service_makes_variables() {
    let account = the("ServiceAccount");
    let pod = the("Deployment")["spec"]["template"]["spec"].clone();
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["serviceAccountName"], account["metadata"]["name"]);
    assert_eq!(pod["enableServiceLinks"], false);
}

/// A quantity of memory in KiB.
fn kib(quantity: &str) -> u64 {
    let mib: u64 = quantity.strip_suffix("Mi").unwrap().parse().unwrap();
    mib * 1024
}

#[test]
fn t4_the_memory_that_was_measured_fits_with_a_third_to_spare_and_the_cpu_is_not_limited() {
    let benchmarks = crate::files::text("docs/benchmarks.md");
    let (_, table) = benchmarks.split_once("| resident memory | KiB |").unwrap();
    let measured: Vec<u64> = table
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| ")?.split(" | ").nth(1))
        .map(|cell| cell.replace([' ', '|'], "").parse().unwrap())
        .collect();
    assert!(measured.len() >= 5, "{measured:?}");
    let deployment: Deployment = typed("Deployment");
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    let resources = pod.containers[0].resources.clone().unwrap();
    let (requests, limits) = (resources.requests.unwrap(), resources.limits.unwrap());
    let peak = measured.iter().max().unwrap();
    assert!(kib(&limits["memory"].0) >= peak + peak / 3, "{peak} KiB");
    let (idle, asked) = (measured[0], kib(&requests["memory"].0));
    assert!(
        asked >= 2 * idle && asked <= kib(&limits["memory"].0),
        "{idle} KiB"
    );
    assert!(requests.contains_key("cpu") && !limits.contains_key("cpu"));
}
