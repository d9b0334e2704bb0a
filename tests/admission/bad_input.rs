//! Bad input, by table and by property, in this process and over HTTPS. The answer is 4xx or a review, and repeats nothing of the input.

use std::fmt::Write as _;
use std::io::Write as _;

use proptest::prelude::*;
use seldon_tracing::admission::{Answer, AnswerError, Malformed, Route};
use seldon_tracing::apiserver::verify::Reply;
use seldon_tracing::config::Config;
use serde_json::{Value, json};

use crate::support::checked::{Seen, create, look, model, taken, update};
use crate::support::mutate::{accidents, mutate};
use crate::support::webhook::{Http, Webhook, exchange};
use crate::support::{checked, webhook};

/// What no text may repeat.
const CANARY: &str = "CANARY";

const MOST: usize = 7 << 20;

const JSON: &str = "Content-Type: application/json\r\n";

/// A good review with the canary in it.
fn good() -> Value {
    let mut question = create(&model());
    question["request"]["userInfo"]["username"] = json!(CANARY);
    question["request"]["object"]["metadata"]["labels"] = json!({CANARY: CANARY});
    question
}

/// A refusal or a verified answer, and never a panic. The words of a refusal hold nothing of the body.
#[track_caller]
fn asked(body: &[u8]) -> Result<Seen, Malformed> {
    let seen = look(body, Route::Mutate, &Config::default());
    if let Err(malformed) = &seen {
        let text = malformed.to_string();
        assert!(!text.contains(CANARY), "leaked: {text}");
    }
    seen
}

#[test]
fn no_part_of_a_review_from_its_beginning_is_one() {
    let text = good().to_string();
    assert!(asked(text.as_bytes()).is_ok());
    for end in 0..text.len() {
        let refused = asked(&text.as_bytes()[..end]).unwrap_err();
        let fits = match refused {
            Malformed::Empty => end == 0,
            Malformed::NotJson { what, .. } => what == "it ends too early",
            _ => false,
        };
        assert!(fits, "{end}: {refused}");
    }
    // Nor one with something behind it.
    for more in ["{}", "x", "]", "\0"] {
        assert!(asked(format!("{text}{more}").as_bytes()).is_err());
    }
    assert!(asked(format!(" \n{text}\r\n\t ").as_bytes()).is_ok());
}

#[test]
fn nothing_and_whitespace() {
    for body in ["", " ", "\n\r\t  \n"] {
        assert_eq!(asked(body.as_bytes()).unwrap_err(), Malformed::Empty);
    }
    for body in [
        "null",
        "[]",
        "1",
        "\"CANARY\"",
        "{}",
        "true",
        "{\"CANARY\":1}",
    ] {
        asked(body.as_bytes()).unwrap_err();
    }
}

/// That much of an opening and of its end around something.
fn nested(open: &str, close: &str, depth: usize) -> String {
    [&open.repeat(depth), "1", &close.repeat(depth)].concat()
}

#[test]
fn depth_is_no_danger() {
    let text = good().to_string();
    let deep = [
        nested("[", "]", 10_000),
        nested("{\"a\":", "}", 10_000),
        nested("{\"children\":[", "]}", 10_000),
        nested("[{\"CANARY\":", "}]", 5_000),
        "[".repeat(10_000),
    ];
    let places = [
        ("{\"kind\":\"AdmissionReview\"", ""),
        ("\"request\":{", ","),
        ("\"object\":{", ","),
        ("\"metadata\":{", ","),
        ("\"annotations\":{", ","),
        ("\"labels\":{", ","),
        ("\"spec\":{", ","),
        ("\"predictors\":[{", ","),
        ("\"graph\":{", ","),
        ("\"containers\":[{", ","),
        ("\"userInfo\":{", ","),
    ];
    for deep in &deep {
        asked(deep.as_bytes()).unwrap_err();
        for (place, comma) in places {
            assert!(text.contains(place), "{place}");
            let before = if comma.is_empty() { "," } else { "" };
            for key in ["more", "children", "env", "spec", "metadata", "tracing"] {
                let part = format!("{place}{before}\"{key}\":{deep}{comma}");
                let _ = asked(text.replacen(place, &part, 1).as_bytes());
            }
        }
    }
}

