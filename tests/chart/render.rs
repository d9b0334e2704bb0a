//! What the chart renders is what the folders of `manifests/` hold, object by object.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::helm::{Helm, KUBERNETES, NAMESPACE, Objects, chart, find, is_hook, objects};
use crate::support::fixtures::{documents, root};

tests![
    every_way_to_make_certificates_renders_its_folder,
    the_options_render_their_folders,
    a_second_time_renders_the_same_bytes,
    it_has_no_mistake_that_lint_finds,
    another_namespace_is_in_every_name_that_depends_on_it,
    the_test_leaves_nothing_and_may_do_little,
    the_chart_of_a_release_installs_its_image,
];

/// What kustomize makes of a folder. The namespace is not the chart's: Helm or the admin makes it.
#[track_caller]
fn kustomized(folder: &str) -> Objects {
    let kustomize = find("kustomize").expect("kustomize is beside Helm");
    let folder = root().join("manifests").join(folder);
    let output = Command::new(kustomize).arg("build").arg(folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut objects = objects(&String::from_utf8(output.stdout).unwrap());
    objects.remove(&key("Namespace", "", NAMESPACE));
    objects
}

fn key(kind: &str, namespace: &str, name: &str) -> (String, String, String) {
    [kind, namespace, name].map(str::to_owned).into()
}

/// The config file is read by us: its comments make no difference.
fn parse_config(objects: &mut Objects) {
    let map = &mut objects
        .get_mut(&key("ConfigMap", NAMESPACE, "seldon-tracing-config"))
        .unwrap()["data"]["config.yaml"];
    *map = documents(map.as_str().unwrap()).remove(0);
}

#[track_caller]
fn assert_same(kustomized: &Objects, rendered: &Objects) {
    let keys = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(rendered), keys(kustomized));
    for (key, object) in kustomized {
        assert_eq!(&rendered[key], object, "{key:?}");
    }
}

fn every_way_to_make_certificates_renders_its_folder(helm: &Helm) {
    for (folder, values) in [
        ("default", ""),
        ("cert-manager", "certificates: {mode: cert-manager}"),
        ("external", "certificates: {mode: external}"),
    ] {
        let (mut kustomized, mut rendered) = (kustomized(folder), helm.objects(values));
        assert!(kustomized.len() > 10, "{folder}");
        parse_config(&mut kustomized);
        parse_config(&mut rendered);
        assert_same(&kustomized, &rendered);
    }
}

fn the_options_render_their_folders(helm: &Helm) {
    let plain = helm.objects("");
    let added = |values: &str| {
        let mut all = helm.objects(values);
        all.retain(|key, _| !plain.contains_key(key));
        all
    };
    let guard = kustomized("guard");
    assert_eq!(guard.len(), 2);
    assert_same(&guard, &added("guard: {enabled: true}"));

    if root().join("manifests/monitoring").is_dir() {
        let monitoring = kustomized("monitoring");
        assert_eq!(monitoring.len(), 4);
        let all = "{serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}";
        assert_same(&monitoring, &added(all));
    }

    let mut rendered = added("collector: {enabled: true}");
    let daemon = rendered
        .values_mut()
        .find(|it| it["kind"] == "DaemonSet")
        .unwrap();
    // The chart restarts collectors by this, and kustomize by a new name of the ConfigMap.
    let template = daemon["spec"]["template"]["metadata"].as_object_mut();
    let annotations = template.unwrap().remove("annotations").unwrap();
    assert_eq!(annotations["checksum/config"].as_str().unwrap().len(), 64);
    let collector = kustomized("collector");
    assert_eq!(collector.len(), 6);
    let mut maps = collector.keys().filter(|key| key.0 == "ConfigMap");
    let hashed = maps.next().unwrap().2.clone();
    let text = serde_json::to_string(&collector.into_values().collect::<Vec<_>>()).unwrap();
    let text = text.replace(&hashed, "seldon-tracing-collector");
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    let text: Vec<_> = list.iter().map(Value::to_string).collect();
    assert_same(&objects(&text.join("\n---\n")), &rendered);
}

fn a_second_time_renders_the_same_bytes(helm: &Helm) {
    for values in ["", crate::values::ALL] {
        let first = helm.template(values).ok();
        assert_eq!(first, helm.template(values).ok());
        assert!(first.contains("MutatingWebhookConfiguration"));
        assert!(!first.contains("caBundle"), "the controller writes it");
    }
}

