//! What `/metrics` says after a known sequence of requests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seldon_tracing::admission::Route;
use seldon_tracing::apiserver::question::Operation as Asked;
use serde_json::{Value, json};

use crate::support::checked::{create, model, question, taken, update};
use crate::support::webhook::Webhook;
use crate::support::{checked, webhook};

const JSON: &str = "Content-Type: application/json\r\n";

/// A page of metrics.
struct Page(String);

impl Page {
    fn of(webhook: &Webhook) -> Self {
        let answer = webhook.page("/metrics");
        assert_eq!(answer.status, 200);
        let form = answer.header("content-type").unwrap();
        assert!(form.starts_with("text/plain; version=0.0.4"), "{form}");
        Self(answer.text().to_owned())
    }

    fn samples(&self) -> impl Iterator<Item = (&str, f64)> {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series, value.parse().unwrap_or_else(|_| panic!("{line}")))
        })
    }

    /// A sample by its name and labels; nothing there is nothing.
    fn get(&self, series: &str) -> Option<f64> {
        let series = format!("seldon_tracing_{series}");
        let mut samples = self.samples();
        samples
            .find(|(name, _)| *name == series)
            .map(|(_, value)| value)
    }

    #[track_caller]
    fn is(&self, series: &str, expected: f64) {
        let found = self.get(series).unwrap_or(f64::NAN);
        assert!(
            (found - expected).abs() < 1e-9,
            "{series}: {found} instead of {expected}\n{}",
            self.0
        );
    }
}

fn ask(webhook: &Webhook, question: &Value) -> usize {
    let body = question.to_string();
    let reply = webhook.ask(body.clone(), Route::Mutate);
    taken(checked::UID, &reply, body.as_bytes());
    body.len()
}

