//! No value of a request gets into the log, the pages of the admin port or a refusal.
//!
//! The binary runs at log level debug, and every field of every request holds a canary.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use seldon_tracing::apiserver::question::Operation as Asked;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::support::checked::{self, create, model, question, taken, update};
use crate::support::fixtures::{folder, root};
use crate::support::load::process::{self, Process};
use crate::support::load::raw::Tls;
use crate::support::webhook::{Http, page, say, send, tls};

const CANARY: &str = "CANARY";

const JSON: &str = "Content-Type: application/json\r\nAuthorization: Bearer CANARY-token\r\nX-CANARY: CANARY-header\r\nCookie: CANARY\r\nUser-Agent: CANARY-agent\r\n";

/// The binary, serving.
struct Binary {
    process: Process,
    ca: String,
    runtime: Runtime,
}

impl Binary {
    fn start() -> Self {
        let arguments = "serve --dev --log-format json --log-level debug --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --lame-duck 0s --drain 5s";
        let mut command = process::binary(root());
        command.args(arguments.split(' '));
        let runtime = Runtime::new().unwrap();
        let mut process = runtime.block_on(process::run(command));
        let mut ca = String::new();
        let mut stdout = BufReader::new(process.stdout());
        while !ca.contains("-----END CERTIFICATE-----") {
            assert!(stdout.read_line(&mut ca).unwrap() > 0, "no CA: {ca}");
        }
        Self {
            process,
            ca,
            runtime,
        }
    }

    fn tls(&self) -> Tls {
        tls(
            self.process.address,
            &self.ca,
            rustls::DEFAULT_VERSIONS,
            &[],
        )
    }

    fn send(&self, method: &str, path: &str, header: &str, body: &[u8]) -> Http {
        send(self.tls(), method, path, header, body)
    }

    fn post(&self, body: &[u8]) -> Http {
        self.send("POST", "/mutate?timeout=5s&x=CANARY", JSON, body)
    }

    /// Ends it as the kubelet does, and gives all that it has said.
    fn end(mut self) -> Vec<String> {
        self.process.signal("TERM");
        let status = self.runtime.block_on(self.process.ended());
        assert_eq!(status.code(), Some(0), "an orderly end");
        self.process.log().lines().map(str::to_owned).collect()
    }
}

/// The value with a canary in every string and behind every key of the user's, and with unknown fields everywhere.
fn poisoned(value: &Value, path: &str) -> Value {
    match value {
        Value::Object(map) => {
            let mut more: Map<String, Value> = map
                .iter()
                .map(|(key, value)| (key.clone(), poisoned(value, &format!("{path}/{key}"))))
                .collect();
            more.insert("CANARY-key".to_owned(), json!("CANARY-value"));
            more.insert("x-CANARY".to_owned(), json!({"CANARY": ["CANARY", 1]}));
            Value::Object(more)
        }
        Value::Array(list) => list.iter().map(|item| poisoned(item, path)).collect(),
        Value::String(text) if !KEPT.iter().any(|kept| path.ends_with(kept)) => {
            json!(format!("{text}-CANARY"))
        }
        other => other.clone(),
    }
}

/// What decides what a request is about; of it, name and namespace are logged on purpose.
const KEPT: [&str; 12] = [
    "/tracing",
    "/request/uid",
    "/request/name",
    "/request/namespace",
    "/request/operation",
    "/request/kind/kind",
    "/request/kind/group",
    "/object/kind",
    "/object/metadata/name",
    "/object/metadata/namespace",
    "/graph/implementation",
    "/svcOrchSpec/env/name",
];

/// An object with something of the user's in every place that is read, and in some that are not.
fn rich() -> Value {
    let mut object = model();
    object["metadata"]["labels"] = json!({"CANARY-label": "CANARY"});
    object["metadata"]["managedFields"] =
        json!([{"manager": "CANARY", "fieldsV1": {"f:CANARY": {}}}]);
    object["metadata"]["ownerReferences"] = json!([{"name": "CANARY"}]);
    object["metadata"]["annotations"] = json!({
        "tracing": "true",
        "kubectl.kubernetes.io/last-applied-configuration": "{\"CANARY\":1}",
        "tracing.seldon.io/tags": "team=CANARY",
        "tracing.seldon.io/agent-port": "CANARY",
        "tracing.seldon.io/agent-host": "CANARY not a host",
        "tracing.seldon.io/sampler-type": "CANARY",
        "tracing.seldon.io/service-name": "{CANARY}",
        "tracing.seldon.io/exclude-containers": "CANARY",
        "tracing.seldon.io/CANARY": "CANARY",
        "tracing.seldon.io/injected": "{\"v\":1,\"CANARY\":1}",
        "CANARY": "CANARY",
    });
    let predictor = &mut object["spec"]["predictors"][0];
    predictor["annotations"] =
        json!({"tracing": "true", "tracing.seldon.io/config-map": "CANARY/x/y"});
    predictor["labels"] = json!({"CANARY": "CANARY"});
    predictor["svcOrchSpec"] =
        json!({"env": [{"name": "JAEGER_AGENT_HOST", "value": "CANARY:1:2"}]});
    predictor["graph"]["children"] = json!([{"name": "server-CANARY", "implementation": "SKLEARN_SERVER", "modelUri": "s3://CANARY"}]);
    predictor["explainer"] =
        json!({"type": "AnchorTabular", "containerSpec": {"name": "CANARY", "env": 1}});
    let containers = &mut predictor["componentSpecs"][0]["spec"]["containers"];
    containers[0]["env"] = json!([
        {"name": "PASSWORD", "value": "CANARY"},
        {"name": "CANARY", "value": "CANARY"},
        {"name": "JAEGER_TAGS", "value": "CANARY"},
        {"name": "JAEGER_AGENT_PORT", "value": "CANARY"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "CANARY", "key": "CANARY"}}},
    ]);
    containers[0]["envFrom"] = json!([{"secretRef": {"name": "CANARY"}}]);
    containers[0]["args"] = json!(["--password=CANARY"]);
    containers.as_array_mut().unwrap().extend([
        json!({"name": "CANARY", "env": "CANARY"}),
        json!("CANARY"),
        json!({"image": "CANARY", "env": ["CANARY"]}),
    ]);
    object
}

