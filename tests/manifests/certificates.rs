//! The certificate: the chain of cert-manager, or one that the admin brings.

use std::fs;
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Parser;
use seldon_tracing::cli::{self, Cli};
use serde_json::{Value, json};

use crate::deployment::pod;
use crate::files::{self, folder, kustomization, objects, texts, the};
use crate::webhook::entries;

#[track_caller]
fn named(kind: &str, name: &str) -> Value {
    let all = objects("cert-manager");
    let found = all
        .into_iter()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The name that the API server dials.
fn dialled() -> String {
    let service = entries()[0]["clientConfig"]["service"].clone();
    let part = |key: &str| service[key].as_str().unwrap().to_owned();
    format!("{}.{}.svc", part("name"), part("namespace"))
}

fn mounted() -> Vec<String> {
    let volumes = pod().volumes.unwrap();
    let secrets = volumes
        .into_iter()
        .filter_map(|volume| volume.secret?.secret_name);
    secrets.collect()
}

fn hours(duration: &Value) -> u32 {
    let text = duration.as_str().unwrap();
    text.strip_suffix('h').unwrap().parse().unwrap()
}

#[test]
fn the_leaf_has_the_dialled_name_and_is_what_the_pods_mount() {
    let leaf = named("Certificate", "seldon-tracing-tls")["spec"].clone();
    let name = dialled();
    assert_eq!(
        leaf["dnsNames"],
        json!([name, format!("{name}.cluster.local")])
    );
    assert_eq!(mounted(), [leaf["secretName"].as_str().unwrap()]);
    assert!(texts(&leaf["usages"]).contains(&"server auth"));
    assert_eq!(leaf.get("isCA"), None);
    let key = json!({"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"});
    assert_eq!(leaf["privateKey"], key);
    let (before, duration) = (hours(&leaf["renewBefore"]), hours(&leaf["duration"]));
    assert!(
        before >= 7 * 24 && before * 2 < duration,
        "{before} of {duration}"
    );
}

#[test]
fn the_root_outlives_its_leaves_keeps_its_key_and_is_what_the_api_server_trusts() {
    let leaf = named("Certificate", "seldon-tracing-tls")["spec"].clone();
    let issuer = |of: &Value| {
        assert_eq!(of["issuerRef"]["kind"], "Issuer");
        named("Issuer", of["issuerRef"]["name"].as_str().unwrap())["spec"].clone()
    };
    let signer = issuer(&leaf);
    let root = named("Certificate", "seldon-tracing-ca");
    let (metadata, root) = (&root["metadata"], &root["spec"]);
    assert_eq!(signer, json!({"ca": {"secretName": root["secretName"]}}));
    assert_eq!(issuer(root), json!({"selfSigned": {}}));
    assert_eq!(root["isCA"], true);
    assert!(hours(&root["duration"]) >= 10 * 365 * 24);
    let key = json!({"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"});
    assert_eq!(root["privateKey"], key);
    assert!(!mounted().contains(&root["secretName"].as_str().unwrap().to_owned()));
    let patches = kustomization("cert-manager")["patches"].clone();
    let [controller, trust]: &[Value; 2] = patches.as_array().unwrap()[..].try_into().unwrap();
    // Two programs would fight over the certificate.
    assert!(controller.to_string().contains("--certificates=false"));
    assert_eq!(kustomization("external")["patches"], json!([controller]));
    let patch = files::documents(trust["patch"].as_str().unwrap()).remove(0);
    let configuration = the("MutatingWebhookConfiguration");
    let trusted = format!(
        "{}/{}",
        text(&metadata["namespace"]),
        text(&metadata["name"])
    );
    let expected = json!({
        "apiVersion": configuration["apiVersion"],
        "kind": configuration["kind"],
        "metadata": {
            "name": configuration["metadata"]["name"],
            "annotations": {"cert-manager.io/inject-ca-from": trusted},
        },
    });
    assert_eq!(patch, expected);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What the script of `external` makes of a file.
fn ca_bundle(pem: &str) -> std::process::Output {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("ca.crt");
    fs::write(&file, pem).unwrap();
    let script = folder("external").join("ca-bundle.sh");
    Command::new(script).arg(&file).output().unwrap()
}

#[test]
fn the_patch_of_a_ca_names_every_entry_and_has_nothing_but_ca_bundle() {
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".repeat(3);
    let output = ca_bundle(&pem);
    assert!(output.status.success(), "{output:?}");
    let patch = files::documents(&String::from_utf8(output.stdout).unwrap()).remove(0);
    let bundle = BASE64_STANDARD.encode(&pem);
    let expected: Vec<_> = entries()
        .iter()
        .map(|entry| json!({"name": entry["name"], "clientConfig": {"caBundle": bundle}}))
        .collect();
    assert_eq!(patch, json!({"webhooks": expected}));
    let empty = ca_bundle("");
    assert_eq!(empty.status.code(), Some(2));
    assert_eq!(empty.stdout, b"");
}

/// The blocks of commands that need a cluster.
fn for_a_cluster(page: &str) -> String {
    let text = files::text(page);
    let blocks = text.split("```bash\n").skip(1);
    blocks
        .filter_map(|block| block.split("```").next())
        .collect()
}

#[test]
fn the_commands_for_a_certificate_of_ones_own_are_commands_of_the_binary_and_fit_the_manifests() {
    let page = ["docs/install.md", "manifests/external/README.md"].map(for_a_cluster);
    let page = page.concat().replace("\\\n", " ");
    let lines = |start: &'static str| {
        let found: Vec<_> = page
            .lines()
            .filter(move |line| line.starts_with(start))
            .map(str::to_owned)
            .collect();
        assert_eq!(found.len(), 2, "{start}");
        found
    };
    for line in lines("seldon-tracing certs new ") {
        let parsed = Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
        let cli::Command::Certs(cli::CertsCommand::New { dns, .. }) = parsed.command else {
            panic!("{line}");
        };
        assert_eq!(dns, [dialled()]);
    }
    let namespace = the("Namespace")["metadata"]["name"].clone();
    let secret = format!(
        "kubectl create secret tls {} --namespace {} ",
        mounted()[0],
        text(&namespace)
    );
    for line in lines("kubectl create secret ") {
        assert!(line.starts_with(&secret), "{line}");
    }
    for line in page.lines().filter(|line| line.contains("kubectl patch ")) {
        let name = the("MutatingWebhookConfiguration")["metadata"]["name"].clone();
        let patched = format!(
            "kubectl patch mutatingwebhookconfiguration {} ",
            text(&name)
        );
        assert!(line.contains(&patched), "{line}");
        assert!(
            line.starts_with("manifests/external/ca-bundle.sh certs/"),
            "{line}"
        );
    }
}
