//! The life of the server: start, a roll of two replicas under load, kill, shutdown.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use seldon_tracing::pki::{Authority, Names, Purpose};
use seldon_tracing::serve::Identity;
use tokio::task::spawn_blocking;

use crate::support::load;
use crate::support::load::process::{Process, binary, command, start};
use crate::support::load::proxy::{Proxy, proxy};
use crate::support::load::{
    asked, authority, call, client, files, folder_of, get, load, metric, pair, pair_at, raw, serve,
    settings, until,
};

/// As many as the API server keeps connections.
const CALLERS: usize = 25;

/// SIGTERM to one replica under load: readiness falls while it still takes connections; it ends with 0.
async fn roll(proxy: &Proxy, replica: &mut Process, ca: &str) {
    replica.signal("TERM");
    let admin = replica.admin;
    until("readiness falls", || async {
        get(admin, "/readyz").await.0 == 503
    })
    .await;
    let (_, checks) = get(admin, "/readyz").await;
    assert!(checks.contains("[-]shutdown failed"), "{checks}");
    // Who has not heard of it yet still comes, over a new connection, and is answered.
    let answered = call(&client(replica.address, ca), &asked("late"))
        .await
        .unwrap();
    assert!(answered.closes);
    proxy.remove(replica.address);
    let ended = replica.ended().await;
    assert_eq!(ended.code(), Some(0), "{}", replica.log());
    assert!(
        replica.line("stopped in order").is_some(),
        "{}",
        replica.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roll_of_two_replicas_under_load_fails_no_request() {
    let authority = authority();
    let ca = authority.certificate().to_owned();
    let folder = folder_of(&pair(&authority));
    let flags = ["--lame-duck", "2s", "--drain", "20s"];
    let mut a = start(folder.path(), &flags).await;
    let mut b = start(folder.path(), &flags).await;
    let proxy = proxy().await;
    proxy.add(a.address);
    proxy.add(b.address);
    let shared = client(proxy.address, &ca);
    let load = load(CALLERS, move || shared.clone());
    load.more(500).await;
    assert!(proxy.open(a.address) > 0 && proxy.open(b.address) > 0);

    roll(&proxy, &mut a, &ca).await;
    let closes = load.closes.load(Ordering::Acquire);
    assert!(closes > 0, "no answer said Connection: close");
    load.more(200).await;

    let again = start(folder.path(), &flags).await;
    proxy.add(again.address);
    roll(&proxy, &mut b, &ca).await;
    assert!(load.closes.load(Ordering::Acquire) > closes);
    load.more(200).await;
    assert!(proxy.open(again.address) > 0);
    assert_eq!(load.end().await, Vec::<String>::new());
}

/// Each connection that the kill breaks fails at most one request: the one that was on it, or the one that was sent on it before the
/// client saw its end. New connections do not go to the dead one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_at_most_one_request_for_each_connection() {
    let authority = authority();
    let ca = authority.certificate().to_owned();
    let folder = folder_of(&pair(&authority));
    let mut a = start(folder.path(), &[]).await;
    let b = start(folder.path(), &[]).await;
    let proxy = proxy().await;
    proxy.add(a.address);
    proxy.add(b.address);
    let shared = client(proxy.address, &ca);
    let of_load = shared.clone();
    let load = load(CALLERS, move || of_load.clone());
    load.more(200).await;
    proxy.remove(a.address);
    let open = proxy.open(a.address);
    assert!(open > 0);
    a.signal("KILL");
    a.ended().await;
    load.more(500).await;
    let failed = load.end().await;
    assert!(failed.len() <= open, "{open} connections: {failed:?}");
    // Not by luck: the one that is left answers, also when there is no load.
    for number in 0..CALLERS {
        call(&shared, &asked(&number.to_string())).await.unwrap();
    }
    assert!(metric(b.admin, "seldon_tracing_connections").await > 0);
}

#[test]
fn a_webhook_for_development_ends_with_the_first_signal() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.args(["--admin-listen", "127.0.0.1:0"]);
    let mut child = command.spawn().unwrap();
    let mut ca = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut ca).unwrap();
    let begin = Instant::now();
    let mut interrupt = Command::new("kill");
    interrupt.args(["-INT", &child.id().to_string()]);
    assert!(interrupt.status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // A webhook in a cluster takes at least 10 s.
    assert!(begin.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = folder_of(&pair(&authority()));
    let mut process = start(folder.path(), &["--lame-duck", "1h"]).await;
    process.signal("TERM");
    let admin = process.admin;
    until("readiness falls", || async {
        get(admin, "/readyz").await.0 == 503
    })
    .await;
    process.signal("INT");
    let ended = process.ended().await;
    assert_eq!(ended.code(), Some(2), "{}", process.log());
    assert!(process.line("stopped at once by a second signal").is_some());
}

/// The request would have 30 seconds; the shutdown does not wait for them.
#[tokio::test]
async fn a_request_that_does_not_end_keeps_it_no_longer_than_the_drain() {
    let authority = authority();
    let folder = folder_of(&pair(&authority));
    let flags = ["--lame-duck", "10ms", "--drain", "200ms"];
    let mut process = start(folder.path(), &flags).await;
    let (address, admin) = (process.address, process.admin);
    let ca = authority.certificate().to_owned();
    let stuck = spawn_blocking(move || {
        let mut stream = raw::tls(address, &ca).unwrap();
        stream
            .write_all(raw::header(1000, "30s").as_bytes())
            .unwrap();
        stream.flush().unwrap();
        stream
    });
    let stuck = stuck.await.unwrap();
    until("the request is in work", || async {
        metric(admin, "seldon_tracing_requests_in_flight").await == 1
    })
    .await;
    process.signal("TERM");
    let ended = tokio::time::timeout(Duration::from_secs(25), process.ended());
    assert_eq!(ended.await.unwrap().code(), Some(0), "{}", process.log());
    let cut_off = "stopped; these connections had not ended in time";
    assert_eq!(process.line(cut_off).unwrap()["connections"], 1);
    drop(stuck);
}

/// Runs it in a folder where it cannot start. Gives what it says.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    // A flag that is given twice is an error, so the ports are those of the case where it has any.
    let ports: &[&str] = if arguments.contains(&"--listen") {
        &[]
    } else {
        &ports
    };
    let command = command(folder, &[ports, arguments].concat());
    let output = assert_cmd::Command::from_std(command)
        .timeout(load::LONG)
        .output();
    let output = output.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(output.stdout, b"");
    said
}