/// A question in all of whose parts there is a canary.
fn with_canaries(question: &Value, uid: &str) -> Value {
    let mut question = question.clone();
    let request = &mut question["request"];
    request["uid"] = json!(uid);
    request["userInfo"] = json!({"username": "CANARY", "uid": "CANARY", "groups": ["CANARY"], "extra": {"CANARY": ["CANARY"]}});
    request["options"] = json!({"kind": "CreateOptions", "fieldManager": "CANARY"});
    let mut poisoned = poisoned(&question, "");
    // The envelope is what makes it a review.
    poisoned["kind"] = json!("AdmissionReview");
    poisoned["apiVersion"] = json!("admission.k8s.io/v1");
    poisoned
}

fn bad_bodies(good: &str) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "CANARY",
        "{\"CANARY\":",
        "{\"CANARY\":\"CANARY\"}",
        "{\"kind\":\"CANARY\",\"apiVersion\":\"CANARY\"}",
        "{\"kind\":[\"CANARY\"]}",
        "{\"request\":\"CANARY\"}",
        "{\"request\":{\"uid\":{\"CANARY\":1}}}",
        "{\"request\":{\"dryRun\":\"CANARY\"}}",
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"CANARY\"}}",
        "\"CANARY\\x\"",
        "",
    ]
    .iter()
    .map(|body| body.as_bytes().to_vec())
    .collect();
    bodies.push(b"\xffCANARY".to_vec());
    bodies.push(good.as_bytes()[..good.len() - 1].to_vec());
    bodies.push(
        good.replace("admission.k8s.io/v1", "admission.k8s.io/CANARY")
            .into_bytes(),
    );
    bodies.push(
        good.replace(
            "\"uid\":\"good-",
            &format!("\"uid\":\"{}", CANARY.repeat(100)),
        )
        .into_bytes(),
    );
    bodies.push([&b"[\"CANARY\",".repeat(100_000)[..], b"x"].concat());
    bodies
}

fn curl_http2(binary: &Binary, body: &str) {
    let folder = folder(&[("ca.crt", &binary.ca), ("body", body)]);
    let url = format!("https://{}/mutate?CANARY", binary.process.address);
    let run = Command::new("curl")
        .args([
            "--noproxy",
            "*",
            "--http2",
            "-sS",
            "--cacert",
            "ca.crt",
            "--data-binary",
            "@body",
            "-H",
            "Content-Type: application/json",
        ])
        .args([
            "-H",
            "CANARY: CANARY",
            "-H",
            "Cookie: CANARY",
            "-A",
            "CANARY",
            &url,
        ])
        .current_dir(folder.path())
        .output();
    match run {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => say(&format!(
            "secrets: HTTP/2 LEFT OUT, for curl cannot be run: {error}"
        )),
    }
}

/// What is said of bad requests holds nothing of them.
fn bad_requests(binary: &Binary, good: &str) {
    for body in bad_bodies(good) {
        let answer = binary.post(&body);
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(
            !answer.head.contains(CANARY) && !answer.text().contains(CANARY),
            "leaked: {answer:?}"
        );
    }
    let odd = [
        ("GET", "/mutate"),
        ("CANARY", "/mutate"),
        ("POST", "/CANARY?CANARY=CANARY"),
        ("POST", "/mutate/default-on/CANARY"),
    ];
    for (method, path) in odd {
        let answer = binary.send(method, path, JSON, good.as_bytes());
        assert!((400..500).contains(&answer.status));
        assert!(
            !answer.head.contains(CANARY) && !answer.text().contains(CANARY),
            "leaked: {answer:?}"
        );
    }
    let typed = binary.send(
        "POST",
        "/mutate",
        "Content-Type: text/CANARY\r\n",
        good.as_bytes(),
    );
    assert_eq!(typed.status, 415);
    assert!(!typed.text().contains(CANARY));
}