/// The page, as soon as it says so, for counts are taken when a connection ends.
fn page_when(webhook: &Webhook, is_there: impl Fn(&Page) -> bool) -> Page {
    for _ in 0..200 {
        let page = Page::of(webhook);
        if is_there(&page) {
            return page;
        }
        thread::sleep(Duration::from_millis(25));
    }
    Page::of(webhook)
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn counters_after_known_requests() {
    let webhook = Webhook::start();
    let before = Page::of(&webhook);
    before.is("requests_in_flight", 0.0);
    before.is("tls_handshake_errors_total", 0.0);
    before.is("panics_total", 0.0);
    before.is("connections", 0.0);
    for kind in ["memory", "time"] {
        before.is(&format!("requests_shed_total{{kind=\"{kind}\"}}"), 0.0);
    }
    for what in ["certificate", "config"] {
        before.is(&format!("files_refused{{what=\"{what}\"}}"), 0.0);
        for result in ["done", "refused"] {
            before.is(
                &format!("reloads_total{{what=\"{what}\",result=\"{result}\"}}"),
                0.0,
            );
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    before.is(&format!("build_info{{version=\"{version}\"}}"), 1.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let left = before.get("certificate_expiry_timestamp_seconds").unwrap() - now.as_secs_f64();
    assert!((80_000.0..90_000.0).contains(&left), "a day: {left}");

    let stored = checked::see(&create(&model())).result.unwrap();
    let mut off = stored.clone();
    off["metadata"]["annotations"]["tracing"] = json!("false");
    let mut dry = create(&model());
    dry["request"]["dryRun"] = json!(true);
    let mut untraced = model();
    untraced["metadata"]["annotations"] = json!({});
    let questions = [
        create(&model()),
        create(&model()),
        dry,
        update(&stored, &stored),
        update(&off, &stored),
        create(&untraced),
        question(Asked::Delete, None, Some(&stored)),
    ];
    let bytes: usize = questions
        .iter()
        .map(|question| ask(&webhook, question))
        .sum();
    let refused: [(&str, &str, &str, &str); 5] = [
        ("GET", "/mutate", JSON, ""),
        ("POST", "/nowhere", JSON, ""),
        ("POST", "/mutate", "", "{}"),
        ("POST", "/mutate", JSON, "{}"),
        ("POST", "/mutate", JSON, "{"),
    ];
    for (method, path, header, body) in refused {
        webhook.send(method, path, header, body.as_bytes());
    }

    let page = page_when(&webhook, |page| page.get("requests_in_flight") == Some(0.0));
    let requests = |operation: &str, outcome: &str, dry_run: bool| {
        format!(
            "requests_total{{operation=\"{operation}\",outcome=\"{outcome}\",dry_run=\"{dry_run}\"}}"
        )
    };
    page.is(&requests("create", "injected", false), 2.0);
    page.is(&requests("create", "injected", true), 1.0);
    page.is(&requests("update", "unchanged", false), 1.0);
    page.is(&requests("update", "removed", false), 1.0);
    page.is(&requests("create", "skipped", false), 1.0);
    page.is(&requests("other", "skipped", false), 1.0);
    for (code, count) in [(200, 7.0), (400, 2.0), (404, 1.0), (405, 1.0), (415, 1.0)] {
        page.is(&format!("answers_total{{code=\"{code}\"}}"), count);
    }
    page.is("request_duration_seconds_count", 12.0);
    // Of the refused, the two that are read have 3 bytes.
    page.is("request_body_bytes_count", 9.0);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
    page.is("request_body_bytes_sum", (bytes + 3) as f64);
    page.is("injected_targets_total{kind=\"container\"}", 3.0);
    page.is("injected_targets_total{kind=\"orchestrator\"}", 3.0);
    page.is("requests_in_flight", 0.0);
    page.is("panics_total", 0.0);
    page.is("tls_handshake_errors_total", 0.0);
}

#[test]
fn who_speaks_no_tls_is_counted() {
    let webhook = Webhook::start();
    let mut plain = TcpStream::connect(webhook.address).unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let _ = plain.read(&mut [0; 100]);
    drop(plain);
    let page = page_when(&webhook, |page| {
        page.get("tls_handshake_errors_total") == Some(1.0)
    });
    page.is("tls_handshake_errors_total", 1.0);
    let gone = page_when(&webhook, |page| page.get("connections") == Some(0.0));
    gone.is("connections", 0.0);
}

#[test]
fn connections_are_counted_while_they_are_open() {
    let webhook = Webhook::start();
    let body = create(&model()).to_string();
    let request = format!(
        "POST /mutate HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut streams = [(); 3].map(|()| webhook.tls());
    for stream in &mut streams {
        let answer = webhook::exchange(stream, &[request.as_bytes()]);
        taken(checked::UID, &answer.reply(), body.as_bytes());
    }
    Page::of(&webhook).is("connections", 3.0);
    drop(streams);
    page_when(&webhook, |page| page.get("connections") == Some(0.0)).is("connections", 0.0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn the_labels_of_the_page_are_bounded() {
    let webhook = Webhook::start();
    let mut named = create(&model());
    for (key, value) in [
        ("uid", "CANARY-uid"),
        ("name", "CANARY-name"),
        ("namespace", "CANARY-namespace"),
        ("operation", "CANARY-operation"),
    ] {
        named["request"][key] = json!(value);
    }
    webhook.ask(named.to_string(), Route::Mutate);
    named["request"]["operation"] = json!("CREATE");
    webhook.ask(named.to_string(), Route::DefaultOn);
    webhook.send("CANARY", "/CANARY", "CANARY: CANARY\r\n", b"CANARY");
    let page = Page::of(&webhook).0;
    assert!(!page.contains("CANARY"), "{page}");
    let known = [
        "operation",
        "outcome",
        "dry_run",
        "kind",
        "what",
        "result",
        "code",
        "le",
        "version",
    ];
    let mut families = Vec::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next());
            assert!(["HELP", "TYPE"].contains(&word), "{line}");
            if word == "TYPE" {
                families.push(name.unwrap().to_owned());
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert!(
            families
                .iter()
                .any(|family| name.starts_with(family.as_str())),
            "{line}"
        );
        let labels = labels.strip_suffix('}').unwrap();
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let (key, value) = label.split_once('=').unwrap();
            assert!(known.contains(&key), "{line}");
            assert!(
                value.starts_with('"') && value.ends_with('"') && value.len() < 30,
                "{line}"
            );
        }
    }
    let count = families.len();
    families.dedup();
    assert_eq!(families.len(), count, "each family once");
    assert!(count >= 14, "{families:?}");
}
