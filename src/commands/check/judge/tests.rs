//! An installation from our manifests is good, and each way to break it is told in the right line.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::cluster::ask::Asked;
use crate::cluster::failure::{Failure, Why};
use crate::commands::check::item::Verdict::{self, Good, NotChecked, Warning, Wrong};
use crate::commands::check::seen::{Nodes, Served, Trial};
use crate::manifest::tree::Tree;
use crate::pki::{Authority, Names, Purpose};

const NAME: &str = "seldon-tracing.seldon-tracing.svc";

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
}

static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::new(None, now(), time::Duration::days(3650)).unwrap());

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/base");
    fs::read_to_string(path.join(name)).unwrap()
}

fn manifest(name: &str) -> Value {
    Tree::yaml(&file(name)).unwrap().to_value().unwrap()
}

fn failed<T>(why: Why) -> Asked<T> {
    Err(Failure::new("get this", why, "admission webhook said no"))
}

fn absent<T>() -> Asked<T> {
    failed(Why::NotFound)
}

fn bundle(authority: &Authority) -> String {
    STANDARD.encode(authority.certificate())
}

fn chain(name: &str, days: u32) -> Served {
    let names = Names {
        dns: vec![name.to_owned()],
        ip: vec![],
    };
    let pair = AUTHORITY.issue(
        &names,
        Purpose::Server,
        now(),
        time::Duration::days(days.into()),
    );
    let pem = pair.unwrap().chain;
    let ders = CertificateDer::pem_slice_iter(pem.as_bytes());
    Served::Chain(ders.map(|der| der.unwrap().to_vec()).collect())
}

