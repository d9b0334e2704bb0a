//! The alerts of `manifests/monitoring`, by promtool: each fires when it should, and not before.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::Tool;
use crate::support::fixtures::{documents, folder, root};

tests![
    PROMTOOL: crate::Test;
    promtool_has_no_complaint_about_the_rules,
    every_alert_fires_when_it_should_and_not_before,
    an_alert_says_what_it_is_about,
];

/// Each case is well for half an hour, at one value a minute, and then is not.
const WELL: &str = "25m";
const ILL: &str = "55m";

/// The time from the last minute before it until then.
const SINCE: &str = "25m30s";

/// The name of an alert without its beginning, for how many minutes its reason lasts before it fires, and its series with their values. `_` is
/// a minute without a value.
type Case = (&'static str, u8, &'static [(&'static str, &'static str)]);

const OPEN: &str =
    r#"apiserver_admission_webhook_fail_open_count{name="inject.tracing.seldon.io"}"#;
const REFUSED: &str = r#"apiserver_admission_webhook_rejection_count{name="default-on.tracing.seldon.io", error_type="calling_webhook_error"}"#;

const CASES: &[Case] = &[
    (
        "WebhookDown",
        5,
        &[("seldon_tracing_requests_in_flight", "0x29 _x30")],
    ),
    // The first failure that an API server counts, and one of many.
    ("FailedOpen", 0, &[(OPEN, "_x49 1x10")]),
    ("FailedOpen", 0, &[(OPEN, "7x49 8x10")]),
    ("WritesRefused", 0, &[(REFUSED, "_x49 1x10")]),
    ("WritesRefused", 0, &[(REFUSED, "7x49 8x10")]),
    (
        "Errors",
        10,
        &[
            (r#"seldon_tracing_answers_total{code="200"}"#, "0+97x60"),
            // One of a thousand, and then three of a hundred. What is shed is another alert's.
            (
                r#"seldon_tracing_answers_total{code="415"}"#,
                "0+0.1x29 3+3x30",
            ),
            (r#"seldon_tracing_answers_total{code="503"}"#, "0+90x60"),
        ],
    ),
    (
        "Shed",
        10,
        &[
            (r#"seldon_tracing_answers_total{code="200"}"#, "0+100x60"),
            (
                r#"seldon_tracing_requests_shed_total{kind="memory"}"#,
                "0+0.5x29 15+1x30",
            ),
            (
                r#"seldon_tracing_requests_shed_total{kind="time"}"#,
                "0x29 0+1x30",
            ),
        ],
    ),
    (
        "Slow",
        10,
        &[
            (
                r#"seldon_tracing_request_duration_seconds_bucket{le="0.5"}"#,
                "0+100x29 2900+90x30",
            ),
            (
                r#"seldon_tracing_request_duration_seconds_bucket{le="1.0"}"#,
                "0+100x60",
            ),
            (
                r#"seldon_tracing_request_duration_seconds_bucket{le="+Inf"}"#,
                "0+100x60",
            ),
        ],
    ),
    ("Panics", 0, &[("seldon_tracing_panics_total", "3x49 4x10")]),
    // 15 days, and then 13; time begins at 0.
    (
        "CertificateExpires",
        10,
        &[(
            "seldon_tracing_certificate_expiry_timestamp_seconds",
            "1296000x29 1123200x30",
        )],
    ),
    (
        "ReloadRefused",
        2,
        &[(
            r#"seldon_tracing_files_refused{what="config"}"#,
            "0x29 1x30",
        )],
    ),
    (
        "Handshakes",
        0,
        &[(
            "seldon_tracing_tls_handshake_errors_total",
            "0+0.5x29 15+5x30",
        )],
    ),
    (
        "ControllerDown",
        10,
        &[("seldon_tracing_controller_api_reachable", "1x29 _x30")],
    ),
    (
        "ControllerCutOff",
        10,
        &[("seldon_tracing_controller_api_reachable", "1x29 0x30")],
    ),
    (
        "ControllerProblem",
        10,
        &[(
            r#"seldon_tracing_controller_problems{check="repair"}"#,
            "0x29 1x30",
        )],
    ),
    // For ten minutes of every fifteen there is one.
    (
        "ModelsUntraced",
        15,
        &[(
            r#"seldon_tracing_models{standing="missing"}"#,
            "0x4 1x9 0x4 1x9 0x1 1x30",
        )],
    ),
    (
        "CaExpires",
        10,
        &[(
            "seldon_tracing_ca_expiry_timestamp_seconds",
            "2678400x29 2505600x30",
        )],
    ),
];

/// The rules as Prometheus reads them, without the object around them.
fn rules() -> Value {
    let path = root().join("manifests/monitoring/rules.yaml");
    let text = fs::read_to_string(path).unwrap();
    documents(&text).remove(0)["spec"].clone()
}

fn alerts() -> BTreeSet<String> {
    let rules = rules();
    let groups = rules["groups"].as_array().unwrap();
    let rules = groups.iter().flat_map(|it| it["rules"].as_array().unwrap());
    rules
        .map(|it| it["alert"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs promtool in a folder that has the rules in it.
fn promtool(tool: &Tool, folder: &Path, arguments: &[&str]) {
    let output = Command::new(&tool.0)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// Runs tests of the rules.
fn test_rules(tool: &Tool, tests: &[Value]) {
    let tests = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": tests,
    });
    let (rules, tests) = (rules().to_string(), tests.to_string());
    let folder = folder(&[("rules.yaml", &rules), ("tests.yaml", &tests)]);
    promtool(tool, folder.path(), &["test", "rules", "tests.yaml"]);
}

fn series(series: &[(&str, &str)]) -> Value {
    let series = series.iter();
    series
        .map(|(series, values)| json!({"series": series, "values": values}))
        .collect()
}

fn promtool_has_no_complaint_about_the_rules(tool: &Tool) {
    let rules = rules().to_string();
    let folder = folder(&[("rules.yaml", &rules)]);
    let check = ["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"];
    promtool(tool, folder.path(), &check);
}

fn every_alert_fires_when_it_should_and_not_before(tool: &Tool) {
    let name = |case: &Case| format!("SeldonTracing{}", case.0);
    let tested: BTreeSet<_> = CASES.iter().map(name).collect();
    assert_eq!(tested, alerts());
    // promtool waits for more than a second at the end of each, doing nothing.
    thread::scope(|scope| {
        for case in CASES {
            scope.spawn(|| test_rules(tool, &[silent_and_firing(&name(case), case.1, case.2)]));
        }
    });
}

/// A test of an alert that is silent while its series are well, and fires when they have not been for so many minutes.
fn silent_and_firing(alert: &str, minutes: u8, of: &[(&str, &str)]) -> Value {
    let alerts = |state: &str| format!(r#"ALERTS{{alertname="{alert}", alertstate="{state}"}}"#);
    let firing = format!("count({}) or vector(0)", alerts("firing"));
    let pending = alerts("pending");
    let pending = format!("sum(count_over_time({pending}[{SINCE}])) or vector(0)");
    let at = |time: &str, expression: &str, value: u8| {
        let sample = json!({"labels": "{}", "value": value});
        json!({"expr": expression, "eval_time": time, "exp_samples": [sample]})
    };
    json!({
        "interval": "1m",
        "input_series": series(of),
        "promql_expr_test": [at(WELL, &firing, 0), at(ILL, &firing, 1), at(ILL, &pending, minutes)],
    })
}

/// The words that Prometheus fills in.
fn an_alert_says_what_it_is_about(tool: &Tool) {
    let runbook = |alert: &str| {
        let alert = alert.to_lowercase();
        format!(
            "https://github.com/seldon-tracing/seldon-tracing/blob/main/docs/runbooks.md#{alert}"
        )
    };
    let expires = "SeldonTracingCertificateExpires";
    let refused = "SeldonTracingReloadRefused";
    let tests = json!([{
        "interval": "1m",
        "input_series": series(&[
            ("seldon_tracing_certificate_expiry_timestamp_seconds", "90000x60"),
            (r#"seldon_tracing_files_refused{what="config"}"#, "1x60"),
        ]),
        "alert_rule_test": [
            {"eval_time": "1h", "alertname": expires, "exp_alerts": [{
                "exp_labels": {"severity": "critical"},
                "exp_annotations": {
                    "summary": "The webhook's certificate expires.",
                    "description": "It expires in 1d 0h 0m 0s; it should have been renewed. After that, every call fails.",
                    "runbook_url": runbook(expires),
                },
            }]},
            {"eval_time": "1h", "alertname": refused, "exp_alerts": [{
                "exp_labels": {"severity": "warning", "what": "config"},
                "exp_annotations": {
                    "summary": "Changed files cannot be used.",
                    "description": "The config that is mounted cannot be used. The webhook keeps the last valid one; new pods do not start.",
                    "runbook_url": runbook(refused),
                },
            }]},
        ],
    }]);
    test_rules(tool, tests.as_array().unwrap());
}
