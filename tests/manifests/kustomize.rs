//! What is listed, named, labelled and made by kustomize.

use std::collections::BTreeSet;
use std::fs;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::files::{self, FOLDERS, all, folder, kustomization, objects, texts, the, walk};

#[test]
fn every_file_of_a_folder_is_listed_and_every_listed_file_is_there() {
    for name in FOLDERS {
        let kustomization = kustomization(name);
        let mut listed: BTreeSet<String> = texts(&kustomization["resources"])
            .into_iter()
            .filter(|resource| !resource.starts_with("../"))
            .map(str::to_owned)
            .collect();
        if let Some(maps) = kustomization["configMapGenerator"].as_array() {
            listed.extend(
                maps.iter()
                    .flat_map(|map| texts(&map["files"]))
                    .map(str::to_owned),
            );
        }
        listed.insert("kustomization.yaml".to_owned());
        let there: BTreeSet<String> = fs::read_dir(folder(name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.contains(".y"))
            .collect();
        assert_eq!(there, listed, "{name}");
    }
    for name in ["cert-manager", "default", "external"] {
        let resources = kustomization(name)["resources"].clone();
        let first = &texts(&resources)[..2];
        assert_eq!(first, ["../base", "../controller"], "{name}");
    }
}

/// Reads as a type and writes again: a field that the type does not know, or of another type, does
/// not come back.
#[track_caller]
pub(crate) fn round<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
    let read: T = serde_json::from_value(object.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", object["kind"]));
    serde_json::to_value(read).unwrap()
}

#[test]
fn every_field_is_one_that_kubernetes_knows() {
    let folders = ["base", "controller", "default", "guard"].map(objects);
    let objects = folders.concat();
    assert_eq!(objects.len(), 18);
    for object in objects {
        let again = match object["kind"].as_str().unwrap() {
            "Namespace" => round::<Namespace>(&object),
            "ServiceAccount" => round::<ServiceAccount>(&object),
            "ClusterRole" => round::<ClusterRole>(&object),
            "ClusterRoleBinding" => round::<ClusterRoleBinding>(&object),
            "Role" => round::<Role>(&object),
            "RoleBinding" => round::<RoleBinding>(&object),
            "Deployment" => round::<Deployment>(&object),
            "Service" => round::<Service>(&object),
            "PodDisruptionBudget" => round::<PodDisruptionBudget>(&object),
            "NetworkPolicy" => round::<NetworkPolicy>(&object),
            "MutatingWebhookConfiguration" => round::<MutatingWebhookConfiguration>(&object),
            "ValidatingAdmissionPolicy" => round::<ValidatingAdmissionPolicy>(&object),
            "ValidatingAdmissionPolicyBinding" => {
                round::<ValidatingAdmissionPolicyBinding>(&object)
            }
            other => panic!("an object of kind {other}, which this test does not know"),
        };
        assert_eq!(again, object);
    }
}

#[test]
fn only_the_controller_has_rights_and_no_file_holds_a_secret() {
    for object in all() {
        let kind = object["kind"].as_str().unwrap();
        if kind.ends_with("RoleBinding") {
            let controller = json!([{
                "kind": "ServiceAccount",
                "name": "seldon-tracing-controller",
                "namespace": "seldon-tracing",
            }]);
            assert_eq!(object["subjects"], controller);
        }
        for rule in object["rules"].as_array().into_iter().flatten() {
            let (verbs, resources) = (texts(&rule["verbs"]), texts(&rule["resources"]));
            let groups = texts(&rule["apiGroups"]);
            assert!(
                ![&verbs, &resources, &groups]
                    .iter()
                    .any(|it| it.contains(&"*"))
            );
            // What has a name is named; RBAC cannot do so for `create`.
            let is_of_all = ["seldondeployments", "namespaces", "events"].contains(&resources[0]);
            let is_named = rule["resourceNames"].is_array();
            assert!(is_named || is_of_all || verbs == ["create"], "{rule}");
        }
        assert_ne!(object["kind"], "Secret");
        // The generator is the one place where the configuration stands.
        assert_ne!(object["kind"], "ConfigMap");
    }
    for name in FOLDERS {
        let kustomization = kustomization(name);
        let known = [
            "apiVersion",
            "kind",
            "resources",
            "configMapGenerator",
            "images",
            "labels",
            "patches",
        ];
        for key in kustomization.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "{name}: {key} is new here");
        }
    }
}

#[test]
fn no_manifest_holds_a_ca_bundle() {
    let mut keys = 0;
    let mut see = |key: &str, _: &Value| {
        assert_ne!(key, "caBundle");
        keys += 1;
    };
    for object in all() {
        walk(&object, &mut see);
    }
    for name in FOLDERS {
        let kustomization = kustomization(name);
        let none = Vec::new();
        for patch in kustomization["patches"].as_array().unwrap_or(&none) {
            for part in files::documents(patch["patch"].as_str().unwrap()) {
                walk(&part, &mut see);
            }
        }
    }
    assert!(keys > 100, "the manifests were read");
}

#[test]
fn all_objects_are_in_the_one_namespace() {
    let namespace = the("Namespace")["metadata"]["name"].clone();
    for object in all() {
        let kind = object["kind"].as_str().unwrap();
        let at = &object["metadata"]["namespace"];
        let of_the_cluster = [
            "Namespace",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ClusterRole",
            "ClusterRoleBinding",
        ];
        if of_the_cluster.contains(&kind) {
            assert_eq!(at, &Value::Null, "{kind}");
        } else {
            assert_eq!(at, &namespace, "{kind}");
        }
    }
    let map = &kustomization("base")["configMapGenerator"][0];
    assert_eq!(map["namespace"], namespace);
}

#[test]
fn the_namespace_is_restricted_out_of_the_mesh_and_out_of_the_webhook() {
    let labels = the("Namespace")["metadata"]["labels"].clone();
    let expected = json!({
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        "istio-injection": "disabled",
        "tracing.seldon.io/disabled": "true",
    });
    assert_eq!(labels, expected);
}

#[test]
fn the_image_has_the_version_of_the_crate_and_is_set_by_its_name() {
    let container = the("Deployment")["spec"]["template"]["spec"]["containers"][0].clone();
    let images = kustomization("base")["images"].clone();
    assert_eq!(kustomization("controller")["images"], images);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        images,
        json!([{"name": container["image"], "newTag": version}])
    );
    // So that `images` of other folders, which go by the name, find it.
    assert_eq!(container["image"], env!("CARGO_PKG_NAME"));
    // A tag that is a version never changes; with Always, a registry that is down would keep the webhook down.
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
}

#[test]
fn the_config_map_keeps_its_name_for_the_webhook_reads_a_changed_one_itself() {
    let maps = kustomization("base")["configMapGenerator"].clone();
    let expected = json!([{
        "name": "seldon-tracing-config",
        "namespace": "seldon-tracing",
        "files": ["config.yaml"],
        "options": {"disableNameSuffixHash": true},
    }]);
    assert_eq!(maps, expected);
}

#[test]
fn labels_of_kustomize_select_nothing_and_contradict_no_selector() {
    let selected = the("Deployment")["spec"]["template"]["metadata"]["labels"].clone();
    for name in ["base", "cert-manager"] {
        let labels = kustomization(name)["labels"].clone();
        for set in labels.as_array().unwrap() {
            assert_eq!(set.get("includeSelectors"), None, "{name}");
            for (key, value) in set["pairs"].as_object().unwrap() {
                if let Some(known) = selected.get(key) {
                    assert_eq!(known, value, "{name}: {key}");
                }
            }
        }
    }
}