#[test]
fn a_deep_graph_is_left_with_a_word_or_refused() {
    for depth in [10, 60, 100, 120, 130, 1_000, 10_000] {
        let graph = format!(
            "{}{{\"name\":\"leaf\",\"implementation\":\"SKLEARN_SERVER\"}}{}",
            "{\"name\":\"CANARY\",\"children\":[".repeat(depth),
            "]}".repeat(depth)
        );
        let text = good().to_string();
        let given = "\"graph\":{\"name\":\"classifier\",\"type\":\"MODEL\"}";
        assert!(text.contains(given));
        let body = text.replacen(given, &format!("\"graph\":{graph}"), 1);
        let seen = asked(body.as_bytes());
        assert!(depth > 10 || seen.is_ok(), "{seen:?}");
    }
}

#[test]
fn duplicate_keys() {
    let text = good().to_string();
    let twice = |place: &str, key: &str| {
        assert!(text.contains(place));
        asked(text.replacen(place, &format!("{place}{key}"), 1).as_bytes())
    };
    for key in [
        "\"kind\":\"AdmissionReview\",",
        "\"apiVersion\":\"CANARY\",",
        "\"request\":null,",
        "\"request\":{},",
    ] {
        let seen = asked(text.replacen('{', &format!("{{{key}"), 1).as_bytes());
        assert!(
            matches!(seen, Err(Malformed::NotAReview { .. })),
            "{key}: {seen:?}"
        );
    }
    for key in [
        "\"uid\":\"CANARY\",",
        "\"operation\":\"DELETE\",",
        "\"object\":null,",
        "\"oldObject\":{},",
        "\"dryRun\":true,",
        "\"name\":\"x\",",
    ] {
        let seen = twice("\"request\":{", key);
        assert!(
            matches!(seen, Err(Malformed::NotAReview { .. })),
            "{key}: {seen:?}"
        );
    }
    // In an object, the last one counts, as in Go; the patch still applies.
    for key in [
        "\"spec\":{\"predictors\":[{},{}]},",
        "\"metadata\":{\"deletionTimestamp\":\"CANARY\"},",
        "\"spec\":1,",
        "\"status\":1,\"status\":2,",
    ] {
        assert!(twice("\"object\":{", key).is_ok(), "{key}");
    }
    for key in [
        "\"tracing\":\"false\",",
        "\"tracing\":1,",
        "\"CANARY\":\"a\",\"CANARY\":\"b\",",
    ] {
        assert!(twice("\"annotations\":{", key).is_ok(), "{key}");
    }
    for key in [
        "\"env\":[{\"name\":\"TRACING\",\"value\":\"0\"}],\"env\":[],",
        "\"env\":1,\"env\":[],",
        "\"name\":\"x\",",
        "\"env\":[],\"env\":{},",
    ] {
        assert!(twice("\"containers\":[{", key).is_ok(), "{key}");
    }
}

/// Each place in a review down to a depth, as a JSON pointer.
fn places(value: &Value, path: &str, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    let mut below = |key: &str, value: &Value| {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(value, &path, depth - 1, found);
        found.push(path);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                below(&at.to_string(), value);
            }
        }
        _ => {}
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn wrong_types_everywhere() {
    let mut old = model();
    old["spec"]["replicas"] = json!(2);
    let mut whole = update(&model(), &old);
    let request = whole["request"].as_object_mut().unwrap();
    request.insert("subResource".to_owned(), json!(""));
    request.insert("requestSubResource".to_owned(), json!(""));
    request["userInfo"]["extra"] = json!({CANARY: [CANARY]});
    let mut paths = Vec::new();
    places(&whole, "", 12, &mut paths);
    assert!(paths.len() > 60, "{}", paths.len());
    let odd = [
        json!(null),
        json!(true),
        json!(1),
        json!(-1.5e300),
        json!("CANARY"),
        json!([]),
        json!({}),
        json!([CANARY]),
        json!({CANARY: null}),
    ];
    let mut refused = 0;
    for path in &paths {
        for odd in &odd {
            let mut question = whole.clone();
            *question.pointer_mut(path).unwrap() = odd.clone();
            refused += usize::from(asked(question.to_string().as_bytes()).is_err());
        }
    }
    assert!(refused > 50, "{refused}");
    // What is said of the fields that are read.
    let with = |path: &str, odd: Value| {
        let mut question = whole.clone();
        *question.pointer_mut(path).unwrap() = odd;
        asked(question.to_string().as_bytes()).unwrap_err()
    };
    let not_a_review = |it: Malformed| matches!(it, Malformed::NotAReview { line: 1, .. });
    for path in [
        "/request/uid",
        "/request/operation",
        "/request/name",
        "/request/kind",
        "/request/kind/group",
        "/request/dryRun",
        "/request",
        "/apiVersion",
        "/kind",
    ] {
        assert!(not_a_review(with(path, json!([1]))), "{path}");
    }
    assert_eq!(with("/request", json!(null)), Malformed::Missing("request"));
    assert_eq!(
        with("/request/object", json!(null)),
        Malformed::Missing("request.object")
    );
    assert_eq!(
        with("/request/uid", json!("")),
        Malformed::Missing("request.uid")
    );
    assert_eq!(
        with("/request/operation", json!("")),
        Malformed::Missing("request.operation")
    );
}