/// The reader of the log goes: requests are answered as before, and what is lost is counted.
#[tokio::test]
async fn lines_of_a_log_that_nobody_reads_are_counted() {
    let authority = authority();
    let folder = folder_of(&pair(&authority));
    let process = start(folder.path(), &[]).await;
    let client = client(process.address, authority.certificate());
    let lost = "seldon_tracing_log_lines_dropped_total";
    call(&client, &asked("read")).await.unwrap();
    assert_eq!(metric(process.admin, lost).await, 0);
    process.stop_reading();
    until("lines are lost", || async {
        call(&client, &asked("unread")).await.unwrap();
        metric(process.admin, lost).await > 0
    })
    .await;
}

#[test]
fn what_keeps_it_from_starting_is_said_once_and_clearly() {
    let authority = authority();
    let good = pair(&authority);
    let folder = folder_of(&good);
    let at = folder.path();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(at, &["--listen", &address, "--admin-listen", "127.0.0.1:0"]);
    assert!(
        said.contains(&format!("cannot listen on {address}: ")),
        "{said}"
    );
    assert!(said.contains("--listen"), "{said}");
    let said = refused(at, &["--listen", "127.0.0.1:0", "--admin-listen", &address]);
    assert!(
        said.contains("choose another with --admin-listen"),
        "{said}"
    );

    std::fs::write(at.join("bad.yaml"), "agentPort: 99999999\nnoSuchField: 1\n").unwrap();
    let said = refused(at, &["--config", "bad.yaml"]);
    assert!(
        said.contains("the config file bad.yaml is not usable:"),
        "{said}"
    );
    assert!(
        said.contains("bad.yaml:1:") && said.contains("agentPort"),
        "{said}"
    );
    assert!(
        said.contains("bad.yaml:2:") && said.contains("noSuchField"),
        "{said}"
    );
    // Each on a line of its own, in the form of the log.
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    assert!(
        said.lines().count() == 3 && said.lines().all(is_json),
        "{said}"
    );
    let said = refused(at, &["--config", "bad.yaml", "--log-format", "text"]);
    assert!(said.lines().count() == 3 && said.is_ascii(), "{said}");

    let other = pair(&authority);
    std::fs::write(at.join("tls.key"), &other.key).unwrap();
    let said = refused(at, &[]);
    assert!(said.contains("not usable together"), "{said}");

    let long_ago = time::OffsetDateTime::now_utc() - time::Duration::days(10);
    let ca = Authority::new(None, long_ago, time::Duration::days(30));
    let old = pair_at(&ca.unwrap(), long_ago);
    std::fs::write(at.join("tls.crt"), &old.chain).unwrap();
    std::fs::write(at.join("tls.key"), &old.key).unwrap();
    let said = refused(at, &[]);
    assert!(said.contains("the certificate is valid from "), "{said}");

    std::fs::remove_file(at.join("tls.crt")).unwrap();
    let said = refused(at, &[]);
    assert!(
        said.contains("cannot read the certificate tls.crt: "),
        "{said}"
    );
    for pair in [&good, &other, &old] {
        let secret = pair.key.lines().nth(1).unwrap();
        assert!(!said.contains(secret));
    }
}

