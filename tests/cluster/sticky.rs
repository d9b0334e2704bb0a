//! New defaults of the webhook restart nothing: they arrive with the next change that a user makes to the model.

use serde_json::{Value, json};

use crate::models::{container, essence, is_traced, model, untraced, value, written};
use crate::rig::registration::{Registration, register};
use crate::rig::{Cluster, Space, until};
use crate::steps::{apply_as, assert_unwritten, create, created_dry, merge, without_us};
use crate::support::load::mount::Mount;
use crate::support::load::{self, process};

tests![new_defaults_arrive_when_the_user_changes_the_model_and_not_before,];

/// A webhook of the test's own, whose config can be changed.
struct Own<'c> {
    process: process::Process,
    config: Mount,
    reloads: u64,
    _registration: Registration<'c>,
    _certificate: tempfile::TempDir,
}

impl<'c> Own<'c> {
    fn start(space: &Space<'c>, config: &str) -> Self {
        let authority = load::authority();
        let certificate = load::folder_of(&load::pair(&authority));
        let config = Mount::new(&[("config.yaml", config)]);
        let file = config.path().join("config.yaml");
        let arguments = ["--config", file.to_str().unwrap()];
        let process = process::start(certificate.path(), &arguments);
        let process = space.cluster.block_on(process);
        let url = format!("https://{}/mutate", process.address);
        let registration = register(space, &url, authority.certificate(), |_| {});
        until("it is called", || {
            is_traced(&created_dry(space, &model("probe")))
        });
        Self {
            process,
            config,
            reloads: 0,
            _registration: registration,
            _certificate: certificate,
        }
    }

    /// Changes the config and waits until it is in use.
    fn change(&mut self, space: &Space<'_>, config: &str) {
        self.config.swap(&[("config.yaml", config)]);
        self.reloads += 1;
        let done = r#"seldon_tracing_reloads_total{what="config",result="done"}"#;
        until("the config is in use", || {
            let reloads = load::metric(self.process.admin, done);
            space.cluster.block_on(reloads) == self.reloads
        });
    }
}

/// The agent's port in the container and in the orchestrator.
fn ports(object: &Value) -> [Option<&str>; 2] {
    let orchestrator = &object["spec"]["predictors"][0]["svcOrchSpec"];
    [container(object), orchestrator].map(|holder| value(holder, "JAEGER_AGENT_PORT"))
}

fn new_defaults_arrive_when_the_user_changes_the_model_and_not_before(cluster: &Cluster) {
    let space = cluster.apart("sticky");
    let mut webhook = Own::start(&space, "defaults: {agentPort: 5775}\n");
    let without_us = without_us(&space, &untraced("client"));
    let apply = |manifest: &Value| {
        let apply = ["apply", "-f", "-"];
        space.kubectl_with(&manifest.to_string(), &apply).ok();
        space.get(manifest["metadata"]["name"].as_str().unwrap())
    };
    let sync = |manifest: &Value| {
        apply_as(&space, "kustomize-controller", manifest, |all| {
            all.force = true;
        })
        .unwrap()
    };
    let client = apply(&model("client"));
    let server = sync(&model("server"));
    assert_eq!(ports(&client), [Some("5775"); 2]);

    webhook.change(&space, "defaults: {agentPort: 6831}\n");
    // Who comes now gets it.
    let new = create(&space, &model("new"));
    assert_eq!(ports(&new), [Some("6831"); 2]);
    // Who was there notices nothing: not by the manifest applied again,
    assert_unwritten(&space, &apply(&model("client")), &client);
    assert_unwritten(&space, &sync(&model("server")), &server);
    // nor as a whole,
    let replace = ["replace", "-f", "-"];
    let manifest = model("server").to_string();
    space.kubectl_with(&manifest, &replace).ok();
    let replaced = space.get("server");
    assert_eq!(essence(&replaced), essence(&server));
    assert_eq!(written(&replaced).generation, 1);
    // nor by what is no business of ours.
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let labelled = merge(&space, "server", &label);
    assert_eq!(labelled["spec"], server["spec"]);
    assert_eq!(written(&labelled).generation, 1);
    space
        .kubectl(&["annotate", "--overwrite", "sdep/client", "tracing=true"])
        .ok();
    assert_eq!(space.get("client")["spec"], client["spec"]);
    assert_eq!(written(&space.get("client")).generation, 1);

    // The user changes the model, whose pods restart anyhow.
    let changed = |name: &str| {
        let mut manifest = model(name);
        manifest["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]["image"] =
            json!("example.com/model:2");
        manifest
    };
    for after in [apply(&changed("client")), sync(&changed("server"))] {
        assert_eq!(ports(&after), [Some("6831"); 2], "sticky");
        assert_eq!(container(&after)["image"], "example.com/model:2");
        assert_eq!(written(&after).generation, 2);
    }
    let client = space.get("client");

    // What was injected by a config of the past stays like all else, and goes like all else.
    webhook.change(&space, "targets: {orchestrator: false}\n");
    assert_unwritten(&space, &apply(&changed("client")), &client);
    let after = essence(&apply(&untraced("client")));
    assert_eq!(after["spec"], without_us["spec"], "opted out");
    let annotations = after["metadata"]["annotations"].as_object().unwrap();
    let last = "kubectl.kubernetes.io/last-applied-configuration";
    assert_eq!(annotations.keys().collect::<Vec<_>>(), [last], "opted out");
}
