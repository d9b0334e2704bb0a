//! What the installation of the README comes to on a node.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::models::{container, is_traced, model, value};
use crate::pods::{self, Pod, serving};
use crate::rig::installation::{CONFIG, NAME, NAMESPACE, get};
use crate::rig::{Cluster, until};
use crate::support::fixtures::root;

tests![
    the_image_is_what_the_dockerfile_says,
    the_process_has_no_rights_at_all,
    the_api_server_calls_the_pods_by_the_service,
    review_asks_the_webhook_through_a_port_forward,
    a_changed_configuration_is_used_without_a_restart,
    a_broken_configuration_leaves_the_old_pods,
];

fn the_image_is_what_the_dockerfile_says(cluster: &Cluster) {
    let pods = pods::all(cluster);
    assert_eq!(pods.len(), 2);
    let image = &pods[0]["status"]["containerStatuses"][0]["image"];
    assert_eq!(image, "docker.io/library/seldon-tracing:0.1.0");
    let archive = crate::node::Parts::find().unwrap().image("seldon-tracing");
    let config = crate::node::config_of(&archive)["config"].clone();
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    // Of the last stage: what the image is.
    let (_, stage) = dockerfile.rsplit_once("FROM scratch\n").unwrap();
    let mut said = json!({"Labels": {}});
    for line in stage.lines() {
        match line.split_once(' ').unwrap() {
            ("USER", user) => said["User"] = json!(user),
            ("ENTRYPOINT", list) => said["Entrypoint"] = serde_json::from_str(list).unwrap(),
            ("LABEL", label) => {
                let (key, value) = label.split_once('=').unwrap();
                said["Labels"][key] = json!(value.trim_matches('"'));
            }
            ("COPY", files) => assert_eq!(files, "--from=build /seldon-tracing /seldon-tracing"),
            other => panic!("{other:?}: the image of these tests has nothing of it"),
        }
    }
    assert_eq!(config, said);
    // Scanners of images read the list of crates there.
    let program = fs::read(serving(cluster)[0].process().join("exe")).unwrap();
    assert!(memchr::memmem::find(&program, b".dep-v0").is_some());
}

fn the_process_has_no_rights_at_all(cluster: &Cluster) {
    for pod in serving(cluster) {
        let process = pod.process();
        let status = fs::read_to_string(process.join("status")).unwrap();
        let line = |key: &str| {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(&format!("{key}:\t")));
            line.unwrap_or_else(|| panic!("{key}: {status}"))
        };
        assert_eq!(line("Uid"), "65532\t65532\t65532\t65532");
        assert_eq!(line("Gid"), "65532\t65532\t65532\t65532");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(line(set), "0000000000000000", "{set}");
        }
        assert_eq!(line("NoNewPrivs"), "1");
        assert_eq!(line("Seccomp"), "2", "a filter");
        let mounts = fs::read_to_string(process.join("mountinfo")).unwrap();
        let options = |path: &str| {
            let fields = mounts
                .lines()
                .map(|line| line.split(' ').collect::<Vec<_>>());
            let mut at = fields.filter(|fields| fields[4] == path);
            at.next_back().unwrap()[5].to_owned()
        };
        for path in ["/", "/tls", "/config"] {
            assert!(options(path).starts_with("ro,"), "{path}: {mounts}");
        }
        assert!(!mounts.contains("serviceaccount"), "no token: {mounts}");
    }
}

fn the_api_server_calls_the_pods_by_the_service(cluster: &Cluster) {
    let space = cluster.space("service");
    let decided = || {
        serving(cluster)
            .iter()
            .map(|pod| pod.decided(cluster))
            .sum::<f64>()
    };
    let before = decided();
    assert!(is_traced(&space.create(&model("model"))));
    assert!(decided() > before, "a pod of ours was asked");
}

