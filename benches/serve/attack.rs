//! What clients can do to the memory of the webhook: each attack on a fresh process, and what it had resident at most.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::load::{request, try_connect};
use super::process::Process;
use super::support;

/// Connections of an attacker: more than are taken.
const MANY: usize = 700;

/// How long each attack is kept up.
const WHILE: Duration = Duration::from_secs(4);

pub(crate) async fn all() {
    println!(
        "\nresident memory under attack, at most, and whether a good request was answered meanwhile"
    );
    report("connections that say nothing", silent()).await;
    report("headers that do not end, 30 KB each", headers()).await;
    report("bodies of 7 MiB that do not end", bodies(7 << 20, 96)).await;
    report("bodies of 60 KB that do not end", bodies(60 << 10, MANY)).await;
    report(
        "7 MiB of empty containers, again and again",
        repeated(&containers(), 16),
    )
    .await;
    report(
        "250 KB of empty containers, again and again",
        repeated(&containers_of(250 << 10), 64),
    )
    .await;
    report("clients that do not read their answers", deaf()).await;
}

/// An attack is a set of tasks on a port, each of which goes on until it is cut off or the attack is over.
type Attack = Box<dyn Fn(u16, &mut JoinSet<()>)>;

async fn report(name: &str, attack: Attack) {
    let webhook = Process::webhook();
    let mut tasks = JoinSet::new();
    attack(webhook.port, &mut tasks);
    tokio::time::sleep(WHILE / 2).await;
    let good = async {
        let review = support::review(3, false);
        // A connection that is refused, or an answer that says to come back, is tried again as the API server does.
        loop {
            if let Ok(mut stream) = try_connect(webhook.port).await {
                let sent = stream.write_all(&request(&review)).await;
                let mut head = [0; 12];
                let read = stream.read_exact(&mut head).await;
                if sent.is_ok() && read.is_ok() && head.ends_with(b"200") {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let answered = tokio::time::timeout(Duration::from_secs(10), good)
        .await
        .is_ok();
    tokio::time::sleep(WHILE / 2).await;
    println!(
        "  {:>6} KiB  {:<4} {name}",
        webhook.peak(),
        if answered { "yes" } else { "NO" }
    );
    tasks.shutdown().await;
}

fn silent() -> Attack {
    Box::new(|port, tasks| {
        for _ in 0..MANY {
            tasks.spawn(async move {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                wait(&mut stream).await;
            });
        }
    })
}

fn headers() -> Attack {
    let mut head = b"POST /mutate HTTP/1.1\r\nHost: localhost\r\n".to_vec();
    head.extend_from_slice(b"X-Filler: ");
    head.resize(30_000, b'x');
    unfinished(head, MANY)
}

/// Sends this and then nothing more.
fn unfinished(part: Vec<u8>, count: usize) -> Attack {
    let part: Arc<[u8]> = part.into();
    Box::new(move |port, tasks| {
        for _ in 0..count {
            let part = Arc::clone(&part);
            tasks.spawn(async move {
                let Ok(mut stream) = try_connect(port).await else {
                    return;
                };
                let _ = stream.write_all(&part).await;
                wait(&mut stream).await;
            });
        }
    })
}

fn bodies(size: usize, count: usize) -> Attack {
    let mut whole = request(&vec![b' '; size]);
    whole.pop();
    unfinished(whole, count)
}

fn containers() -> Vec<u8> {
    containers_of(7 << 20)
}

/// A review that is full of empty containers.
fn containers_of(size: usize) -> Vec<u8> {
    let head = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"a","kind":{"group":"machinelearning.seldon.io","version":"v1","kind":"SeldonDeployment"},"operation":"CREATE","object":{"metadata":{"name":"a","annotations":{"tracing":"true"}},"spec":{"predictors":[{"name":"p","componentSpecs":[{"spec":{"containers":[{}"#;
    let tail = "]}}]}]}}}}";
    let mut review = head.to_owned();
    while review.len() + tail.len() + 3 < size {
        review.push_str(",{}");
    }
    (review + tail).into_bytes()
}

fn repeated(review: &[u8], count: usize) -> Attack {
    let request: Arc<[u8]> = request(review).into();
    Box::new(move |port, tasks| {
        for _ in 0..count {
            let request = Arc::clone(&request);
            tasks.spawn(async move {
                let mut sink = vec![0; 64 * 1024];
                while let Ok(mut stream) = try_connect(port).await {
                    if stream.write_all(&request).await.is_ok() {
                        let _ = stream.read(&mut sink).await;
                    }
                }
            });
        }
    })
}

/// Good requests, one after the other, whose answers nobody reads.
fn deaf() -> Attack {
    let request: Arc<[u8]> = request(&support::review(60, false)).into();
    Box::new(move |port, tasks| {
        for _ in 0..MANY {
            let request = Arc::clone(&request);
            tasks.spawn(async move {
                let Ok(mut stream) = try_connect(port).await else {
                    return;
                };
                while stream.write_all(&request).await.is_ok() {}
            });
        }
    })
}

/// Until the other side has had enough.
async fn wait(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut byte = [0];
    let _ = stream.read(&mut byte).await;
}