fn pod() -> Value {
    let template = manifest("deployment.yaml")["spec"]["template"].clone();
    let mut spec = template["spec"].clone();
    spec["containers"][0]["image"] = json!(concat!("a.b:5000/x:", env!("CARGO_PKG_VERSION")));
    json!({
        "metadata": {"name": "pod-a", "labels": template["metadata"]["labels"]},
        "spec": spec,
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// A pod of a model, or of a receiver.
fn other(node: &str, labels: &Value, host_port: u16, protocol: &str, ready: &str) -> Value {
    let port = json!({"containerPort": 1, "hostPort": host_port, "protocol": protocol});
    json!({
        "metadata": {"name": "x", "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "c", "ports": [port]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    })
}

fn nodes(pods: &[Value]) -> Nodes {
    let mut nodes = Nodes::default();
    for pod in pods {
        nodes.add(pod);
    }
    nodes
}

fn model_on(node: &str) -> Value {
    other(node, &json!({"seldon-app": "x"}), 9000, "TCP", "True")
}

fn receiver_on(node: &str) -> Value {
    other(node, &json!({}), 5775, "UDP", "True")
}

/// What a sound installation looks like.
fn good() -> Seen {
    let mut deployment = manifest("deployment.yaml");
    deployment["status"] = json!({"readyReplicas": 2});
    deployment["spec"]["template"]["spec"] = pod()["spec"].clone();
    let mut configuration = manifest("webhook.yaml");
    for entry in configuration["webhooks"].as_array_mut().unwrap() {
        entry["clientConfig"]["caBundle"] = json!(bundle(&AUTHORITY));
    }
    let slice = json!({"endpoints": [
        {"addresses": ["10.0.0.1"], "conditions": {"ready": true}},
        {"addresses": ["10.0.0.2"], "conditions": {}},
        {"addresses": ["10.0.0.3"], "conditions": {"ready": false}},
    ]});
    let seldons = json!({"metadata": {"name": "seldon-mutating"}, "webhooks": [{
        "name": "v1.mseldondeployment.kb.io",
        "rules": configuration["webhooks"][0]["rules"],
        "clientConfig": {"service": {"namespace": "seldon-system", "name": "seldon-webhook-service"}},
    }]});
    Seen {
        ours: "seldon-tracing".to_owned(),
        now: now() + Duration::HOUR,
        api_server: json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}),
        seldon: Ok(json!({"resources": [{"name": "seldondeployments"}]})),
        namespace: Ok(manifest("namespace.yaml")),
        config_map: Ok(json!({"data": {"config.yaml": file("config.yaml")}})),
        deployment: Ok(deployment),
        controller: absent(),
        pods: Ok(vec![pod()]),
        service: Ok(manifest("service.yaml")),
        slices: Ok(vec![json!({"endpoints": null}), slice]),
        configuration: Ok(configuration.clone()),
        configurations: Ok(vec![configuration, seldons]),
        served: vec![("pod-a".to_owned(), chain(NAME, 90))],
        namespaces: Ok(vec![]),
        trial: Trial {
            namespace: "default".to_owned(),
            around: Ok(json!({"metadata": {"name": "default"}})),
            created: Ok(json!({"metadata": {"annotations": {"tracing.seldon.io/injected": "{}"}}})),
        },
        nodes: Ok(nodes(&[model_on("node-a"), receiver_on("node-a")])),
    }
}

/// The checks that came to anything but good, apart from the one of the controller, which is not installed.
fn remarkable(checks: &[Check]) -> Vec<(Item, Verdict)> {
    let checks = checks.iter().map(|it| (it.item, it.finding.verdict));
    checks
        .filter(|it| it.1 != Good && *it != (Item::Controller, NotChecked))
        .collect()
}

/// Changes what is seen, and says what is remarkable then.
#[track_caller]
fn broken(change: impl FnOnce(&mut Seen), expected: &[(Item, Verdict)]) -> Vec<Check> {
    let mut seen = good();
    change(&mut seen);
    let checks = judge(&seen);
    assert_eq!(remarkable(&checks), expected, "{checks:#?}");
    for check in &checks {
        // What is wrong says what to do.
        let has_advice = !check.finding.advice.is_empty();
        let needs_advice = matches!(check.finding.verdict, Wrong | Warning);
        assert_eq!(has_advice, needs_advice, "{check:?}");
    }
    checks
}

fn text(checks: &[Check], item: Item) -> &str {
    let check = checks.iter().find(|it| it.item == item);
    &check.unwrap().finding.text
}

/// The first entry of the configuration.
fn entry(seen: &mut Seen) -> &mut Value {
    &mut seen.configuration.as_mut().unwrap()["webhooks"][0]
}

fn config(seen: &mut Seen, text: &str) {
    seen.config_map = Ok(json!({"data": {"config.yaml": text}}));
}

#[test]
fn an_installation_from_the_manifests_is_good() {
    let checks = broken(|_| {}, &[]);
    assert_eq!(
        text(&checks, Item::Service),
        "the Service seldon-tracing has 2 ready endpoints"
    );
    broken(
        |seen| {
            seen.controller = Ok(json!({"spec": {"replicas": 1}, "status": {"readyReplicas": 1}}));
        },
        &[],
    );
}

#[test]
fn another_namespace_is_not_the_one_that_is_called() {
    let wrong = [(Item::Calls, Wrong), (Item::Certificate, Wrong)];
    let checks = broken(|seen| seen.ours = "elsewhere".to_owned(), &wrong);
    let said = text(&checks, Item::Calls);
    assert!(said.ends_with("not elsewhere/seldon-tracing"), "{said}");
}

#[test]
fn the_cluster() {
    let version = |minor: &str| json!({"major": "1", "minor": minor, "gitVersion": "v1.x"});
    broken(|seen| seen.api_server = version("30+"), &[]);
    let old = [(Item::ApiServer, Wrong)];
    broken(|seen| seen.api_server = version("29"), &old);
    let odd = [(Item::ApiServer, Warning)];
    broken(|seen| seen.api_server = version("x"), &odd);
    let no_seldon = [(Item::Seldon, Wrong), (Item::DryRun, NotChecked)];
    broken(|seen| seen.seldon = absent(), &no_seldon);
    let others = json!({"resources": [{"name": "others"}]});
    broken(|seen| seen.seldon = Ok(others), &[(Item::Seldon, Wrong)]);
}

#[test]
fn nothing_is_installed() {
    broken(
        |seen| {
            seen.namespace = absent();
            seen.config_map = absent();
            seen.deployment = absent();
            seen.pods = Ok(vec![]);
            seen.service = absent();
            seen.slices = Ok(vec![]);
            seen.configuration = absent();
            seen.configurations = Ok(vec![]);
            seen.served = vec![];
            seen.trial.created = Ok(json!({"metadata": {}}));
        },
        &[
            (Item::Namespace, Wrong),
            (Item::Config, NotChecked),
            (Item::Pods, NotChecked),
            (Item::Version, NotChecked),
            (Item::Service, NotChecked),
            (Item::Entries, Wrong),
            (Item::Calls, NotChecked),
            (Item::Trigger, NotChecked),
            (Item::FailurePolicy, NotChecked),
            (Item::CaBundle, NotChecked),
            (Item::Certificate, NotChecked),
            (Item::Expiry, NotChecked),
            (Item::DryRun, Wrong),
            (Item::Receivers, NotChecked),
        ],
    );
}

#[test]
fn the_config() {
    let unknown = [
        (Item::Config, Wrong),
        (Item::Trigger, NotChecked),
        (Item::Receivers, NotChecked),
    ];
    let checks = broken(|seen| config(seen, "triger: x\ndefaults: 3\n"), &unknown);
    assert!(text(&checks, Item::Config).contains("and 1 problem more"));
    broken(|seen| seen.config_map = Ok(json!({})), &unknown);
    broken(|seen| seen.config_map = absent(), &unknown);
    let other = [(Item::Trigger, Wrong)];
    broken(|seen| config(seen, "trigger: spans\n"), &other);
    // Without conditions, all are sent.
    broken(
        |seen| {
            config(seen, "trigger: spans\n");
            let configuration = seen.configuration.as_mut().unwrap();
            for entry in configuration["webhooks"].as_array_mut().unwrap() {
                entry["matchConditions"] = Value::Null;
            }
        },
        &[],
    );
}

#[test]
fn the_pods() {
    let with = |ready: u32, wanted: u32| {
        let mut deployment = manifest("deployment.yaml");
        deployment["status"] = json!({"readyReplicas": ready});
        deployment["spec"]["replicas"] = json!(wanted);
        deployment["spec"]["template"]["spec"] = pod()["spec"].clone();
        Ok(deployment)
    };
    let none = [(Item::Pods, Wrong)];
    let checks = broken(
        |seen| {
            let mut pod = pod();
            pod["status"] = json!({"phase": "Pending", "containerStatuses": [
                {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
            ]});
            seen.pods = Ok(vec![pod]);
            seen.deployment = with(0, 2);
        },
        &none,
    );
    assert!(text(&checks, Item::Pods).ends_with("(pod-a: ImagePullBackOff)"));
    broken(|seen| seen.deployment = with(0, 0), &none);
    broken(
        |seen| seen.deployment = with(1, 2),
        &[(Item::Pods, Warning)],
    );
    let both = [(Item::Pods, Wrong), (Item::Version, Wrong)];
    broken(|seen| seen.deployment = absent(), &both);
    broken(
        |seen| seen.controller = Ok(json!({"spec": {"replicas": 1}})),
        &[(Item::Controller, Wrong)],
    );
    for (change, verdict) in [
        (json!({"image": "x:9.9.9"}), Warning),
        (json!({"image": "x@sha256:abc"}), NotChecked),
    ] {
        let pod_of = |mut pod: Value| {
            pod["spec"]["containers"][0]["image"] = change["image"].clone();
            Ok(vec![pod])
        };
        broken(
            |seen| seen.pods = pod_of(pod()),
            &[(Item::Version, verdict)],
        );
        // A label says it better.
        let mut labelled = pod();
        labelled["metadata"]["labels"]["app.kubernetes.io/version"] =
            json!(env!("CARGO_PKG_VERSION"));
        broken(|seen| seen.pods = pod_of(labelled), &[]);
    }
}

#[test]
fn the_service() {
    let wrong = [(Item::Service, Wrong)];
    let checks = broken(|seen| seen.slices = Ok(vec![]), &wrong);
    assert!(text(&checks, Item::Service).contains("no ready endpoint"));
    let checks = broken(
        |seen| {
            seen.slices = Ok(vec![]);
            let mut service = manifest("service.yaml");
            service["spec"]["selector"]["app.kubernetes.io/component"] = json!("other");
            seen.service = Ok(service);
        },
        &wrong,
    );
    assert!(text(&checks, Item::Service).contains("does not fit the labels"));
    broken(|seen| seen.service = absent(), &wrong);
}

#[test]
fn the_configuration() {
    broken(
        |seen| {
            let configuration = seen.configuration.as_mut().unwrap();
            configuration["webhooks"].as_array_mut().unwrap().pop();
        },
        &[(Item::Entries, Wrong)],
    );
    let wrong = &[(Item::Calls, Wrong)][..];
    let policy = &[(Item::FailurePolicy, Warning)][..];
    for (pointer, value, expected) in [
        ("/clientConfig/service/name", json!("x"), wrong),
        ("/clientConfig/service/namespace", json!("x"), wrong),
        ("/clientConfig/service/path", json!("/x"), wrong),
        ("/clientConfig/service/port", json!(8443), wrong),
        ("/clientConfig/service", json!(null), wrong),
        ("/rules", json!([]), wrong),
        ("/rules/0/operations", json!(["CREATE"]), wrong),
        ("/rules/0/apiVersions", json!(["v1alpha2"]), wrong),
        ("/rules/0/apiGroups", json!([]), wrong),
        ("/rules/0/resources", json!(["pods"]), wrong),
        ("/rules/0/resources", json!(["*/*"]), &[]),
        ("/rules/0/operations", json!(["*"]), &[]),
        ("/failurePolicy", json!("Fail"), policy),
    ] {
        broken(
            |seen| *entry(seen).pointer_mut(pointer).unwrap() = value,
            expected,
        );
    }
    let old = |name: &str, service: &str| {
        let mut configuration = manifest("webhook.yaml");
        configuration["metadata"]["name"] = json!(name);
        configuration["webhooks"][0]["name"] = json!("a.b.c");
        configuration["webhooks"][0]["clientConfig"]["service"] =
            json!({"namespace": "x", "name": service});
        configuration["webhooks"].as_array_mut().unwrap().pop();
        Ok(vec![configuration])
    };
    let two = [(Item::OtherWebhooks, Warning)];
    broken(
        |seen| seen.configurations = old("a", "jaeger-injector"),
        &two,
    );
    broken(|seen| seen.configurations = old("tracing", "b"), &two);
    broken(|seen| seen.configurations = old("a", "b"), &[]);
}

#[test]
fn the_certificates() {
    let other = Authority::new(None, now(), time::Duration::days(100)).unwrap();
    let trusting = |bundle: String| {
        move |seen: &mut Seen| entry(seen)["clientConfig"]["caBundle"] = json!(bundle)
    };
    let both = [(Item::CaBundle, Wrong), (Item::Certificate, NotChecked)];
    broken(trusting(String::new()), &both);
    broken(trusting("?".to_owned()), &both);
    broken(trusting(STANDARD.encode("x")), &both);
    let checks = broken(trusting(bundle(&other)), &[(Item::Certificate, Wrong)]);
    assert!(text(&checks, Item::Certificate).contains("is not signed by a CA in caBundle"));
    let rotating = STANDARD.encode([other.certificate(), AUTHORITY.certificate()].concat());
    broken(trusting(rotating), &[]);

    let serving =
        |served: Served| move |seen: &mut Seen| seen.served.push(("pod-b".to_owned(), served));
    broken(
        serving(chain("localhost", 90)),
        &[(Item::Certificate, Wrong)],
    );
    let soon = |seen: &mut Seen| seen.now = now() + Duration::days(80);
    broken(soon, &[(Item::Expiry, Warning)]);
    // A short life is no reason to be alarmed.
    let after = |hours: i64| {
        move |seen: &mut Seen| {
            seen.served = vec![("pod-b".to_owned(), chain(NAME, 1))];
            seen.now = now() + Duration::hours(hours);
        }
    };
    broken(after(12), &[]);
    broken(after(20), &[(Item::Expiry, Warning)]);
    let ended = [(Item::Certificate, Wrong), (Item::Expiry, Wrong)];
    broken(after(25), &ended);
    broken(after(-2), &[(Item::CaBundle, Wrong), ended[0], ended[1]]);
    let no_tls = Served::NoTls("closed".to_owned());
    broken(serving(no_tls), &ended);
    broken(serving(Served::Forbidden), &[]);
    let unknown = ended.map(|(item, _)| (item, NotChecked));
    for served in [Served::Forbidden, Served::Unreachable("x".to_owned())] {
        broken(
            |seen| seen.served = vec![("pod-a".to_owned(), served)],
            &unknown,
        );
    }
    broken(|seen| seen.served.clear(), &unknown);
    let near = |seen: &mut Seen| seen.now = now() + Duration::days(3640);
    let soon = [(Item::CaBundle, Warning), ended[0], ended[1]];
    broken(near, &soon);
}

#[test]
fn models() {
    let wrong = [(Item::DryRun, Wrong)];
    let bare = json!({"metadata": {"annotations": {"tracing": "true"}}});
    broken(|seen| seen.trial.created = Ok(bare), &wrong);
    // Another webhook may deny with any code.
    for why in [
        Why::Refused,
        Why::Conflict,
        Why::Unauthorized,
        Why::Unreachable,
        Why::Unreadable,
    ] {
        let checks = broken(|seen| seen.trial.created = failed(why), &wrong);
        let said = text(&checks, Item::DryRun);
        assert!(
            said.starts_with("the dry run in") && said.ends_with("said no"),
            "{said}"
        );
    }
    broken(|seen| seen.trial.around = absent(), &wrong);
    let off = json!({"metadata": {"labels": {"tracing.seldon.io/disabled": "true"}}});
    broken(
        |seen| seen.trial.around = Ok(off),
        &[(Item::DryRun, Warning)],
    );
    let mine = [(Item::DryRun, NotChecked)];
    broken(|seen| seen.trial.created = failed(Why::Forbidden), &mine);

    let deaf = [(Item::Receivers, Warning)];
    let unknown = [(Item::Receivers, NotChecked)];
    let (model, receiver) = (model_on("b"), receiver_on("b"));
    let not_ready = other("b", &json!({}), 5775, "UDP", "False");
    let tcp = other("b", &json!({}), 5775, "TCP", "True");
    let elsewhere = receiver_on("a");
    for (pods, expected) in [
        (vec![model.clone()], &deaf[..]),
        (vec![model.clone(), elsewhere], &deaf),
        (vec![model.clone(), not_ready], &deaf),
        (vec![model.clone(), tcp], &deaf),
        (vec![receiver.clone()], &unknown),
        (vec![model.clone(), receiver.clone()], &[]),
    ] {
        broken(|seen| seen.nodes = Ok(nodes(&pods)), expected);
    }
    broken(|seen| config(seen, "defaults: {agentPort: 6831}"), &deaf);
    let far = "defaults: {agentHost: jaeger.monitoring}";
    broken(|seen| config(seen, far), &unknown);
}

/// A data scientist has no rights on any of these.
#[test]
fn what_may_not_be_read_is_not_checked_and_fails_nothing() {
    let mut seen = good();
    seen.namespace = failed(Why::Forbidden);
    seen.config_map = failed(Why::Forbidden);
    seen.deployment = failed(Why::Forbidden);
    seen.controller = failed(Why::Forbidden);
    seen.pods = failed(Why::Forbidden);
    seen.service = failed(Why::Forbidden);
    seen.slices = failed(Why::Forbidden);
    seen.configuration = failed(Why::Forbidden);
    seen.configurations = failed(Why::Forbidden);
    seen.namespaces = failed(Why::Forbidden);
    seen.trial.around = failed(Why::Forbidden);
    seen.nodes = failed(Why::Forbidden);
    seen.served.clear();
    let checks = judge(&seen);
    let good: Vec<_> = checks
        .iter()
        .filter(|it| it.finding.verdict != NotChecked)
        .map(|it| (it.item, it.finding.verdict))
        .collect();
    let left = [Item::ApiServer, Item::Seldon, Item::DryRun];
    assert_eq!(good, left.map(|item| (item, Good)));
    for item in [Item::Namespace, Item::Pods, Item::Calls, Item::CaBundle] {
        assert_eq!(text(&checks, item), "no permission to get this");
    }
}

/// A cluster that is ready for an installation.
fn ready() -> SeenBefore {
    SeenBefore {
        ours: "seldon-tracing".to_owned(),
        api_server: good().api_server,
        seldon: good().seldon,
        admission: Ok(json!({"resources": [{"name": "mutatingwebhookconfigurations"}]})),
        rights: Ok(vec![("secrets".to_owned(), true)]),
        namespace: absent(),
        configuration: absent(),
        configurations: Ok(vec![]),
    }
}

#[test]
fn before_the_installation() {
    type Change = fn(&mut SeenBefore);
    let cases: [(Change, &[(Item, Verdict)]); 8] = [
        (|_| {}, &[]),
        (|it| it.admission = absent(), &[(Item::AdmissionApi, Wrong)]),
        (
            |it| it.rights = Ok(vec![("secrets".to_owned(), false)]),
            &[(Item::Rights, Wrong)],
        ),
        (
            |it| it.namespace = Ok(json!({})),
            &[(Item::Leftovers, Warning)],
        ),
        (
            |it| it.configuration = Ok(json!({})),
            &[(Item::Leftovers, Warning)],
        ),
        (
            |it| it.namespace = failed(Why::Forbidden),
            &[(Item::Leftovers, NotChecked)],
        ),
        (|it| it.seldon = absent(), &[(Item::Seldon, Wrong)]),
        (
            |it| it.configurations = failed(Why::Forbidden),
            &[(Item::OtherWebhooks, NotChecked)],
        ),
    ];
    for (change, expected) in cases {
        let mut seen = ready();
        change(&mut seen);
        let checks = judge_before(&seen);
        assert_eq!(remarkable(&checks), expected, "{checks:#?}");
    }
}

#[test]
fn every_check_is_in_the_documentation_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/check.md");
    let page = fs::read_to_string(path).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented: Vec<_> = rows
        .filter_map(|row| Some(row.split_once('`')?.0))
        .collect();
    let checks = [judge(&good()), judge_before(&ready())].concat();
    let mut known: Vec<_> = checks.iter().map(|it| it.item.code()).collect();
    documented.sort_unstable();
    known.sort_unstable();
    known.dedup();
    assert_eq!(documented, known);
}
