//! Pod Security `restricted`, and what is stricter.

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

use crate::files::{objects, the, typed};

#[test]
fn the_pods_are_restricted_and_their_root_is_read_only() {
    let folders = ["base", "controller"].map(objects).concat();
    let deployments: Vec<_> = folders
        .iter()
        .filter(|it| it["kind"] == "Deployment")
        .collect();
    assert_eq!(deployments.len(), 2);
    for deployment in deployments {
        is_restricted(&deployment["spec"]["template"]["spec"]);
    }
}

fn is_restricted(pod: &Value) {
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
fn the_webhook_has_no_token_and_no_service_makes_variables() {
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

/// What stands in a column of the table below a heading of `docs/benchmarks.md`.
fn column(benchmarks: &str, heading: &str, column: usize) -> Vec<String> {
    let (_, table) = benchmarks.split_once(heading).unwrap();
    let rows = table.lines().skip(2);
    rows.map_while(|row| row.strip_prefix("| ")?.split(" | ").nth(column))
        .map(|cell| cell.trim_end_matches(" |").to_owned())
        .collect()
}

#[test]
fn the_memory_that_was_measured_fits_with_a_third_to_spare_and_the_cpu_is_not_limited() {
    let benchmarks = crate::files::text("docs/benchmarks.md");
    let resident = column(&benchmarks, "| resident memory | KiB |", 1);
    let idle: u64 = resident[0].replace(' ', "").parse().unwrap();
    let attacks = column(&benchmarks, "| attack | from | peak of memory", 2);
    assert!(attacks.len() > 30, "{attacks:?}");
    let attacks = attacks.iter().map(|cell| {
        let (own, sockets) = cell
            .strip_suffix(" MiB")
            .unwrap()
            .split_once(" + ")
            .unwrap();
        (
            own.parse::<u64>().unwrap() * 1024,
            sockets.parse::<u64>().unwrap() * 1024,
        )
    });
    let deployment: Deployment = typed("Deployment");
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    let resources = pod.containers[0].resources.clone().unwrap();
    let (requests, limits) = (resources.requests.unwrap(), resources.limits.unwrap());
    let (asked, limit) = (kib(&requests["memory"].0), kib(&limits["memory"].0));
    // The kernel counts the buffers of sockets against the same limit.
    for (own, sockets) in attacks {
        assert!(limit >= own + own / 3, "{own} KiB");
        assert!(limit >= own + sockets, "{own} + {sockets} KiB");
    }
    assert!(asked >= 2 * idle && asked <= limit, "{idle} KiB");
    assert!(requests.contains_key("cpu") && !limits.contains_key("cpu"));
}
