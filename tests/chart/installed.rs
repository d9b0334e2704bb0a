//! What Helm does with the chart on a real API server. Pods are not there: the controller is a process with the rights of its account, and
//! the webhook another one.

use std::fs;

use seldon_tracing::pki::read_certificates;
use serde_json::{Value, json};

use crate::helm::{chart, objects};
use crate::models::{is_traced, model};
use crate::rig::installation::{CONFIG, NAME, NAMESPACE, SECRET, bundles, get, part};
use crate::rig::shell::blocks;
use crate::rig::{Cluster, controller, until};

tests![TESTS: crate::OnCluster;
    upgrade_and_rollback_keep_the_certificates_and_uninstall_leaves_what_it_says,
    the_previous_version_is_upgraded_in_a_namespace_of_another_name,
    the_notes_say_how_to_bring_a_certificate_of_your_own,
];

const PAGE: &str = "docs/install.md";
const CHAPTER: &str = "### Test, upgrade and remove the release";

/// The commands of the page that have this in them.
fn commands(of: &str) -> String {
    let blocks = blocks(PAGE, CHAPTER);
    blocks.into_iter().find(|block| block.contains(of)).unwrap()
}

fn run(cluster: &Cluster, command: &str) -> String {
    cluster.installation().shell.run(command).ok()
}

/// Whether an object has all that another has.
fn has_all(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            // An empty map or list of a manifest is not stored.
            let is_empty = value.as_object().is_some_and(serde_json::Map::is_empty);
            is_empty || found.get(key).is_some_and(|it| has_all(it, value))
        }),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| has_all(a, b))
        }
        _ => found == wanted,
    }
}

/// The release is in the cluster as Helm has rendered it.
#[track_caller]
fn assert_live(cluster: &Cluster, namespace: &str) {
    let manifest = run(cluster, &format!("helm get manifest {NAME} -n {namespace}"));
    let wanted = objects(&manifest);
    assert!(wanted.len() > 10);
    let stored = cluster.kubectl_with(&manifest, &["get", "-o", "json", "-f", "-"]);
    let stored = stored.json();
    for (key, wanted) in wanted {
        let items = stored["items"].as_array().unwrap().iter();
        let mut items = items.filter(|it| {
            let metadata = &it["metadata"];
            it["kind"] == *key.0 && metadata["name"] == *key.2
        });
        let stored = items.next().unwrap();
        assert!(has_all(stored, &wanted), "{key:?}: {stored}");
        // All that Helm adds, beside the API server's own.
        let labels = stored["metadata"]["labels"].as_object().unwrap();
        let ours = wanted["metadata"]["labels"].as_object().unwrap();
        let is_known =
            |key: &&String| ours.contains_key(*key) || *key == "kubernetes.io/metadata.name";
        let added: Vec<_> = labels.keys().filter(|key| !is_known(key)).collect();
        assert_eq!(added, ["app.kubernetes.io/managed-by"], "{key:?}");
    }
}

#[track_caller]
fn assert_traced(cluster: &Cluster) {
    let create = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    let created = cluster
        .space("models")
        .kubectl_with(&model("m").to_string(), &create);
    assert!(is_traced(&created.json()));
}