#[test]
fn other_versions_are_named() {
    let with = |version: &str, kind: &str| {
        let mut question = good();
        question["apiVersion"] = json!(version);
        question["kind"] = json!(kind);
        asked(question.to_string().as_bytes()).map(|_| ())
    };
    let other = [
        ("admission.k8s.io/v1beta1", "AdmissionReview"),
        ("admission.k8s.io/v2", "AdmissionReview"),
        ("v1", "AdmissionReview"),
        ("", "AdmissionReview"),
        ("admission.k8s.io/v1", "CANARY"),
        ("admission.k8s.io/v1", ""),
    ];
    for (version, kind) in other {
        assert_eq!(with(version, kind), Err(Malformed::OtherVersion));
    }
    assert_eq!(with("admission.k8s.io/v1", "AdmissionReview"), Ok(()));
}

#[test]
fn what_is_not_text() {
    let mut bytes = good().to_string().into_bytes();
    for at in (0..bytes.len()).step_by(7) {
        let byte = std::mem::replace(&mut bytes[at], 0xff);
        let refused = asked(&bytes).unwrap_err();
        assert_eq!(refused, Malformed::NotUtf8 { valid_up_to: at });
        bytes[at] = byte;
    }
    // Half a pair of surrogates, as an escape; the rest of a character, cut off.
    let text = good().to_string();
    let _ = asked(text.replace("\"somebody\"", "\"\\ud800\"").as_bytes());
    asked(text.replace("\"uid\":\"", "\"uid\":\"\\ud800").as_bytes()).unwrap_err();
    asked("{\"kind\":\"\u{1f980}".as_bytes().split_last().unwrap().1).unwrap_err();
    asked(b"\xef\xbb\xbf{}").unwrap_err();
}

/// A refusal in words of ours.
#[track_caller]
fn refused(answer: &Http, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let text = answer.text();
    assert!(
        text.starts_with("seldon-tracing: ") && text.len() < 400,
        "{text}"
    );
    assert!(
        !text.contains(CANARY) && !answer.head.contains(CANARY),
        "leaked: {answer:?}"
    );
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/plain"), "{kind}");
}

/// The same server still answers.
#[track_caller]
fn still_answers(webhook: &Webhook) {
    let body = good().to_string();
    let reply = webhook.ask(body.clone(), Route::Mutate);
    let (verified, result) = taken(checked::UID, &reply, body.as_bytes());
    assert!(verified.patch.is_some() && result.is_some());
}

