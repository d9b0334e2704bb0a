//! Where a kubeconfig says that a token is in what a helper prints, which third-party/jsonpath-rust finds.

use std::fs;

use crate::command::{folder, run_in};

/// What `status` says when it has the token from there, or not: nothing listens where the cluster should be.
#[track_caller]
fn said(path: &str) -> String {
    let kubeconfig = format!(
        "apiVersion: v1
kind: Config
current-context: c
contexts: [{{name: c, context: {{cluster: k, user: u}}}}]
clusters: [{{name: k, cluster: {{server: 'http://127.0.0.1:1'}}}}]
users:
- name: u
  user:
    auth-provider:
      name: gcp
      config: {{cmd-path: echo, cmd-args: '{{\"credential\":{{\"access-token\":\"some\"}}}}', token-key: '{path}'}}
"
    );
    let folder = folder(&[]);
    fs::write(folder.path().join("kubeconfig"), kubeconfig).unwrap();
    run_in(folder.path(), &["status", "--kubeconfig", "kubeconfig"], "").refusal()
}

#[test]
fn a_token_is_found_by_a_path_of_keys() {
    for path in ["{.credential.access-token}", "$.credential.access-token"] {
        let said = said(path);
        assert!(said.contains("the API server cannot be reached"), "{said}");
    }
    for (path, why) in [
        ("{.credential.other}", "not found"),
        ("{.credential}", "is not a string"),
        ("{.credential[0]}", "use one of plain keys"),
        ("{..access-token}", "use one of plain keys"),
    ] {
        let said = said(path);
        let refused = said.contains("cannot use the credentials of the kubeconfig");
        assert!(refused && said.contains(why), "{said}");
    }
}
