//! Slow clients, malicious or not: none gets more of the webhook than its limits allow. The limits are
//! scaled, so that nobody waits.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use seldon_tracing::serve::Limits;
use tokio::task::spawn_blocking;

use crate::support::load::raw::{self, ends};
use crate::support::load::{
    LONG, Running, asked, asked_of_containers, asked_of_size, call, h2, serve_with, until,
};

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
async fn a_connection_that_says_nothing_is_closed() {
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
async fn a_connection_without_a_request_is_closed() {
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
async fn a_header_that_trickles_is_cut_off() {
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
async fn a_body_that_trickles_is_answered_with_408() {
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
async fn a_client_that_does_not_read_is_cut_off() {
    let (running, cut_off) = against(
        |limits| {
            limits.answer = SHORT;
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

const REFUSED: &str = "seldon_tracing_connections_refused_total";

/// No limit of time helps here, and none is needed: what one address can take is not all.
#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let (running, silent) = against(
        |limits| {
            limits.connections = 8;
            limits.handshake = LONG;
            limits.first_request = LONG;
        },
        |address, ca| {
            let tls = |_| raw::tls_on(raw::tcp_from_another(address), "localhost", ca, "h2");
            let silent: Vec<_> = (0..2).map(|_| raw::tcp_from_another(address)).collect();
            let greeted: Vec<_> = (0..2).map(|number| tls(number).unwrap()).collect();
            for _ in 0..20 {
                assert!(ends(&mut raw::tcp_from_another(address)));
            }
            (silent, greeted)
        },
    )
    .await;
    assert_eq!(running.metric(REFUSED).await, 20);
    assert_eq!(running.metric("seldon_tracing_connections").await, 4);
    // Two of the four that are free are for the next client, new ones and kept ones.
    let kept = running.client();
    for _ in 0..3 {
        call(&kept, &asked("kept")).await.unwrap();
        call(&running.client(), &asked("new")).await.unwrap();
    }
    assert_eq!(running.metric(REFUSED).await, 20);
    drop(silent);
}

/// Behind an address that an attacker uses too, a new connection is refused until the time of the attacker's is over.
#[tokio::test]
async fn the_address_of_an_attacker_recovers_after_the_deadline() {
    let (running, silent) = against(
        |limits| {
            limits.connections = 8;
            limits.handshake = Duration::from_secs(2);
        },
        |address, _| {
            let silent: Vec<_> = (0..4).map(|_| raw::tcp(address)).collect();
            assert!(ends(&mut raw::tcp(address)));
            silent
        },
    )
    .await;
    until("there is room", || async {
        call(&running.client(), &asked("good")).await.is_ok()
    })
    .await;
    assert_eq!(silent.len(), 4);
}

/// Bodies that stop half way hold memory until their time is over. It is not the memory of others.
#[tokio::test]
async fn bodies_that_stop_half_way_keep_no_other_client_waiting() {
    const SIZE: usize = 40_000;
    let (running, stuck) = against(
        |limits| {
            limits.memory = 4 * SIZE;
            limits.request = LONG;
        },
        |address, ca| {
            let half = asked_of_size("half", SIZE);
            let (sent, _) = half.body.split_at(SIZE - 1000);
            let half_way = || {
                let stream = raw::tcp_from_another(address);
                let mut stream = raw::tls_on(stream, "localhost", ca, "http/1.1").unwrap();
                let header = raw::header(half.body.len(), "30s");
                stream.write_all(header.as_bytes()).unwrap();
                stream.write_all(sent).unwrap();
                stream.flush().unwrap();
                stream
            };
            let stuck = half_way();
            // The next is over the share: it is told so at the end of its body.
            let mut refused = half_way();
            refused.write_all(&half.body[sent.len()..]).unwrap();
            let (status, head, _) = raw::answer(&mut refused).unwrap();
            assert_eq!(status, 503);
            assert!(head.contains("retry-after: 1"), "{head}");
            assert!(!head.contains("connection: close"), "{head}");
            stuck
        },
    )
    .await;
    for _ in 0..3 {
        let answered = call(&running.client(), &asked("good")).await.unwrap();
        assert_eq!(answered.retries, 0);
    }
    drop(stuck);
    serves_on(&running).await;
}

/// A client of HTTP/2 says how much of an answer it takes: here nothing, while it is busy with PINGs.
#[tokio::test]
async fn a_window_of_nothing_is_no_reason_to_wait() {
    let (running, ()) = against(
        |limits| limits.answer = SHORT,
        |address, ca| {
            let mut stream = raw::tls_on(raw::tcp(address), "localhost", ca, "h2").unwrap();
            stream.write_all(&h2::hello(0)).unwrap();
            for number in 0..4 {
                let review = h2::review(2 * number + 1, &asked("u").body);
                stream.write_all(&review).unwrap();
            }
            let ping = h2::frame(h2::PING, 0, 0, &[0; 8]);
            let end = Instant::now() + LONG;
            while stream
                .write_all(&ping)
                .and_then(|()| stream.flush())
                .is_ok()
            {
                assert!(Instant::now() < end, "it is never cut off");
                std::thread::sleep(Duration::from_millis(5));
            }
        },
    )
    .await;
    serves_on(&running).await;
}

/// A client that goes on taking a little is cut off too: here it would need seconds for a megabyte.
#[tokio::test]
async fn a_long_answer_that_is_taken_byte_by_byte_ends() {
    let (running, taken) = against(
        |limits| limits.answer = Duration::from_millis(500),
        |address, ca| {
            let stream = raw::tcp_from_another(address);
            let mut stream = raw::tls_on(stream, "localhost", ca, "http/1.1").unwrap();
            let many = asked_of_containers("many", 2_000);
            stream
                .write_all(raw::header(many.body.len(), "30s").as_bytes())
                .unwrap();
            stream.write_all(&many.body).unwrap();
            stream.flush().unwrap();
            let mut taken = 0;
            let mut piece = [0; 4000];
            let end = Instant::now() + LONG;
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                assert!(Instant::now() < end, "it is never cut off");
                taken += count;
                std::thread::sleep(Duration::from_millis(10));
            }
            taken
        },
    )
    .await;
    assert!((1..900_000).contains(&taken), "{taken}");
    serves_on(&running).await;
}

/// What is refused before its body has been read is heard all the same, by a client that sends all of it first.
#[tokio::test]
async fn a_refusal_is_heard_by_a_client_that_is_still_sending() {
    let (running, ()) = against(
        |limits| limits.request = Duration::from_secs(2),
        |address, ca| {
            let body = vec![b' '; 3 << 20];
            let good = raw::header(body.len(), "30s");
            let long = format!("X-Long: {}\r\nContent-Length", "x".repeat(100_000));
            for (status, header) in [
                (404, good.replace("/mutate", "/nowhere")),
                (405, good.replace("POST", "PUT")),
                (415, good.replace("application/json", "text/plain")),
                (413, raw::header(8 << 20, "30s")),
                (431, good.replace("Content-Length", &long)),
                (400, good.replace("Content-Length", "Bad Header")),
                (408, raw::header(body.len() + 1, "1s")),
            ] {
                // The answer gets lost or not, as it happens.
                for _ in 0..10 {
                    let mut stream = raw::tls(address, ca).unwrap();
                    stream.write_all(header.as_bytes()).unwrap();
                    let sent = stream.write_all(&body).and_then(|()| stream.flush());
                    assert!(sent.is_ok(), "{status}: {sent:?}");
                    let answer = raw::answer(&mut stream);
                    assert_eq!(answer.map(|it| it.0), Some(status));
                    assert!(ends(&mut stream));
                }
            }
        },
    )
    .await;
    serves_on(&running).await;
}

/// A Go client keeps an idle connection for 90 seconds: here 900 ms, where the webhook waits for 1200 ms instead of 120 s.
#[tokio::test]
async fn an_idle_connection_lives_longer_than_the_api_server_keeps_it() {
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
