//! An installation from our manifests is good, and each way to break it is told in the right line.

mod sound;
mod webhook;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use self::sound::*;
use super::*;
use crate::cluster::failure::Why;
use crate::commands::check::item::Verdict::{self, Good, NotChecked, Warning, Wrong};

/// The checks that came to anything but good, apart from the one of the controller, which is not installed.
fn remarkable(checks: &[Judged]) -> Vec<(Item, Verdict)> {
    let checks = checks.iter().map(|it| (it.item, it.finding.verdict));
    checks
        .filter(|it| it.1 != Good && *it != (Item::Controller, NotChecked))
        .collect()
}

/// Changes what is seen, and says what is remarkable then.
#[track_caller]
fn broken(change: impl FnOnce(&mut Seen), expected: &[(Item, Verdict)]) -> Vec<Judged> {
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

fn text(checks: &[Judged], item: Item) -> &str {
    let check = checks.iter().find(|it| it.item == item);
    &check.unwrap().finding.text
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
    assert!(text(&checks, Item::Config).contains("and 1 more problem"));
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
