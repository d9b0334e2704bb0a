//! Clients that take their time, by will or not: none takes more of the webhook than its limits (requirements T2, T3). The limits are
//! scaled, so that nobody waits.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

mod load;

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use load::raw::{self, ends};
use load::{LONG, Running, asked, asked_of_size, call, serve_with, until};
use seldon_tracing::serve::Limits;
use tokio::task::spawn_blocking;

const SHORT: Duration = Duration::from_millis(200);

/// Runs what blocks, against a webhook with some limits changed.
async fn against<T: Send + 'static>(
    change: impl FnOnce(&mut Limits),
    client: impl FnOnce(SocketAddr, &str) -> T + Send + 'static,
) -> (Running, T) {
    let running = serve_with(|settings| change(&mut settings.limits)).await;
    let (address, ca) = (running.address, running.ca.clone());
    let result = spawn_blocking(move || client(address, &ca)).await.unwrap();
    (running, result)
}

/// It serves on, and it holds nothing for those that have gone.
async fn serves_on(running: &Running) {
    until("nothing is in work", || async {
        running.metric("seldon_tracing_requests_in_flight").await == 0
    })
    .await;
    call(&running.client(), &asked("after")).await.unwrap();
}

#[tokio::test]
async fn t3_a_connection_that_says_nothing_is_closed() {
    let (running, ended) = against(
        |limits| limits.handshake = SHORT,
        |address, _| ends(&mut raw::tcp(address)),
    )
    .await;
    assert!(ended);
    assert_eq!(
        running
            .metric("seldon_tracing_tls_handshake_errors_total")
            .await,
        1
    );
    serves_on(&running).await;
}

#[tokio::test]
async fn t3_a_connection_without_a_request_is_closed() {
    let (running, ended) = against(
        |limits| limits.first_request = SHORT,
        |address, ca| ends(&mut raw::tls(address, ca).unwrap()),
    )
    .await;
    assert!(ended);
    serves_on(&running).await;
}

