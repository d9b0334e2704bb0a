//! What an admin registers, as a real API server takes it.

use std::fs;

use serde_json::json;

use crate::rig::Cluster;
use crate::rig::installation::{NAME, NAMESPACE, get, overlay};

tests![
    every_folder_is_taken_with_strict_validation_and_renders_the_same_each_time,
    the_pod_passes_the_restricted_standard_of_its_namespace,
    the_webhook_has_no_rights_at_the_api_server,
];

/// With cert-manager's definitions in the cluster.
pub(crate) mod with_cert_manager {
    use super::{
        a_folder_of_ones_own_sets_image_and_configuration,
        the_folder_for_cert_manager_is_taken_with_strict_validation,
    };

    tests![
        the_folder_for_cert_manager_is_taken_with_strict_validation,
        a_folder_of_ones_own_sets_image_and_configuration,
    ];
}

/// Renders a folder twice and has it validated, as it is and with a typing error in it.
fn assert_taken(cluster: &Cluster, folder: &str) {
    let kustomize = || cluster.kubectl(&["kustomize", &overlay(folder)]).ok();
    let rendered = kustomize();
    assert_eq!(
        rendered,
        kustomize(),
        "a tool for Git would see a difference"
    );
    assert!(
        !rendered.contains("caBundle"),
        "a tool for Git would fight over it"
    );
    let apply = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    let said = cluster.kubectl_with(&rendered, &apply);
    let mut warnings = said.warnings();
    // kubectl's own, about what another test has applied by the server.
    warnings.retain(|warning| !warning.contains("last-applied-configuration"));
    assert_eq!(warnings, Vec::<String>::new());
    said.ok();
    let mistyped = rendered.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem");
    let refused = cluster.kubectl_with(&mistyped, &apply).refused();
    assert!(refused.contains("unknown field"), "{refused}");
}

fn every_folder_is_taken_with_strict_validation_and_renders_the_same_each_time(cluster: &Cluster) {
    assert_taken(cluster, "base");
    assert_taken(cluster, "external");
    assert_taken(cluster, "controller");
    let namespace = overlay("collector/namespace.yaml");
    cluster.kubectl(&["apply", "-f", &namespace]).ok();
    assert_taken(cluster, "collector");
}

fn the_folder_for_cert_manager_is_taken_with_strict_validation(cluster: &Cluster) {
    assert_taken(cluster, "cert-manager");
}

fn the_pod_passes_the_restricted_standard_of_its_namespace(cluster: &Cluster) {
    let deployment = get(cluster.plane(), "deployment", NAME);
    let template = &deployment["spec"]["template"];
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]});
    pod["metadata"] = json!({"name": "pod", "labels": template["metadata"]["labels"]});
    let create = [
        "create",
        "--namespace",
        NAMESPACE,
        "--dry-run=server",
        "-f",
        "-",
    ];
    let created = cluster.kubectl_with(&pod.to_string(), &create);
    assert_eq!(created.warnings(), Vec::<String>::new());
    created.ok();

    let security = pod["spec"]["securityContext"].as_object_mut().unwrap();
    assert!(security.remove("seccompProfile").is_some());
    let refused = cluster.kubectl_with(&pod.to_string(), &create).refused();
    assert!(
        refused.contains("violates PodSecurity"),
        "the namespace enforces nothing: {refused}"
    );
}

fn the_webhook_has_no_rights_at_the_api_server(cluster: &Cluster) {
    let account = format!("--as=system:serviceaccount:{NAMESPACE}:{NAME}");
    let groups =
        ["serviceaccounts", "authenticated"].map(|group| format!("--as-group=system:{group}"));
    let may = |verb: &str, resource: &str| {
        let can = ["auth", "can-i", verb, resource, "--all-namespaces"];
        let who = [account.as_str(), &groups[0], &groups[1]];
        let said = cluster.kubectl(&[&can[..], &who].concat());
        match said.stdout.trim() {
            "yes" => true,
            "no" => false,
            _ => panic!("{said:?}"),
        }
    };
    assert!(
        may("create", "selfsubjectreviews.authentication.k8s.io"),
        "as everybody may"
    );
    for (verb, resource) in [
        ("get", "secrets"),
        ("get", "configmaps"),
        ("list", "pods"),
        ("list", "namespaces"),
        ("get", "seldondeployments.machinelearning.seldon.io"),
        ("patch", "seldondeployments.machinelearning.seldon.io"),
        (
            "get",
            "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        ),
        (
            "patch",
            "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        ),
        ("create", "pods"),
        ("create", "tokenreviews.authentication.k8s.io"),
    ] {
        assert!(!may(verb, resource), "{verb} {resource}");
    }
    let deployment = get(cluster.plane(), "deployment", NAME);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(
        pod["automountServiceAccountToken"], false,
        "and no token to try it with"
    );
}

/// The example of `manifests/README.md`.
fn a_folder_of_ones_own_sets_image_and_configuration(cluster: &Cluster) {
    let page = fs::read_to_string(overlay("README.md")).unwrap();
    let block = page.split("```yaml\n").nth(1).unwrap();
    let kustomization = block.split("```").next().unwrap();
    assert!(
        kustomization.contains("../manifests/default"),
        "{kustomization}"
    );
    let shell = &cluster.installation().shell;
    let mine = shell.file("mine");
    fs::create_dir_all(&mine).unwrap();
    fs::write(mine.join("kustomization.yaml"), kustomization).unwrap();
    fs::write(mine.join("config.yaml"), "defaults: {agentPort: 6831}\n").unwrap();
    let applied = shell
        .run("kubectl apply --dry-run=server -o json -k mine")
        .json();
    let objects = applied["items"].as_array().unwrap();
    let find = |kind: &str| objects.iter().find(|it| it["kind"] == kind).unwrap();
    let deployments = objects.iter().filter(|it| it["kind"] == "Deployment");
    let images = deployments.map(|it| it.pointer("/spec/template/spec/containers/0/image"));
    let image = json!("registry.example/seldon-tracing:0.1.0");
    assert_eq!(images.collect::<Vec<_>>(), [Some(&image), Some(&image)]);
    let config = find("ConfigMap");
    assert_eq!(config["metadata"]["name"], "seldon-tracing-config");
    assert_eq!(
        config["data"]["config.yaml"],
        "defaults: {agentPort: 6831}\n"
    );
}