#[test]
fn bodies_over_https() {
    let webhook = Webhook::start();
    let post = |body: &[u8]| webhook.send("POST", "/mutate", JSON, body);
    let text = good().to_string();
    for end in [0, 1, 20, text.len() / 2, text.len() - 1] {
        refused(&post(&text.as_bytes()[..end]), 400);
    }
    let mut beta = good();
    beta["apiVersion"] = json!("admission.k8s.io/v1beta1");
    let answer = post(beta.to_string().as_bytes());
    refused(&answer, 400);
    assert!(
        answer.text().contains("admissionReviewVersions: [\"v1\"]"),
        "other versions are named: {answer:?}"
    );
    let bodies: [&[u8]; 8] = [
        b"",
        b"  \n ",
        b"{\"CANARY\":",
        b"\xff\xfeCANARY",
        b"null",
        b"[\"CANARY\"]",
        b"{\"kind\":\"CANARY\",\"apiVersion\":\"CANARY\",\"request\":{\"uid\":\"CANARY\"}}",
        b"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":[\"CANARY\"]}}",
    ];
    for body in bodies {
        refused(&post(body), 400);
    }
    for depth in [1_000, 10_000, 1_000_000] {
        refused(&post(&b"[".repeat(depth)), 400);
        refused(&post(&b"{\"CANARY\":".repeat(depth / 2)), 400);
    }
    still_answers(&webhook);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn headers_over_https() {
    let webhook = Webhook::start();
    let text = good().to_string();
    let body = text.as_bytes();
    let typed = |kind: &str| {
        let line = format!("Content-Type: {kind}\r\n");
        webhook.send("POST", "/mutate", &line, body)
    };
    refused(&webhook.send("POST", "/mutate", "", body), 415);
    for kind in [
        "text/plain",
        "application/yaml",
        "application/json-patch+json",
        "CANARY",
        "",
        "application/json+CANARY",
        "multipart/form-data",
    ] {
        refused(&typed(kind), 415);
    }
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=utf-8;x=CANARY",
    ] {
        taken(checked::UID, &typed(kind).reply(), body);
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "CANARY"] {
        let answer = webhook.send(method, "/mutate", JSON, body);
        refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    for path in [
        "/",
        "/CANARY",
        "/mutate/",
        "/mutate/CANARY",
        "/mutate/default-on/",
        "//mutate",
        "/Mutate",
        "/metrics",
        "/mutate%2fdefault-on",
    ] {
        refused(&webhook.send("POST", path, JSON, body), 404);
    }
    for path in [
        "/mutate",
        "/mutate/default-on",
        "/mutate?timeout=10s",
        "/mutate?timeout=CANARY",
        "/mutate?timeout=",
        "/mutate?a=b&timeout=3s&c",
        "/mutate?timeout=99999999999999999999h",
    ] {
        taken(
            checked::UID,
            &webhook.send("POST", path, JSON, body).reply(),
            body,
        );
    }
    still_answers(&webhook);
}

#[test]
fn what_is_no_http_costs_only_its_connection() {
    let webhook = Webhook::start();
    let broken: [&[u8]; 5] = [
        b"CANARY\r\n\r\n",
        b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: CANARY\r\n\r\n",
        b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /mutate HTTP/9.9\r\n\r\n",
        b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nCANARY\r\n",
    ];
    for bytes in broken {
        let answer = webhook.raw(&[bytes]);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(!answer.head.contains(CANARY));
        assert!(!String::from_utf8_lossy(&answer.body).contains(CANARY));
    }
    let long = format!(
        "POST /mutate HTTP/1.1\r\nHost: a\r\nX: {}\r\n",
        "x".repeat(70_000)
    );
    let answer = webhook.raw(&[long.as_bytes()]);
    assert_eq!(answer.status, 431, "{answer:?}");
    // A client that goes in the middle of a body.
    for end in [0, 10] {
        let mut stream = webhook.tls();
        let head = format!("POST /mutate HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: 100\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
            .write_all(&b"{\"kind\":\"CANARY\"".as_slice()[..end])
            .unwrap();
        stream.flush().unwrap();
    }
    still_answers(&webhook);
}

/// A body in chunks.
fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 1000);
    for piece in body.chunks(100_000) {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[test]
fn the_largest_body_and_one_byte_more() {
    let webhook = Webhook::start();
    let mut body = good().to_string();
    body.push_str(&" ".repeat(MOST - body.len()));
    let answer = webhook.send("POST", "/mutate", JSON, body.as_bytes());
    let (verified, _) = taken(checked::UID, &answer.reply(), body.as_bytes());
    assert!(verified.patch.is_some());

    let head =
        format!("POST /mutate HTTP/1.1\r\nHost: a\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n");
    let chunks = [chunked(body.as_bytes()), b"0\r\n\r\n".to_vec()].concat();
    let answer = webhook.raw(&[head.as_bytes(), &chunks]);
    let (verified, _) = taken(checked::UID, &answer.reply(), body.as_bytes());
    assert!(verified.patch.is_some());

    // By its length it is refused before it is sent; without a length as soon as it is too long.
    let too_long = format!(
        "POST /mutate HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: {}\r\n\r\n",
        MOST + 1
    );
    let answer = webhook.raw(&[too_long.as_bytes()]);
    refused(&answer, 413);
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(answer.text().contains("7340032"), "{answer:?}");
    body.push(' ');
    let answer = webhook.raw(&[head.as_bytes(), &chunked(body.as_bytes())]);
    refused(&answer, 413);
    still_answers(&webhook);
}

#[test]
fn the_largest_length_there_is() {
    let webhook = Webhook::start();
    for length in [
        "18446744073709551614",
        "99999999999999999999999",
        "4294967296",
    ] {
        let mut head = String::new();
        let _ = write!(
            head,
            "POST /mutate HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: {length}\r\n\r\n"
        );
        let answer = webhook.raw(&[head.as_bytes()]);
        // The parser of HTTP has a number of its own for lengths that are none.
        assert!([400, 413, 431].contains(&answer.status), "{answer:?}");
    }
    still_answers(&webhook);
}

#[test]
fn plain_http_gets_no_answer_and_does_no_harm() {
    let webhook = Webhook::start();
    let mut stream = std::net::TcpStream::connect(webhook.address).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: CANARY\r\n\r\n")
        .unwrap();
    drop(stream);
    still_answers(&webhook);
}

fn panics<'a>(body: &'a [u8], route: Route, config: &Config) -> Result<Answer<'a>, AnswerError> {
    let bad = body.windows(5).any(|window| window == b"PANIC");
    assert!(!bad, "CANARY");
    seldon_tracing::admission::answer(body, route, config)
}

#[test]
fn a_bug_costs_one_request_and_says_which() {
    let webhook = Webhook::with(|settings| settings.decide = panics);
    let mut bad = good();
    bad["request"]["object"]["metadata"]["labels"]["x"] = json!("PANIC");
    let stream = webhook.tls();
    let body = bad.to_string();
    let answer = webhook::send(stream, "POST", "/mutate", JSON, body.as_bytes());
    refused(&answer, 500);
    assert!(answer.text().contains(checked::UID), "{answer:?}");
    // A large one is decided on another thread.
    let large = body.replace("PANIC", &["PANIC", &"x".repeat(300_000)].concat());
    refused(
        &webhook.send("POST", "/mutate", JSON, large.as_bytes()),
        500,
    );
    refused(&webhook.send("POST", "/mutate", JSON, b"PANIC CANARY"), 500);
    still_answers(&webhook);
}

#[test]
fn one_connection_takes_good_and_bad_in_turn() {
    let webhook = Webhook::start();
    let body = good().to_string();
    let request = |body: &str, last: bool| {
        let close = if last { "Connection: close\r\n" } else { "" };
        let length = body.len();
        format!(
            "POST /mutate HTTP/1.1\r\nHost: a\r\n{JSON}{close}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let mut stream = webhook.tls();
    for turn in 0..20 {
        let (body, status) = if turn % 2 == 0 {
            (body.as_str(), 200)
        } else {
            ("{\"CANARY\"", 400)
        };
        let answer = exchange(&mut stream, &[request(body, false).as_bytes()]);
        assert_eq!(answer.status, status);
        if status == 200 {
            taken(checked::UID, &answer.reply(), body.as_bytes());
        }
    }
    let answer = exchange(&mut stream, &[request(&body, true).as_bytes()]);
    taken(checked::UID, &answer.reply(), body.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p3_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = asked(&bytes);
    }

    #[test]
    fn a_review_with_some_bytes_changed(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6)) {
        let mut body = good().to_string().into_bytes();
        for (place, byte, how) in changes {
            let at = place.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                2 => drop(body.remove(at)),
                _ => body[at] = b"\"{}[],:\\0ntf-"[usize::from(byte) % 13],
            }
        }
        let _ = asked(&body);
    }

    #[test]
    fn a_review_with_parts_changed(changes in accidents(), whole in any::<bool>()) {
        let stored = checked::see(&create(&model())).result.unwrap();
        let mut question = update(&stored, &stored);
        if whole {
            mutate(&mut question, &changes);
        } else {
            mutate(&mut question["request"]["object"], &changes);
        }
        let seen = asked(question.to_string().as_bytes());
        if let Ok(seen) = seen {
            let again = asked(question.to_string().as_bytes()).unwrap();
            prop_assert_eq!(seen.bytes, again.bytes, "deterministic");
        }
    }
}

#[test]
fn the_reply_of_a_refusal_is_none_that_the_api_server_takes() {
    // What is not a review leaves the decision to failurePolicy.
    let webhook = Webhook::start();
    let reply: Reply = webhook.ask("{}", Route::DefaultOn);
    assert!(seldon_tracing::apiserver::verify::verify("x", &reply).is_err());
}

/// The budget of the views counts, whatever else is in the body.
#[test]
fn a_large_body_is_left_alone_whatever_hides_in_it() {
    for trick in ["1e999", r#""\ud800""#] {
        let containers = "{},".repeat(100_000);
        let body = format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"a","kind":{{"group":"machinelearning.seldon.io","kind":"SeldonDeployment"}},"operation":"CREATE","object":{{"metadata":{{"annotations":{{"tracing":"true"}}}},"spec":{{"x":{trick},"predictors":[{{"componentSpecs":[{{"spec":{{"containers":[{containers}{{}}]}}}}]}}]}}}}}}}}"#
        );
        let config = seldon_tracing::config::Config::default();
        let answer = seldon_tracing::admission::answer(
            body.as_bytes(),
            seldon_tracing::admission::Route::Mutate,
            &config,
        );
        let audit = answer.unwrap().decision.audit_annotations;
        assert_eq!(audit.reasons, "too-many-parts", "{trick}");
    }
}
