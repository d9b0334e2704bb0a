//! TLS and HTTP with other clients: openssl, curl, and rustls with one version only.

use std::fs;
use std::process::{Command, Output, Stdio};

use bytes::Bytes;
use rustls::version::{TLS12, TLS13};
use seldon_tracing::apiserver::verify::Reply;
use tempfile::TempDir;

use crate::support::checked;
use crate::support::checked::{create, model, taken};
use crate::support::fixtures::folder;
use crate::support::webhook::{Webhook, say, send, tls};

/// Runs somebody's client; says so if it is not there.
fn run(program: &str, folder: &TempDir, arguments: &[&str]) -> Option<Output> {
    let run = Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .env_remove("OPENSSL_CONF")
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) => Some(output),
        Err(error) => {
            say(&format!(
                "tls_clients: {program} LEFT OUT, for it cannot be run: {error}"
            ));
            None
        }
    }
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn openssl_agrees_on_1_2_and_1_3_and_on_nothing_older() {
    let webhook = Webhook::start();
    let folder = folder(&[("ca.crt", &webhook.ca)]);
    let address = webhook.address.to_string();
    let client = |more: &[&str]| {
        let first = [
            "s_client",
            "-connect",
            &address,
            "-CAfile",
            "ca.crt",
            "-verify_return_error",
            "-verify_hostname",
            "localhost",
        ];
        run("openssl", &folder, &[&first, more].concat())
    };
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        for protocol in ["h2", "http/1.1"] {
            let Some(output) = client(&[flag, "-alpn", protocol]) else {
                return;
            };
            let text = text(&output);
            assert!(output.status.success(), "{flag} {protocol}: {text}");
            assert!(
                text.contains(&format!("New, {version}, ")),
                "{flag}: {text}"
            );
            assert!(
                text.contains(&format!("ALPN protocol: {protocol}")),
                "{flag}: {text}"
            );
            assert!(
                text.contains("Verify return code: 0 (ok)") || text.contains("Verification: OK"),
                "{text}"
            );
        }
        // Who does not say gets HTTP/1.1, and who speaks something else gets nothing.
        let output = client(&[flag]).unwrap();
        assert!(output.status.success());
        assert!(
            text(&output).contains("No ALPN negotiated"),
            "{}",
            text(&output)
        );
        let output = client(&[flag, "-alpn", "smtp"]).unwrap();
        assert!(!output.status.success(), "{}", text(&output));
    }
    for flag in ["-tls1_1", "-tls1"] {
        let output = client(&[flag, "-cipher", "ALL:@SECLEVEL=0"]).unwrap();
        let text = text(&output);
        assert!(!output.status.success(), "{flag}: {text}");
        assert!(
            text.contains("SSL alert number"),
            "{flag}: the server refuses it: {text}"
        );
    }
}

#[test]
fn openssl_sees_a_modern_certificate() {
    let webhook = Webhook::start();
    let folder = folder(&[("ca.crt", &webhook.ca)]);
    let address = webhook.address.to_string();
    let Some(output) = run(
        "openssl",
        &folder,
        &[
            "s_client",
            "-connect",
            &address,
            "-CAfile",
            "ca.crt",
            "-showcerts",
        ],
    ) else {
        return;
    };
    fs::write(folder.path().join("shown"), &output.stdout).unwrap();
    let output = run(
        "openssl",
        &folder,
        &["x509", "-in", "shown", "-noout", "-text"],
    )
    .unwrap();
    let text = text(&output);
    for part in [
        "ecdsa-with-SHA256",
        "prime256v1",
        "DNS:localhost",
        "TLS Web Server Authentication",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn curl_gets_an_answer_over_http_1_1_and_http_2() {
    let webhook = Webhook::start();
    let body = create(&model()).to_string();
    let folder = folder(&[("ca.crt", &webhook.ca), ("review.json", &body)]);
    let features = run("curl", &folder, &["--version"]);
    let Some(features) = features.map(|output| text(&output)) else {
        return;
    };
    let url = format!("https://{}/mutate?timeout=10s", webhook.address);
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        if flag == "--http2" && !features.contains("HTTP2") {
            say("tls_clients: HTTP/2 LEFT OUT, for this curl does not speak it");
            continue;
        }
        let arguments = [
            "-q",
            "-sS",
            "--noproxy",
            "*",
            flag,
            "--cacert",
            "ca.crt",
            "-H",
            "Content-Type: application/json",
            "--data-binary",
            "@review.json",
            "-o",
            "answer",
            "-w",
            "%{http_version} %{http_code} %{content_type}",
            &url,
        ];
        let output = run("curl", &folder, &arguments).unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(text(&output), format!("{version} 200 application/json"));
        let reply = Reply {
            status: 200,
            content_type: Some("application/json".to_owned()),
            body: Bytes::from(fs::read(folder.path().join("answer")).unwrap()),
        };
        let (verified, _) = taken(checked::UID, &reply, body.as_bytes());
        assert!(verified.patch.is_some());
    }
    // Without its CA it is nobody's webhook.
    let output = run("curl", &folder, &["-q", "-sS", "--noproxy", "*", &url]).unwrap();
    assert!(!output.status.success());
}

#[test]
fn rustls_with_one_version_only() {
    let webhook = Webhook::start();
    let body = create(&model()).to_string();
    for version in [&TLS12, &TLS13] {
        for alpn in [&[][..], &[b"http/1.1".as_slice()], &[b"http/1.1", b"h2"]] {
            let mut stream = tls(webhook.address, &webhook.ca, &[version], alpn);
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock).unwrap();
            }
            assert_eq!(stream.conn.protocol_version(), Some(version.version));
            let agreed = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
            if alpn.contains(&b"h2".as_slice()) || alpn.is_empty() {
                // The server chooses; h2 is not spoken here.
                assert_eq!(agreed.is_none(), alpn.is_empty());
                continue;
            }
            assert_eq!(agreed.as_deref(), Some(b"http/1.1".as_slice()));
            let answer = send(
                stream,
                "POST",
                "/mutate",
                "Content-Type: application/json\r\n",
                body.as_bytes(),
            );
            taken(checked::UID, &answer.reply(), body.as_bytes());
        }
    }
}
