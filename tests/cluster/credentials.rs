//! A kubeconfig is read as kubectl reads it: the context that is named, and the plugin that brings its credentials.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fleet::ours_as;
use crate::models::model;
use crate::rig::Cluster;
use crate::rig::controller::ACCOUNT;
use crate::rig::installation::NAMESPACE;
use crate::rig::kubectl::Ran;

tests![a_context_is_chosen_by_name_and_its_token_comes_from_a_plugin];

fn a_context_is_chosen_by_name_and_its_token_comes_from_a_plugin(cluster: &Cluster) {
    let space = cluster.space("credentials");
    space.create(&model("model"));
    let folder = tempfile::tempdir().unwrap();
    let create = ["create", "token", ACCOUNT, "--namespace", NAMESPACE];
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": cluster.kubectl(&create).ok().trim()},
    });
    let file = folder.path().join("credential.json");
    fs::write(&file, credential.to_string()).unwrap();
    let plugin = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "cat",
        "args": [file],
        "interactiveMode": "Never",
    });
    let text = fs::read_to_string(cluster.plane().kubeconfig()).unwrap();
    let admin: Value = serde_json::from_str(&text).unwrap();
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "gone",
        "contexts": [
            {"name": "gone", "context": {"cluster": "gone", "user": "plugin"}},
            {"name": "here", "context": {"cluster": "here", "user": "plugin", "namespace": space.name}},
        ],
        "clusters": [
            {"name": "gone", "cluster": {"server": "https://127.0.0.1:1"}},
            {"name": "here", "cluster": admin["clusters"][0]["cluster"]},
        ],
        "users": [{"name": "plugin", "user": {"exec": plugin}}],
    });
    let kubeconfig = folder.path().join("kubeconfig");
    fs::write(&kubeconfig, config.to_string()).unwrap();

    let refused = status(&kubeconfig, &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("cannot be reached"), "{refused:?}");
    let here = ["--context", "here"];
    let models = status(&kubeconfig, &here).json();
    assert_eq!(models["models"][0]["name"], "model");
    fs::remove_file(&file).unwrap();
    let refused = status(&kubeconfig, &here);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("credentials"), "{refused:?}");
}

fn status(kubeconfig: &Path, more: &[&str]) -> Ran {
    ours_as(kubeconfig, &[&["status", "-o", "json"], more].concat())
}