/// All objects that have our name in theirs, but Events.
fn left(cluster: &Cluster) -> Vec<String> {
    let kinds = run(cluster, "kubectl api-resources --verbs=list -o name");
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| !kind.starts_with("events"))
        .collect();
    let all = run(
        cluster,
        &format!(
            "kubectl get {} --all-namespaces -o name --ignore-not-found",
            kinds.join(",")
        ),
    );
    let mut found: Vec<_> = all
        .lines()
        .filter(|it| it.contains("seldon-tracing"))
        .map(str::to_owned)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn upgrade_and_rollback_keep_the_certificates_and_uninstall_leaves_what_it_says(cluster: &Cluster) {
    let port = || get(cluster.plane(), "configmap", CONFIG)["data"]["config.yaml"].to_string();
    assert_live(cluster, NAMESPACE);
    let notes = run(
        cluster,
        &format!("helm get notes {NAME} --namespace {NAMESPACE}"),
    );
    let named = "the Secrets seldon-tracing-ca and seldon-tracing-tls";
    for expected in [
        named,
        commands("helm test").trim(),
        "kubectl annotate sdep NAME tracing=true",
        "--set collector.enabled=true",
    ] {
        assert!(notes.contains(expected), "{expected}: {notes}");
    }
    // What the notes give to a namespace that Helm has made.
    let label = notes
        .lines()
        .find(|line| line.contains("kubectl label namespace"));
    run(cluster, &format!("{} --overwrite", label.unwrap()));

    let trusted = bundles(cluster.plane());
    assert!(trusted.iter().all(Option::is_some));
    assert!(port().contains("agentPort: 5775"));
    run(cluster, &commands("helm upgrade"));
    assert!(port().contains("agentPort: 6831"));
    let all = "--set guard.enabled=true,collector.enabled=true,dashboard.enabled=true,hostNetwork=true,port=10260,failurePolicy=Fail";
    run(
        cluster,
        &format!("helm upgrade {NAME} manifests/chart -n {NAMESPACE} {all}"),
    );
    assert_live(cluster, NAMESPACE);
    assert_eq!(bundles(cluster.plane()), trusted);
    run(cluster, &format!("helm rollback {NAME} 1 -n {NAMESPACE}"));
    assert!(port().contains("agentPort: 5775"));
    assert_live(cluster, NAMESPACE);
    assert_eq!(bundles(cluster.plane()), trusted);
    assert_traced(cluster);

    let uninstall = commands("helm uninstall");
    let (helm, rest) = uninstall.split_once('\n').unwrap();
    run(cluster, helm);
    // The namespace of the collector was the release's.
    until("what is deleted is gone", || left(cluster).len() == 3);
    let expected = [
        "namespace/seldon-tracing",
        "secret/seldon-tracing-ca",
        "secret/seldon-tracing-tls",
    ];
    assert_eq!(left(cluster), expected, "as the notes say: {named}");
    run(cluster, rest);
}

/// Where a test runs alone, the cluster has what was installed at first.
fn remove_first(cluster: &Cluster) {
    let first = format!("helm uninstall {NAME} -n {NAMESPACE} --ignore-not-found --wait");
    run(cluster, &first);
    cluster
        .kubectl(&["delete", "namespace", NAMESPACE, "--ignore-not-found"])
        .ok();
}

/// A kubeconfig with the rights of the controller there.
fn account(cluster: &Cluster, namespace: &str) -> std::path::PathBuf {
    let create = ["create", "token", controller::ACCOUNT, "-n", namespace];
    let token = cluster.kubectl(&create).ok();
    let text = fs::read_to_string(cluster.plane().kubeconfig()).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["users"][0]["user"] = json!({"token": token.trim()});
    let file = cluster.plane().file("elsewhere.kubeconfig");
    fs::write(&file, config.to_string()).unwrap();
    file
}

/// A package of the version before. The first one has no predecessor: one is made that has another default and lacks an object.
fn previous_version(cluster: &Cluster) -> std::path::PathBuf {
    let copy = cluster.installation().shell.file("previous");
    let make = format!(
        "cp -r {} {} && cd {1} && rm templates/pod-disruption-budget.yaml && sed -i 's/^replicas: 2/replicas: 3/' values.yaml && helm package . --version 0.0.9 --app-version 0.0.9",
        chart().display(),
        copy.display(),
    );
    run(cluster, &make);
    copy.join(format!("{NAME}-0.0.9.tgz"))
}

/// `check` sees what is missing here, pods, and nothing else of the namespace.
fn assert_only_pods_are_missing(cluster: &Cluster) {
    let check = "seldon-tracing check --tracing-namespace elsewhere -o json || true";
    let said: Value = serde_json::from_str(&run(cluster, check)).unwrap();
    let checks = said["checks"].as_array().unwrap();
    for (name, result) in [
        ("namespace", "good"),
        ("config", "good"),
        ("calls", "good"),
        ("pods", "wrong"),
    ] {
        let check = checks.iter().find(|it| it["check"] == name).unwrap();
        assert_eq!(check["result"], result, "{check}");
    }
}

fn has_budget(cluster: &Cluster, namespace: &str) -> bool {
    let get = ["get", "pdb", NAME, "-n", namespace, "--ignore-not-found"];
    !cluster.kubectl(&get).ok().is_empty()
}