fn broken_connections(binary: &Binary) {
    // What is no HTTP, what is no TLS, and who goes in the middle.
    let mut stream = binary.tls();
    stream.write_all(b"CANARY CANARY CANARY\r\n\r\n").unwrap();
    let _ = stream.read(&mut [0; 100]);
    let mut plain = TcpStream::connect(binary.process.address).unwrap();
    plain
        .write_all(b"GET /CANARY HTTP/1.1\r\nHost: CANARY\r\n\r\n")
        .unwrap();
    let _ = plain.read(&mut [0; 100]);
    let mut stream = binary.tls();
    let head =
        format!("POST /mutate HTTP/1.1\r\nHost: CANARY\r\n{JSON}Content-Length: 100\r\n\r\nCANARY");
    stream.write_all(head.as_bytes()).unwrap();
    stream.flush().unwrap();
    drop(stream);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn no_canary_gets_out() {
    let binary = Binary::start();
    let stored = checked::see(&create(&model())).result.unwrap();
    let questions = [
        create(&rich()),
        update(&rich(), &stored),
        update(&rich(), &rich()),
        create(&stored),
        question(Asked::Delete, None, Some(&rich())),
        question(
            Asked::Create,
            Some(&json!({"kind": "SeldonDeployment", "metadata": "CANARY"})),
            None,
        ),
        question(
            Asked::Create,
            Some(
                &json!({"kind": "SeldonDeployment", "metadata": {"annotations": {"tracing": "CANARY"}}}),
            ),
            None,
        ),
    ];
    let mut expected = Vec::new();
    let mut good = String::new();
    for (at, question) in questions.iter().enumerate() {
        let uid = format!("good-{at}");
        let body = with_canaries(question, &uid).to_string();
        assert!(body.matches(CANARY).count() > 20);
        taken(&uid, &binary.post(body.as_bytes()).reply(), body.as_bytes());
        expected.push(uid);
        if at == 0 {
            good = body;
        }
    }
    // Large enough for another thread; and too heavy to be decided.
    for (uid, count) in [("large", 2_000), ("heavy", 60_000)] {
        let mut large = with_canaries(&create(&rich()), uid);
        large["request"]["object"]["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["initContainers"] =
            json!(vec![json!({"name": "CANARY", "env": []}); count]);
        let body = large.to_string();
        taken(uid, &binary.post(body.as_bytes()).reply(), body.as_bytes());
        expected.push(uid.to_owned());
    }
    bad_requests(&binary, &good);
    broken_connections(&binary);
    curl_http2(&binary, &good.replace("good-0", "http2"));

    for path in [
        "/metrics",
        "/readyz?verbose",
        "/readyz?verbose=CANARY",
        "/livez",
        "/CANARY",
    ] {
        let answer = page(binary.process.admin, path);
        assert!(!answer.text().contains(CANARY), "{path}: {answer:?}");
    }

    let lines = binary.end();
    let log = lines.join("\n");
    let found = lines
        .iter()
        .find(|line| line.to_ascii_uppercase().contains(CANARY));
    assert_eq!(found, None, "no value is logged");
    assert!(log.contains("stopped in order"), "{log}");
    for uid in &expected {
        one_line(&lines, uid);
    }
}

/// A decision is one line of JSON, with these fields.
fn one_line(lines: &[String], uid: &str) {
    let of_it: Vec<Value> = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line["uid"] == uid)
        .collect();
    let [line] = of_it.as_slice() else {
        panic!("{uid}: {of_it:?}");
    };
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "reviewed");
    assert_eq!(line["name"], "model");
    assert_eq!(line["namespace"], "models");
    for key in ["timestamp", "operation", "outcome", "reasons"] {
        let text = line[key].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{key}: {line}");
    }
    for key in ["micros", "operations", "warnings"] {
        assert!(line[key].is_u64(), "{key}: {line}");
    }
    assert!(line["dry_run"].is_boolean(), "{line}");
}

#[test]
fn names_do_not_fill_the_log_and_cannot_break_its_lines() {
    let binary = Binary::start();
    let mut odd = create(&model());
    odd["request"]["uid"] = json!("odd");
    odd["request"]["name"] = json!(format!(
        "a\n{{\"message\":\"forged\"}}\u{1b}[31m{}",
        "n".repeat(100_000)
    ));
    odd["request"]["namespace"] = json!("\u{1f980}".repeat(10_000));
    let body = odd.to_string();
    taken(
        "odd",
        &binary.post(body.as_bytes()).reply(),
        body.as_bytes(),
    );
    let lines = binary.end();
    let line = lines.iter().find(|line| line.contains("\"odd\"")).unwrap();
    assert!(line.len() < 2_000, "{}", line.len());
    assert!(!line.contains('\u{1b}'));
    // What --dev says to people is no JSON; a forged line would be.
    let forged = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .any(|line| line["message"] == "forged");
    assert!(!forged);
}