/// Bytes that come now and then buy no time, neither for the first request nor for the next.
#[tokio::test]
async fn t3_a_header_that_trickles_is_cut_off() {
    let (running, ()) = against(
        |limits| {
            limits.first_request = SHORT;
            limits.idle = SHORT;
        },
        |address, ca| {
            let header = raw::header(10, "30s");
            let slowly = Duration::from_millis(20);
            // The whole of it would take 2 seconds and more.
            let mut stream = raw::tls(address, ca).unwrap();
            let sent = raw::trickle(&mut stream, header.as_bytes(), slowly);
            assert!(sent.is_err() || ends(&mut stream));

            let mut stream = raw::tls(address, ca).unwrap();
            let asked = asked("first");
            let first = raw::header(asked.body.len(), "30s");
            stream.write_all(first.as_bytes()).unwrap();
            stream.write_all(&asked.body).unwrap();
            assert_eq!(raw::answer(&mut stream).unwrap().0, 200);
            let sent = raw::trickle(&mut stream, header.as_bytes(), slowly);
            assert!(sent.is_err() || ends(&mut stream));
        },
    )
    .await;
    serves_on(&running).await;
    assert_eq!(
        running
            .metric(r#"seldon_tracing_answers_total{code="408"}"#)
            .await,
        0
    );
}

/// The time is that of the caller, or the webhook's own where it names none.
#[tokio::test]
async fn t3_a_body_that_trickles_is_answered_with_408() {
    let (running, ()) = against(
        |limits| limits.request = Duration::from_secs(1),
        |address, ca| {
            for timeout in ["1s", "nonsense"] {
                let mut stream = raw::tls(address, ca).unwrap();
                let header = raw::header(100_000, timeout);
                stream.write_all(header.as_bytes()).unwrap();
                // It stops early: who sends to a closed connection loses the answer that is waiting for it.
                raw::trickle(&mut stream, b"   ", Duration::from_millis(20)).unwrap();
                let (status, head, _) = raw::answer(&mut stream).unwrap();
                assert_eq!(status, 408, "{head}");
                assert!(head.contains("connection: close"), "{head}");
                assert!(ends(&mut stream));
            }
        },
    )
    .await;
    assert_eq!(
        running
            .metric(r#"seldon_tracing_answers_total{code="408"}"#)
            .await,
        2
    );
    serves_on(&running).await;
}

/// Answers that nobody takes are asked for, until the buffers of both systems are full.
#[tokio::test]
async fn t3_a_client_that_does_not_read_is_cut_off() {
    let (running, cut_off) = against(
        |limits| {
            limits.stalled_write = SHORT;
            limits.idle = LONG * 2;
        },
        |address, ca| {
            let mut stream = raw::tls(address, ca).unwrap();
            stream.sock.set_write_timeout(Some(LONG)).unwrap();
            let asked = asked("u");
            let mut request = raw::header(asked.body.len(), "30s").into_bytes();
            request.extend_from_slice(&asked.body);
            // Each is answered with about a kilobyte; these fill the largest buffers of TCP.
            (0..50_000).find_map(|_| stream.write_all(&request).err())
        },
    )
    .await;
    let error = cut_off.unwrap();
    let waited = [std::io::ErrorKind::WouldBlock, std::io::ErrorKind::TimedOut];
    assert!(!waited.contains(&error.kind()), "{error}");
    until("the connection has gone", || async {
        running.metric("seldon_tracing_connections").await == 0
    })
    .await;
    serves_on(&running).await;
}

/// No limit of time helps them here, and none is needed: who says nothing makes room for who asks.
#[tokio::test]
async fn t3_silent_connections_make_room_for_a_newcomer() {
    let (running, silent) = against(
        |limits| {
            limits.connections = 8;
            limits.handshake = LONG;
            limits.first_request = LONG;
        },
        |address, ca| {
            let silent: Vec<_> = (0..4).map(|_| raw::tcp(address)).collect();
            let greeted: Vec<_> = (0..4).map(|_| raw::tls(address, ca).unwrap()).collect();
            (silent, greeted)
        },
    )
    .await;
    until("all places are taken", || async {
        running.metric("seldon_tracing_connections").await == 8
    })
    .await;
    let kept = running.client();
    for _ in 0..3 {
        call(&kept, &asked("newcomer")).await.unwrap();
    }
    let idle = r#"seldon_tracing_connections_evicted_total{kind="idle"}"#;
    assert_eq!(running.metric(idle).await, 1);
    // More of them do not push out the one that has been served.
    let (address, flood) = (running.address, 16);
    let more = spawn_blocking(move || (0..flood).map(|_| raw::tcp(address)).collect::<Vec<_>>());
    let more = more.await.unwrap();
    until("they are taken in", || async {
        running.metric(idle).await == 1 + flood
    })
    .await;
    call(&kept, &asked("still there")).await.unwrap();
    assert_eq!(running.metric(idle).await, 1 + flood);
    drop((silent, more));
}

/// Bodies that stop half way hold all places; who holds what others wait for loses it after the patience.
#[tokio::test]
async fn t3_bodies_that_stop_half_way_lose_their_place() {
    let (running, stuck) = against(
        |limits| {
            limits.places = 4;
            limits.patience = Duration::from_millis(50);
        },
        |address, ca| {
            let half = asked_of_size("half", 1000);
            let stuck: Vec<_> = (0..4)
                .map(|_| {
                    let mut stream = raw::tls(address, ca).unwrap();
                    let header = raw::header(half.body.len(), "30s");
                    stream.write_all(header.as_bytes()).unwrap();
                    stream.write_all(&half.body[..half.body.len() / 2]).unwrap();
                    stream.flush().unwrap();
                    stream
                })
                .collect();
            stuck
        },
    )
    .await;
    until("all places are taken", || async {
        running.metric("seldon_tracing_requests_in_flight").await == 4
    })
    .await;
    // Their own time is 30 seconds, as long as that of this call: it does not wait for them.
    call(&running.client(), &asked("good")).await.unwrap();
    let slow = r#"seldon_tracing_connections_evicted_total{kind="slow"}"#;
    assert!(running.metric(slow).await >= 1);
    for stream in stuck {
        // Those that were not cut off go by themselves.
        let _ = stream.sock.shutdown(Shutdown::Both);
    }
    serves_on(&running).await;
}

/// A Go client keeps an idle connection for 90 seconds: here 900 ms, where the webhook waits for 1200 ms instead of 120 s.
#[tokio::test]
async fn t2_an_idle_connection_lives_longer_than_the_api_server_keeps_it() {
    let go = Duration::from_secs(90);
    let limits = Limits::default();
    assert!(limits.idle > go + Duration::from_secs(10));
    let running = serve_with(|settings| settings.limits.idle = limits.idle / 100).await;
    let client = running.client();
    call(&client, &asked("first")).await.unwrap();
    let before = running.metric("seldon_tracing_connections").await;
    // The passing of this time is what is tested.
    tokio::time::sleep(go / 100).await;
    call(&client, &asked("second")).await.unwrap();
    assert_eq!(
        (before, running.metric("seldon_tracing_connections").await),
        (1, 1)
    );
    until("it is closed in the end", || async {
        running.metric("seldon_tracing_connections").await == 0
    })
    .await;
}