fn the_previous_version_is_upgraded_in_a_namespace_of_another_name(cluster: &Cluster) {
    const ELSEWHERE: &str = "elsewhere";
    let secret = |name: &str| {
        let get = ["get", "secret", name, "-n", ELSEWHERE, "-o", "json"];
        let got = cluster.kubectl(&get);
        (got.code == Some(0)).then(|| got.json())
    };
    let budget = || has_budget(cluster, ELSEWHERE);
    remove_first(cluster);
    let package = previous_version(cluster);
    let install = format!(
        "helm install {NAME} {} -n {ELSEWHERE} --create-namespace",
        package.display()
    );
    run(cluster, &install);
    assert!(!budget());
    let kubeconfig = account(cluster, ELSEWHERE);
    let flags = ["--tracing-namespace=elsewhere"];
    let process = controller::start_with(cluster.plane(), kubeconfig, &flags);
    let process = cluster.block_on(process);
    until("there is a certificate, which is trusted", || {
        secret(SECRET).is_some() && bundles(cluster.plane()).iter().all(Option::is_some)
    });
    let chain = part(&secret(SECRET).unwrap(), "tls.crt");
    let leaf = read_certificates(chain.as_bytes()).unwrap().remove(0);
    assert!(
        leaf.dns
            .contains(&"seldon-tracing.elsewhere.svc".to_owned())
    );
    let trusted = bundles(cluster.plane());

    assert_only_pods_are_missing(cluster);
    let replicas = || {
        let get = ["get", "deployment", NAME, "-n", ELSEWHERE, "-o", "json"];
        cluster.kubectl(&get).json()["spec"]["replicas"].clone()
    };
    assert_eq!(replicas(), 3);
    run(
        cluster,
        &format!("helm upgrade {NAME} manifests/chart -n {ELSEWHERE}"),
    );
    assert_live(cluster, ELSEWHERE);
    assert!(budget() && replicas() == 2);
    run(cluster, &format!("helm rollback {NAME} -n {ELSEWHERE}"));
    assert!(!budget() && replicas() == 3);
    assert_eq!(bundles(cluster.plane()), trusted);
    drop(process);
    run(
        cluster,
        &format!("helm uninstall {NAME} -n {ELSEWHERE} --wait"),
    );
    // What the controller has made. Nobody here empties a namespace that is deleted, so it is there twice.
    let expected = ["secret/seldon-tracing-ca", "secret/seldon-tracing-tls"];
    until("nothing else is left", || left(cluster) == expected);
}

fn the_notes_say_how_to_bring_a_certificate_of_your_own(cluster: &Cluster) {
    const SPACE: &str = "own";
    const FOLDER: &str = "certs/own";
    remove_first(cluster);
    // Of the agent they say what is built in.
    let set = "certificates.mode=external,config.defaults.agentHost=null";
    run(
        cluster,
        &format!("helm install {NAME} manifests/chart -n {SPACE} --create-namespace --set {set}"),
    );
    assert_live(cluster, SPACE);
    let notes = run(cluster, &format!("helm get notes {NAME} -n {SPACE}"));
    assert!(
        notes.contains("spans go: status.hostIP, port 5775/udp"),
        "{notes}"
    );
    let name = format!("seldon-tracing.{SPACE}.svc");
    assert!(
        notes.contains(&format!("a certificate for {name}:")),
        "{notes}"
    );

    run(
        cluster,
        &format!("seldon-tracing certs new --dir {FOLDER} --dns {name}"),
    );
    let follow = |command: &str| run(cluster, &format!("cd {FOLDER}\n{command}"));
    // A command is indented by two, and goes on after a backslash.
    let command = |start: &str| {
        let (_, rest) = notes.split_once(&format!("\n  {start}")).unwrap();
        let rest = format!("{start}{rest}").replace("\\\n", " ");
        rest.lines().next().unwrap().to_owned()
    };
    follow(&command("kubectl create secret tls"));
    let patch = command("printf");
    assert_eq!(patch.matches("]' 0 ").count(), 1, "{patch}");
    assert!(
        notes.contains("and the same with 1 instead of 0"),
        "{notes}"
    );
    assert_eq!(bundles(cluster.plane()), [None, None]);
    follow(&patch);
    follow(&patch.replace("]' 0 ", "]' 1 "));

    let ca = follow("cat ca.crt");
    assert_eq!(bundles(cluster.plane()), [Some(ca.clone()), Some(ca)]);
    let get = ["get", "secret", SECRET, "-n", SPACE, "-o", "json"];
    let secret = || cluster.kubectl(&get).json();
    let chain = part(&secret(), "tls.crt");
    assert_eq!(chain, follow("cat tls.crt"));
    let leaf = read_certificates(chain.as_bytes()).unwrap().remove(0);
    assert!(leaf.dns.contains(&name));

    assert!(notes.contains("and the Secret seldon-tracing-tls, so that"));
    let uninstall = format!("helm uninstall {NAME} -n {SPACE} --wait");
    run(cluster, &uninstall);
    assert_eq!(part(&secret(), "tls.crt"), chain);
}