fn it_has_no_mistake_that_lint_finds(helm: &Helm) {
    let said = helm.lint(&chart()).ok();
    assert!(said.contains("0 chart(s) failed"), "{said}");
    assert!(!said.contains("WARNING"), "{said}");
}

fn another_namespace_is_in_every_name_that_depends_on_it(helm: &Helm) {
    let render = |mode: &str| {
        let values = format!("{}\ncertificates: {{mode: {mode}}}", crate::values::ALL);
        helm.template_in("elsewhere", &values).ok()
    };
    let text = render("cert-manager");
    for expected in [
        "seldon-tracing.elsewhere.svc.cluster.local",
        "cert-manager.io/inject-ca-from: elsewhere/seldon-tracing-ca",
        "service: {namespace: elsewhere, name: seldon-tracing,",
        "kube-node-lease, elsewhere]",
        "--tracing-namespace=elsewhere",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    for text in [text, render("self")] {
        for (key, object) in objects(&text) {
            let collector = key.2 == "seldon-tracing-collector";
            let of_model = key.2 == "seldon-tracing-test-model";
            assert!(
                collector || of_model || ["", "elsewhere"].contains(&key.1.as_str()),
                "{key:?}"
            );
            let subjects = object["subjects"].as_array().into_iter().flatten();
            for subject in subjects {
                assert_eq!(subject["namespace"], "elsewhere", "{key:?}");
            }
        }
    }
}

fn the_test_leaves_nothing_and_may_do_little(helm: &Helm) {
    let mut objects = objects(&helm.template("").ok());
    objects.retain(|_, object| is_hook(object));
    let mut kinds: Vec<_> = objects.keys().map(|key| key.0.as_str()).collect();
    kinds.sort_unstable();
    let expected = [
        "ClusterRole",
        "ClusterRoleBinding",
        "Pod",
        "Role",
        "Role",
        "RoleBinding",
        "RoleBinding",
        "ServiceAccount",
    ];
    assert_eq!(kinds, expected);
    for (key, object) in &objects {
        let annotations = &object["metadata"]["annotations"];
        assert_eq!(annotations["helm.sh/hook"], "test", "{key:?}");
        // Rights are gone when the test has ended; the log of one that failed is not.
        assert_eq!(
            annotations["helm.sh/hook-delete-policy"],
            "before-hook-creation,hook-succeeded"
        );
        let weight = if key.0 == "Pod" { "0" } else { "-1" };
        assert_eq!(annotations["helm.sh/hook-weight"], weight, "{key:?}");
        for rule in object["rules"].as_array().into_iter().flatten() {
            let text = rule.to_string();
            assert!(!text.contains('*') && !text.contains("secrets"), "{text}");
            let verbs = rule["verbs"].as_array().unwrap();
            let writes = verbs.contains(&json!("create"));
            let may_write = text.contains("seldondeployments") || text.contains("portforward");
            assert!(!writes || (may_write && key.0 == "Role"), "{text}");
        }
    }
}

fn the_chart_of_a_release_installs_its_image(helm: &Helm) {
    let workflow = root().join(".github/workflows/release.yml");
    let workflow = fs::read_to_string(workflow).unwrap();
    assert!(workflow.contains(r#"release/chart "$IMAGE" dist"#));
    assert!(workflow.contains(r#"imagetools create --tag "$IMAGE:$VERSION""#));

    let folder = tempdir().unwrap();
    symlink(&helm.program, folder.path().join("helm")).unwrap();
    let path = env::var("PATH").unwrap();
    let made = Command::new(root().join("release/chart"))
        .arg("r.example/owner/name")
        .arg(folder.path())
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let version = env!("CARGO_PKG_VERSION");
    let package = folder.path().join(format!("seldon-tracing-{version}.tgz"));
    let package = package.to_str().unwrap();
    let values = helm.values(crate::values::ALL);
    let all = ["--values", values.to_str().unwrap()];
    let template = ["template", "seldon-tracing", package, KUBERNETES];
    let rendered = helm.run(&[&template[..], &all, &["-n", NAMESPACE]].concat());
    let rendered = rendered.ok();
    let image = "image: {repository: r.example/owner/name}";
    let expected = format!("{}{image}", crate::values::ALL);
    assert_eq!(rendered, helm.template(&expected).ok());
    let image = format!(r#"image: "r.example/owner/name:{version}""#);
    assert_eq!(
        rendered.matches(&image).count(),
        3,
        "webhook, controller and test"
    );
    let readme = helm.run(&["show", "readme", package]).ok();
    assert!(readme.contains(r#"| `image.repository` | `"r.example/owner/name"` |"#));
}
