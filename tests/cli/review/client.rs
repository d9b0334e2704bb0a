//! The client behaves as kube-apiserver does: connections, retries, timeouts, and its errors.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use rcgen::date_time_ymd;
use seldon_tracing::apiserver::client::{Answered, Client, ClientError, Target, Trust};
use serde_json::json;

use super::fake::{Fake, again, answer, authority, fake, fake_with, leaf, review};

const SECONDS: Duration = Duration::from_secs(20);

fn target(fake: &Fake) -> Target {
    Target {
        url: fake.url(),
        trust: Trust::Authorities(fake.ca.clone().into_bytes()),
        server_name: None,
        identity: None,
    }
}

fn client(target: &Target) -> Client {
    let client = Client::new(target).unwrap();
    client.with_second(Duration::from_millis(1))
}

async fn call(client: &Client) -> Result<Answered, ClientError> {
    client
        .call(Bytes::from_static(br#"{"request":{"uid":"u"}}"#), SECONDS)
        .await
}

fn good() -> Fake {
    fake(|_, question| answer(&review(question, &json!({}))))
}

#[tokio::test]
async fn a_call_looks_like_one_of_the_api_server() {
    let fake = good();
    let answered = call(&client(&target(&fake))).await.unwrap();
    assert_eq!((answered.reply.status, answered.retries), (200, 0));
    assert!(!answered.closes);
    let asked = fake.asked.lock().unwrap();
    let parts = &asked[0].parts;
    assert_eq!(parts.method, "POST");
    assert_eq!(parts.version, axum::http::Version::HTTP_11);
    assert_eq!(parts.uri, "/mutate?timeout=20s");
    let header = |name: &str| parts.headers[name].to_str().unwrap();
    assert_eq!(header("user-agent"), "kube-apiserver-admission");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("accept"), "application/json, */*");
    assert_eq!(header("content-length"), "23");
    let host = format!("localhost:{}", fake.address.port());
    assert_eq!(header("host"), host);
    assert_eq!(asked[0].body["request"]["uid"], "u");
}

#[tokio::test]
async fn a_path_of_its_own_is_kept() {
    let fake = good();
    let target = Target {
        url: format!("{}/of/its/own", fake.url()),
        ..target(&fake)
    };
    call(&client(&target)).await.unwrap();
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked[0].parts.uri.path(), "/of/its/own");
}

#[tokio::test]
async fn it_asks_again_where_the_answer_says_so() {
    for status in [429, 500, 503] {
        let fake = fake(move |number, question| {
            if number < 3 {
                again(status, "1")
            } else {
                answer(&review(question, &json!({})))
            }
        });
        let answered = call(&client(&target(&fake))).await.unwrap();
        assert_eq!((answered.reply.status, answered.retries), (200, 3));
        assert!(answered.closes);
    }
}

#[tokio::test]
async fn it_does_not_ask_again_for_anything_else() {
    for (status, after) in [
        (503, "soon"),
        (503, "-1"),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT"),
        (404, "1"),
    ] {
        let fake = fake(move |_, _| again(status, after));
        let answered = call(&client(&target(&fake))).await.unwrap();
        assert_eq!((answered.reply.status, answered.retries), (status, 0));
        assert_eq!(fake.count(), 1);
    }
}

#[tokio::test]
async fn after_ten_times_it_takes_what_it_gets() {
    let fake = fake(|_, _| again(503, "1"));
    let answered = call(&client(&target(&fake))).await.unwrap();
    assert_eq!((answered.reply.status, answered.retries), (503, 10));
    assert_eq!(fake.count(), 11);
}

#[tokio::test]
async fn waiting_counts_for_the_time() {
    let fake = fake(|_, _| again(503, "3600"));
    let client = Client::new(&target(&fake)).unwrap();
    let called = client.call(Bytes::from_static(b"{}"), Duration::from_millis(500));
    let error = called.await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("within 500ms (before that it answered 503"),
        "{text}"
    );
    // The webhook is told whole seconds, rounded up.
    let asked = fake.asked.lock().unwrap();
    assert_eq!(asked[0].parts.uri.query(), Some("timeout=1s"));
}

#[tokio::test]
async fn who_does_not_answer_runs_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target {
        url: format!("https://{}", listener.local_addr().unwrap()),
        trust: Trust::AnyCertificate,
        server_name: None,
        identity: None,
    };
    let client = Client::new(&target).unwrap();
    let called = client.call(Bytes::new(), Duration::from_millis(200));
    let error = called.await.unwrap_err();
    assert!(matches!(error, ClientError::Timeout(_, _, None)));
}