#[tokio::test]
async fn ready_means_that_it_listens_and_says_on_what_it_depends() {
    let authority = authority();
    let identity = Identity::Memory(pair(&authority));
    let running = serve(settings(identity), authority.certificate()).await;
    call(&running.client(), &asked("u")).await.unwrap();
    assert_eq!(get(running.admin, "/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(
        get(running.admin, "/readyz").await,
        (200, "ok\n".to_owned())
    );
    let (status, text) = get(running.admin, "/readyz?verbose").await;
    assert_eq!(status, 200);
    for check in [
        "listener",
        "shutdown",
        "certificate-begun",
        "certificate-not-expired",
    ] {
        assert!(text.contains(&format!("[+]{check} ok\n")), "{text}");
    }
    assert!(text.ends_with("ready\n"), "{text}");
}

/// The certificate ends while it is served; a new one brings readiness back without a restart.
#[tokio::test]
async fn readiness_falls_when_the_certificate_has_expired() {
    let now = time::OffsetDateTime::now_utc();
    let then = now - time::Duration::days(1) + time::Duration::seconds(4);
    let authority = Authority::new(None, then, time::Duration::days(30)).unwrap();
    let short = pair_at(&authority, then);
    let folder = folder_of(&short);
    let mut settings = settings(Identity::Files(files(folder.path())));
    settings.limits.poll = Duration::from_millis(50);
    let running = serve(settings, authority.certificate()).await;
    until("readiness falls", || async {
        get(running.admin, "/readyz").await.0 == 503
    })
    .await;
    let (_, text) = get(running.admin, "/readyz").await;
    assert!(text.contains("[-]certificate-not-expired failed"), "{text}");
    assert_eq!(get(running.admin, "/livez").await.0, 200);

    let names = Names {
        dns: vec!["localhost".to_owned()],
        ip: vec![[127, 0, 0, 1].into()],
    };
    let good = authority
        .issue(&names, Purpose::Server, now, time::Duration::DAY)
        .unwrap();
    std::fs::write(folder.path().join("tls.key"), &good.key).unwrap();
    std::fs::write(folder.path().join("tls.crt"), &good.chain).unwrap();
    until("it is ready again", || async {
        get(running.admin, "/readyz").await.0 == 200
    })
    .await;
    call(&running.client(), &asked("u")).await.unwrap();
}