/// As step 3 of "I see no traces" does it.
fn review_asks_the_webhook_through_a_port_forward(cluster: &Cluster) {
    let commands = "kubectl port-forward --namespace seldon-tracing service/seldon-tracing 8443:443 > forwarded &
trap \"kill $!\" EXIT
for _ in {1..100}; do grep -q Forwarding forwarded && break; sleep 0.1; done
seldon-tracing review -f examples/own-container.yaml --url https://localhost:8443 --insecure";
    let said = cluster.installation().shell.run(commands).ok();
    assert!(said.contains("JAEGER_AGENT_HOST"), "{said}");
}

fn a_changed_configuration_is_used_without_a_restart(cluster: &Cluster) {
    let space = cluster.space("changed");
    let pods = serving(cluster);
    let reloads = |pod: &Pod| {
        let of = [r#"what="config""#, r#"result="done""#];
        pod.metric(cluster, "seldon_tracing_reloads_total", &of)
    };
    let start = Instant::now();
    configure(cluster, "defaults: {agentPort: 6831}\n");
    until("both pods use it", || {
        pods.iter().all(|pod| reloads(pod) > 0.5)
    });
    let took = start.elapsed();
    eprintln!("node: a changed ConfigMap was used by both pods after {took:.1?}");
    let stored = space.create(&model("model"));
    assert_eq!(value(container(&stored), "JAEGER_AGENT_PORT"), Some("6831"));
    assert_eq!(serving(cluster), pods, "no restart");
    cluster
        .installation()
        .shell
        .run("kubectl apply -k manifests/external")
        .ok();
    until("the old one is back", || {
        pods.iter().all(|pod| reloads(pod) > 1.5)
    });
}

fn a_broken_configuration_leaves_the_old_pods(cluster: &Cluster) {
    let space = cluster.space("broken");
    let pods = serving(cluster);
    let good = get(cluster.plane(), "configmap", CONFIG)["data"]["config.yaml"].clone();
    configure(cluster, "defaults: {agentPort: none}\n");
    let of = [r#"what="config""#, r#"result="refused""#];
    let refused = |pod: &Pod| pod.metric(cluster, "seldon_tracing_reloads_total", &of);
    until("both pods refuse it", || {
        pods.iter().all(|pod| refused(pod) > 0.5)
    });
    let deployment = format!("deployment/{NAME}");
    let restart = ["rollout", "restart", &deployment, "--namespace", NAMESPACE];
    cluster.kubectl(&restart).ok();
    let restarted = |pod: &Value| {
        let restarts = &pod["status"]["containerStatuses"][0]["restartCount"];
        restarts.as_u64() > Some(0)
    };
    until("a new pod does not start", || {
        pods::all(cluster).iter().any(restarted)
    });
    let failed = pods::all(cluster).into_iter().find(restarted).unwrap();
    let name = failed["metadata"]["name"].as_str().unwrap();
    let logs = ["logs", name, "--previous", "--namespace", NAMESPACE];
    let said = cluster.kubectl(&logs).ok();
    let lines = said.lines().map(serde_json::from_str::<Value>);
    let messages: String = lines
        .map(|line| line.unwrap()["message"].to_string())
        .collect();
    assert!(messages.contains("agentPort"), "{said}");
    assert!(!messages.contains('\u{fffd}'), "{said}");
    assert_eq!(serving(cluster), pods, "the old pods serve");
    let port = |name: &str| {
        let stored = space.create(&model(name));
        value(container(&stored), "JAEGER_AGENT_PORT").map(str::to_owned)
    };
    assert_eq!(
        port("meanwhile").as_deref(),
        Some("5775"),
        "by the last good one"
    );

    configure(cluster, good.as_str().unwrap());
    pods::restart(cluster);
    pods::until_replaced(cluster, &pods);
    assert_eq!(port("afterwards").as_deref(), Some("5775"));
}

/// Gives the webhook another configuration.
fn configure(cluster: &Cluster, config: &str) {
    let patch = json!({"data": {"config.yaml": config}}).to_string();
    let at = ["patch", "configmap", CONFIG, "--namespace", NAMESPACE];
    let merge = ["--type=merge", "--patch", &patch];
    cluster.kubectl(&[&at[..], &merge].concat()).ok();
}
