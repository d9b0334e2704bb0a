//! Certificate, client CA and configuration change while requests arrive.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use seldon_tracing::apiserver::client::{Client, ClientError, Target, Trust};
use seldon_tracing::pki::{Authority, Names, Pair, Purpose};
use seldon_tracing::serve::{ConfigSource, Identity};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::support::load::mount::Mount;
use crate::support::load::process::{binary, start};
use crate::support::load::{
    LONG, Running, asked, authority, call, check, client, files, folder_of, get, load, metric,
    pair, raw, serve, settings, until,
};

/// How often the files are looked at.
const POLL: Duration = Duration::from_millis(20);

/// The files of a pair, as a Secret has them.
fn files_of(pair: &Pair) -> [(&'static str, &str); 2] {
    [("tls.crt", &pair.chain), ("tls.key", &pair.key)]
}

/// Waits until new connections are shown this certificate.
async fn shows(running: &Running, pair: &Pair) {
    let leaf = raw::leaf(&pair.chain);
    until("the new certificate is shown", || async {
        let (address, ca) = (running.address, running.ca.clone());
        let shown = spawn_blocking(move || raw::shown(address, &ca).unwrap());
        shown.await.unwrap() == leaf
    })
    .await;
}

async fn serve_files(mount: &Mount, authority: &Authority) -> Running {
    let mut settings = settings(Identity::Files(files(mount.path())));
    settings.limits.poll = POLL;
    serve(settings, authority.certificate()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaf_that_is_rotated_under_load_costs_no_handshake_and_no_request() {
    let authority = authority();
    let first = pair(&authority);
    let mut mount = Mount::new(&files_of(&first));
    let running = serve_files(&mount, &authority).await;
    shows(&running, &first).await;
    let kept = running.client();
    let keeping = load(12, move || kept.clone());
    let (address, ca) = (running.address, running.ca.clone());
    let connecting = load(4, move || client(address, &ca));
    for _ in 0..3 {
        connecting.more(20).await;
        let next = pair(&authority);
        mount.swap(&files_of(&next));
        shows(&running, &next).await;
        connecting.more(20).await;
    }
    keeping.more(50).await;
    assert_eq!(keeping.end().await, Vec::<String>::new());
    assert_eq!(connecting.end().await, Vec::<String>::new());
    let done = r#"seldon_tracing_reloads_total{what="certificate",result="done"}"#;
    assert_eq!(running.metric(done).await, 3);
    let refused = r#"seldon_tracing_reloads_total{what="certificate",result="refused"}"#;
    assert_eq!(running.metric(refused).await, 0);
    assert_eq!(
        running
            .metric("seldon_tracing_tls_handshake_errors_total")
            .await,
        0
    );
}

/// What is broken is reported; the last good pair is shown meanwhile; the next good one is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
async fn bad_pairs_leave_the_last_good_one_in_use() {
    let authority = authority();
    let mut good = pair(&authority);
    let mut mount = Mount::new(&files_of(&good));
    let running = serve_files(&mount, &authority).await;
    let other = pair(&authority);
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cut = &other.key[..other.key.len() / 2];
    let bad = [
        (
            "corrupt certificate",
            garbage,
            other.key.as_str(),
            "the certificate is not usable",
        ),
        (
            "corrupt key",
            other.chain.as_str(),
            cut,
            "the private key is not usable",
        ),
        (
            "key of another",
            other.chain.as_str(),
            good.key.as_str(),
            "not usable together",
        ),
        (
            "empty certificate",
            "",
            other.key.as_str(),
            "the certificate is not usable",
        ),
        (
            "empty key",
            other.chain.as_str(),
            "",
            "the private key is not usable",
        ),
    ]
    .map(|(name, chain, key, said)| (name, chain.to_owned(), key.to_owned(), said));
    let kept = running.client();
    let load = load(4, move || kept.clone());
    let refused = r#"seldon_tracing_reloads_total{what="certificate",result="refused"}"#;
    let is_refused = r#"seldon_tracing_files_refused{what="certificate"}"#;
    for (count, (name, chain, key, said)) in (1..).zip(&bad) {
        mount.swap(&[("tls.crt", chain), ("tls.key", key)]);
        until(name, || async { running.metric(refused).await == count }).await;
        until(said, || async {
            let (status, text) = get(running.admin, "/readyz?verbose").await;
            status == 200 && text.contains("[!]certificate-files: ") && text.contains(said)
        })
        .await;
        shows(&running, &good).await;
        assert_eq!(running.metric(is_refused).await, 1, "{name}");
        load.more(5).await;
        good = pair(&authority);
        mount.swap(&files_of(&good));
        shows(&running, &good).await;
        until("all is well again", || async {
            get(running.admin, "/readyz?verbose")
                .await
                .1
                .contains("[+]certificate-files ok")
        })
        .await;
        assert_eq!(running.metric(is_refused).await, 0, "{name}");
    }
    // A file that is gone is not an attempt to take in a new one.
    fs::remove_file(mount.path().join("tls.key")).unwrap();
    until("the missing file is reported", || async {
        let (status, text) = get(running.admin, "/readyz?verbose").await;
        status == 200 && text.contains("[!]certificate-files: cannot read the private key ")
    })
    .await;
    shows(&running, &good).await;
    symlink("..data/tls.key", mount.path().join("tls.key")).unwrap();
    until("all is well again", || async {
        get(running.admin, "/readyz?verbose")
            .await
            .1
            .contains("[+]certificate-files ok")
    })
    .await;
    assert_eq!(load.end().await, Vec::<String>::new());
}

/// The process with its own log and its own second between looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_a_key_is_logged_or_shown() {
    let authority = authority();
    let (first, second) = (pair(&authority), pair(&authority));
    let folder = folder_of(&first);
    let process = start(folder.path(), &["--log-level", "debug"]).await;
    // The key where the certificate belongs, and the certificate where the key belongs: the mistake that would show it.
    fs::write(folder.path().join("tls.crt"), &second.key).unwrap();
    fs::write(folder.path().join("tls.key"), &second.chain).unwrap();
    until("it is reported", || async {
        get(process.admin, "/readyz?verbose")
            .await
            .1
            .contains("[!]certificate-files: ")
    })
    .await;
    let answered = call(
        &client(process.address, authority.certificate()),
        &asked("u"),
    )
    .await;
    assert!(answered.is_ok());
    until("it is logged", || async {
        process.line("the last good files stay in use").is_some()
    })
    .await;
    let seen = process.log() + &get(process.admin, "/readyz?verbose").await.1;
    for pair in [&first, &second] {
        let body = pair.key.lines().filter(|line| !line.starts_with("-----"));
        for line in body {
            assert!(!seen.contains(line), "{line} in {seen}");
            // Nor a piece of it.
            assert!(
                !seen.contains(&line[..line.len().min(16)]),
                "{line} in {seen}"
            );
        }
    }
}

fn port_of(object: &Value) -> Option<&Value> {
    let env = "/spec/predictors/0/componentSpecs/0/spec/containers/0/env";
    let env = object.pointer(env)?.as_array()?;
    let port = env.iter().find(|it| it["name"] == "JAEGER_AGENT_PORT")?;
    port.get("value")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_config_is_used_and_a_bad_one_is_not() {
    let authority = authority();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    fs::write(&path, "defaults:\n  agentPort: 6831\n").unwrap();
    let mut settings = settings(Identity::Memory(pair(&authority)));
    settings.config = ConfigSource::File(path.clone());
    settings.limits.poll = POLL;
    let running = serve(settings, authority.certificate()).await;
    let client = running.client();
    let port = || async {
        let asked = asked("u");
        let object = check(&asked, &call(&client, &asked).await.unwrap());
        port_of(&object).cloned()
    };
    assert_eq!(port().await, Some(json!("6831")));
    fs::write(&path, "defaults:\n  agentPort: 7001\n").unwrap();
    until("the new port is injected", || async {
        port().await == Some(json!("7001"))
    })
    .await;

    fs::write(&path, "# a comment\ndefaults:\n  agentPort: many\n").unwrap();
    let refused = r#"seldon_tracing_reloads_total{what="config",result="refused"}"#;
    // A file that is written in place can be seen when it is empty, which is a config too: the built-in one.
    until("the bad one is reported with its line", || async {
        let (status, text) = get(running.admin, "/readyz?verbose").await;
        status == 200 && text.contains("[!]config-files: ") && text.contains("config.yaml:3:")
    })
    .await;
    assert!(running.metric(refused).await >= 1);
    assert!([Some(json!("7001")), Some(json!("5775"))].contains(&port().await));

    let next = folder.path().join("next.yaml");
    fs::write(&next, "defaults:\n  agentPort: 7002\n").unwrap();
    fs::rename(&next, &path).unwrap();
    until("the next good one is used", || async {
        port().await == Some(json!("7002"))
    })
    .await;
    fs::write(&next, "defaults:\n  agentPort: many\n").unwrap();
    let before = running.metric(refused).await;
    fs::rename(&next, &path).unwrap();
    until("it is refused", || async {
        running.metric(refused).await > before
    })
    .await;
    assert_eq!(port().await, Some(json!("7002")));
    fs::remove_file(&path).unwrap();
    until("the missing file is reported", || async {
        get(running.admin, "/readyz?verbose")
            .await
            .1
            .contains("cannot read the config file")
    })
    .await;
    assert_eq!(port().await, Some(json!("7002")));
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Opening a FIFO waits for its writer, and would go on to wait at every look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fifo_is_refused_and_the_other_files_are_still_looked_at() {
    let authority = authority();
    let first = pair(&authority);
    let mut mount = Mount::new(&files_of(&first));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    fs::write(&path, "").unwrap();
    let mut settings = settings(Identity::Files(files(mount.path())));
    settings.config = ConfigSource::File(path.clone());
    settings.limits.poll = POLL;
    let running = serve(settings, authority.certificate()).await;
    shows(&running, &first).await;

    let next = folder.path().join("next.yaml");
    fifo(&next);
    fs::rename(&next, &path).unwrap();
    for _ in 0..2 {
        let second = pair(&authority);
        mount.swap(&files_of(&second));
        shows(&running, &second).await;
    }
    until("the FIFO is reported", || async {
        let (status, text) = get(running.admin, "/readyz?verbose").await;
        status == 200 && text.contains("it is a FIFO, not a regular file")
    })
    .await;
    fs::write(&next, "").unwrap();
    fs::rename(&next, &path).unwrap();
    until("all is well again", || async {
        let text = get(running.admin, "/readyz?verbose").await.1;
        text.contains("[+]config-files ok")
    })
    .await;
}

#[test]
fn no_webhook_starts_with_what_is_no_regular_file() {
    let folder = folder_of(&pair(&authority()));
    fifo(&folder.path().join("fifo"));
    let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
    for (path, kind) in [
        ("fifo", "a FIFO"),
        ("socket", "a socket"),
        ("/dev/zero", "a device"),
        ("/dev/stdin", "a FIFO"), // which the test gives it
        (".", "a folder"),
    ] {
        for flag in ["--config", "--client-ca", "--tls-cert", "--tls-key"] {
            let mut command = binary(folder.path());
            command.arg("serve");
            for (known, file) in [("--tls-cert", "tls.crt"), ("--tls-key", "tls.key")] {
                if known != flag {
                    command.args([known, file]);
                }
            }
            command.args([flag, path]);
            let mut command = assert_cmd::Command::from_std(command);
            let output = command.timeout(LONG).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            let expected = format!("{path}: it is {kind}, not a regular file");
            assert!(said.contains(&expected), "{flag} {path}: {said}");
            assert_eq!(output.status.code(), Some(2), "{flag} {path}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_config_is_said_in_a_few_lines() {
    let folder = folder_of(&pair(&authority()));
    let path = folder.path().join("config.yaml");
    fs::write(&path, "").unwrap();
    let process = start(folder.path(), &["--config", "config.yaml"]).await;
    let next = folder.path().join("next.yaml");
    fs::write(&next, format!("defaults:\n{}", "  x: 1\n".repeat(9000))).unwrap();
    fs::rename(&next, &path).unwrap();
    until("it is logged", || async {
        process.line("the last good files stay in use").is_some()
    })
    .await;
    let text = get(process.admin, "/readyz?verbose").await.1;
    assert!(text.contains("and 8980 more problems"), "{text}");
    assert!(text.len() + process.log().len() < 16 * 1024);
    fs::write(&next, "# a comment\n".repeat(30_000)).unwrap();
    fs::rename(&next, &path).unwrap();
    until("it is refused", || async {
        let text = get(process.admin, "/readyz?verbose").await.1;
        text.contains("it has more than 262144 bytes")
    })
    .await;
}

fn caller(authority: &Authority) -> (Vec<u8>, Vec<u8>) {
    let names = Names {
        dns: vec!["kube-apiserver".to_owned()],
        ip: Vec::new(),
    };
    let now = time::OffsetDateTime::now_utc();
    let pair = authority
        .issue(&names, Purpose::Client, now, time::Duration::DAY)
        .unwrap();
    (pair.chain.into_bytes(), pair.key.into_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_client_ca_counts_for_new_connections() {
    let (server, old, new) = (authority(), authority(), authority());
    let folder = folder_of(&pair(&server));
    let client_ca = folder.path().join("client-ca.crt");
    fs::write(&client_ca, old.certificate()).unwrap();
    let mut files = files(folder.path());
    files.client_ca = Some(client_ca.clone());
    let mut settings = settings(Identity::Files(files));
    settings.limits.poll = POLL;
    let running = serve(settings, server.certificate()).await;
    let (address, ca) = (running.address, running.ca.clone().into_bytes());
    let with = |identity: Option<(Vec<u8>, Vec<u8>)>| {
        let target = Target {
            url: format!("https://{address}"),
            trust: Trust::Authorities(ca.clone()),
            server_name: None,
            identity,
        };
        Client::new(&target).unwrap()
    };
    // With TLS 1.3 the refusal comes after the client's side of the handshake: as an alert, or as an end of the connection.
    let refused = |client: Client| async move {
        let answered = client.call(asked("u").body, LONG).await;
        match answered {
            Err(ClientError::Tls(_, trouble)) => {
                trouble.starts_with("it requires a client certificate")
            }
            Err(ClientError::Broken(..)) => true,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(with(None)).await);
    assert!(refused(with(Some(caller(&new)))).await);
    let kept = with(Some(caller(&old)));
    call(&kept, &asked("u")).await.unwrap();

    let next = folder.path().join("next.crt");
    fs::write(&next, new.certificate()).unwrap();
    fs::rename(&next, &client_ca).unwrap();
    until("the new CA counts", || async {
        call(&with(Some(caller(&new))), &asked("u")).await.is_ok()
    })
    .await;
    assert!(refused(with(Some(caller(&old)))).await);
    assert!(refused(with(None)).await);
    // A connection that is open stays.
    call(&kept, &asked("u")).await.unwrap();
    assert_eq!(
        metric(running.admin, "seldon_tracing_panics_total").await,
        0
    );
}