#[tokio::test]
async fn nobody_at_the_port_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    drop(listener);
    let target = Target {
        url,
        trust: Trust::AnyCertificate,
        server_name: None,
        identity: None,
    };
    let error = call(&client(&target)).await.unwrap_err();
    assert!(matches!(error, ClientError::Connect { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_port_without_tls_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let target = Target {
        url,
        trust: Trust::AnyCertificate,
        server_name: None,
        identity: None,
    };
    trouble(&target, "it does not speak TLS on this port").await;
}

/// Calls a webhook where the handshake fails, and says why.
async fn trouble(target: &Target, why: &str) -> String {
    match call(&client(target)).await {
        Err(ClientError::Tls(_, said)) if said.starts_with(why) => said,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn trouble_with_the_certificate_is_named() {
    let fake = good();
    let stranger = Target {
        trust: Trust::Authorities(authority().pem().into_bytes()),
        ..target(&fake)
    };
    trouble(&stranger, "its certificate is not signed by the CA that").await;

    let other = Target {
        server_name: Some("other.ns.svc".to_owned()),
        ..target(&fake)
    };
    let said = trouble(&other, "its certificate is not for this name").await;
    assert!(said.contains("other.ns.svc"), "{said}");

    let dated = |from: i32, to: i32| {
        let mut leaf = leaf();
        leaf.not_before = date_time_ymd(from, 1, 1);
        leaf.not_after = date_time_ymd(to, 1, 1);
        fake_with(&authority(), &leaf, |_, question| {
            answer(&review(question, &json!({})))
        })
    };
    let expired = target(&dated(2019, 2020));
    trouble(&expired, "its certificate expired at 2020-01-01T00:00:00Z").await;
    let early = target(&dated(2990, 2999));
    trouble(
        &early,
        "its certificate is not valid before 2990-01-01T00:00:00Z",
    )
    .await;
}

#[tokio::test]
async fn the_name_and_the_trust_that_are_asked_for_count() {
    let fake = good();
    let service = Target {
        server_name: Some("webhook.ns.svc".to_owned()),
        ..target(&fake)
    };
    call(&client(&service)).await.unwrap();
    assert_eq!(
        fake.asked.lock().unwrap()[0].parts.headers["host"],
        "webhook.ns.svc"
    );
    let anything = Target {
        trust: Trust::AnyCertificate,
        server_name: Some("other.ns.svc".to_owned()),
        ..target(&fake)
    };
    call(&client(&anything)).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_is_not_tried_again() {
    // The handler panics: the request is read, and no answer comes.
    let fake = fake(|_, _| std::panic::resume_unwind(Box::new("gone")));
    let error = call(&client(&target(&fake))).await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { .. }), "{error}");
}

#[test]
fn urls_that_no_webhook_can_have_are_refused() {
    let target = |url: &str| Target {
        url: url.to_owned(),
        trust: Trust::AnyCertificate,
        server_name: None,
        identity: None,
    };
    for url in [
        "",
        "localhost",
        "localhost:8443",
        "http://localhost",
        "https://",
        "https://localhost/?a=b",
        "https://localhost/#a",
        "https://user@localhost",
    ] {
        let error = Client::new(&target(url)).unwrap_err();
        assert!(matches!(error, ClientError::Url { .. }), "{url}: {error}");
    }
    for (url, called) in [
        ("https://localhost", "https://localhost/mutate"),
        ("https://localhost:8443", "https://localhost:8443/mutate"),
        ("https://[::1]:1/", "https://[::1]:1/mutate"),
        ("https://localhost/a/b", "https://localhost/a/b"),
    ] {
        assert_eq!(Client::new(&target(url)).unwrap().url(), called);
    }
}

#[test]
fn credentials_that_cannot_be_used_are_refused() {
    let target = |pem: &str| Target {
        url: "https://localhost".to_owned(),
        trust: Trust::Authorities(pem.as_bytes().to_vec()),
        server_name: None,
        identity: None,
    };
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "LS0tLS1CRUdJTi", broken] {
        let error = Client::new(&target(pem)).unwrap_err();
        assert!(matches!(error, ClientError::Credentials { .. }), "{error}");
    }
    let ca = authority().pem();
    let nameless = Target {
        server_name: Some("not a name".to_owned()),
        ..target(&ca)
    };
    assert!(Client::new(&nameless).is_err());
}
