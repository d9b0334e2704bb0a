//! More requests than the webhook has room for, and requests that meet a bug.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use seldon_tracing::admission::{Answer, AnswerError, Route, answer, uid_of};
use seldon_tracing::config::Config;
use tokio::task::{JoinSet, spawn_blocking};

use crate::support::load;
use crate::support::load::raw;
use crate::support::load::{
    asked, asked_of_containers, asked_of_size, call, load, serve_with, until,
};

const PLACES: usize = 4;

static OPEN: AtomicBool = AtomicBool::new(false);
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// A decision that takes far too long: the fault that is injected. Until the gate opens it does not end.
fn slow<'a>(body: &'a [u8], route: Route, config: &Config) -> Result<Answer<'a>, AnswerError> {
    let now = NOW.fetch_add(1, Ordering::AcqRel) + 1;
    MOST.fetch_max(now, Ordering::AcqRel);
    for _ in 0..10_000 {
        thread::sleep(Duration::from_millis(5));
        if OPEN.load(Ordering::Acquire) {
            break;
        }
    }
    let answer = answer(body, route, config);
    NOW.fetch_sub(1, Ordering::AcqRel);
    answer
}

/// The threads are more than the places, so that it is the memory that bounds the work. What does not fit is told to come back; not
/// one call fails, and not one connection is cut because the webhook is slow itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn ten_times_the_load_is_shed_and_comes_through() {
    const CALLERS: usize = PLACES * 10;
    let running = serve_with(|settings| {
        settings.decide = slow;
        // Half of it is for one client: enough for four such requests with their answers, and not for five.
        settings.limits.memory = 46_000;
    })
    .await;
    // Long enough that ten tries outlast the closed gate on a busy machine.
    let shared = running.client().with_second(Duration::from_millis(500));
    let of_load = shared.clone();
    let load = load(CALLERS, move || of_load.clone());
    let shed = r#"seldon_tracing_requests_shed_total{kind="memory"}"#;
    until("all others have been told to come back", || async {
        running.metric(shed).await >= (CALLERS - PLACES) as u64
    })
    .await;
    OPEN.store(true, Ordering::Release);
    load.more(CALLERS * 3).await;
    let sheds = running.metric(shed).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    assert_eq!(MOST.load(Ordering::Acquire), PLACES);
    // The overload has passed: nobody is told to come back, and nothing is held.
    let after = running.metric(shed).await;
    assert!(after >= sheds);
    for _ in 0..PLACES {
        assert_eq!(call(&shared, &asked("after")).await.unwrap().retries, 0);
    }
    assert_eq!(running.metric(shed).await, after);
    until("nothing is in work", || async {
        running.metric("seldon_tracing_requests_in_flight").await == 0
    })
    .await;
    assert_eq!(NOW.load(Ordering::Acquire), 0);
    let refused = "seldon_tracing_connections_refused_total";
    assert_eq!(running.metric(refused).await, 0);
}

static OPEN_TO_LARGE: AtomicBool = AtomicBool::new(false);

/// A decision that does not end until the gate opens.
fn gated<'a>(body: &'a [u8], route: Route, config: &Config) -> Result<Answer<'a>, AnswerError> {
    for _ in 0..10_000 {
        if OPEN_TO_LARGE.load(Ordering::Acquire) {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    answer(body, route, config)
}

/// Whoever is told to come back has its body read to the end first: otherwise the answer would reach it as a broken connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_wait_for_memory_and_none_is_broken() {
    const SIZE: usize = 6 << 20;
    const CALLERS: u64 = 10;
    let running = serve_with(|settings| {
        settings.decide = gated;
        // Two bodies of one client, not three.
        settings.limits.memory = 26 << 20;
        settings.limits.request = load::LONG;
    })
    .await;
    let client = running.client().with_second(Duration::from_secs(1));
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let client = client.clone();
        callers.spawn(async move {
            let asked = asked_of_size(&format!("large-{number}"), SIZE);
            let answered = client.call(asked.body.clone(), load::LONG).await;
            let answered = answered.map_err(|error| error.to_string())?;
            // An annotation of this size is none that Kubernetes takes, so what is made of it is of no interest here.
            load::patched(&asked, &answered);
            Ok::<_, String>(answered.retries)
        });
    }
    let shed = r#"seldon_tracing_requests_shed_total{kind="memory"}"#;
    until("most have been told to come back", || async {
        running.metric(shed).await >= CALLERS - 2
    })
    .await;
    OPEN_TO_LARGE.store(true, Ordering::Release);
    let ended = callers.join_all().await;
    let failed: Vec<_> = ended.iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(failed, Vec::<&String>::new());
    assert!(ended.iter().flatten().sum::<u32>() > 0);
}

static GATE: AtomicBool = AtomicBool::new(false);
static DECIDED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note(body: &[u8]) {
    DECIDED.lock().unwrap().push(uid_of(body).unwrap());
}

/// A decision that does not end until the gate opens, noted where it begins.
fn noted<'a>(body: &'a [u8], route: Route, config: &Config) -> Result<Answer<'a>, AnswerError> {
    note(body);
    for _ in 0..10_000 {
        if GATE.load(Ordering::Acquire) {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    answer(body, route, config)
}

/// One large request is decided at a time. The others wait, but not after their time, not without their client, and not behind
/// all that another client sends.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
async fn large_requests_take_turns() {
    let running = serve_with(|settings| {
        settings.decide = noted;
        settings.limits.request = load::LONG;
    })
    .await;
    let (address, ca) = (running.address, running.ca.clone());
    let large = move |uid: &'static str, timeout: &'static str| {
        let ca = ca.clone();
        spawn_blocking(move || {
            let body = asked_of_size(uid, 1 << 20).body;
            let stream = raw::tcp_from_another(address);
            let mut stream = raw::tls_on(stream, "localhost", &ca, "http/1.1").unwrap();
            let header = raw::header(body.len(), timeout);
            stream.write_all(header.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            stream.flush().unwrap();
            stream
        })
    };
    let came = async |count| {
        until("so many bodies have come", || async {
            running
                .metric("seldon_tracing_request_body_bytes_count")
                .await
                == count
        })
        .await;
    };
    let mut waiting = vec![large("first", "1m").await.unwrap()];
    until("it is being decided", || async {
        !DECIDED.lock().unwrap().is_empty()
    })
    .await;

    let mut late = large("late", "200ms").await.unwrap();
    let late = spawn_blocking(move || raw::answer(&mut late).unwrap());
    let (status, head, body) = late.await.unwrap();
    assert_eq!(status, 503, "{head}");
    assert!(String::from_utf8(body).unwrap().contains("(time)"));

    let gone = large("gone", "1m").await.unwrap();
    came(3).await;
    drop(gone);
    until("it has gone", || async {
        running.metric("seldon_tracing_requests_in_flight").await == 1
    })
    .await;

    for (uid, count) in [("second", 4), ("third", 5)] {
        waiting.push(large(uid, "1m").await.unwrap());
        came(count).await;
    }
    let client = running.client();
    let good = tokio::spawn(async move {
        let asked = asked_of_size("good", 1 << 20);
        client.call(asked.body, load::LONG).await
    });
    came(6).await;

    GATE.store(true, Ordering::Release);
    assert_eq!(good.await.unwrap().unwrap().retries, 0);
    let answered = spawn_blocking(move || -> Vec<_> {
        waiting
            .iter_mut()
            .map(|it| raw::answer(it).unwrap().0)
            .collect()
    });
    assert_eq!(answered.await.unwrap(), [200; 3]);
    let decided = DECIDED.lock().unwrap().join(" ");
    assert_eq!(decided, "first good second third");
}

/// An answer that is longer than its body is counted like it.
#[tokio::test]
async fn an_answer_that_there_is_no_memory_for_is_not_kept() {
    let running = serve_with(|settings| settings.limits.memory = 1 << 20).await;
    let (address, ca) = (running.address, running.ca.clone());
    let asked = spawn_blocking(move || {
        let body = asked_of_containers("many", 2_000).body;
        let mut stream = raw::tls(address, &ca).unwrap();
        let header = raw::header(body.len(), "30s");
        stream.write_all(header.as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
        raw::answer(&mut stream).unwrap()
    });
    let (status, head, _) = asked.await.unwrap();
    assert_eq!(status, 503, "{head}");
    let shed = r#"seldon_tracing_requests_shed_total{kind="memory"}"#;
    assert_eq!(running.metric(shed).await, 1);
}

/// A bug that some requests meet.
fn buggy<'a>(body: &'a [u8], route: Route, config: &Config) -> Result<Answer<'a>, AnswerError> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    assert!(!text.contains(r#""uid":"boom"#), "a bug, with {text}");
    answer(body, route, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_its_request_and_nothing_else() {
    let running = serve_with(|settings| settings.decide = buggy).await;
    let shared = running.client();
    let load = load(4, move || shared.clone());
    load.more(20).await;
    let (address, ca) = (running.address, running.ca.clone());
    let on_one_connection = spawn_blocking(move || {
        let mut stream = raw::tls(address, &ca).unwrap();
        let mut ask = |uid: &str, size: usize| {
            let asked = asked_of_size(uid, size);
            let header = raw::header(asked.body.len(), "30s");
            stream.write_all(header.as_bytes()).unwrap();
            stream.write_all(&asked.body).unwrap();
            stream.flush().unwrap();
            raw::answer(&mut stream).unwrap()
        };
        // The large one is decided elsewhere.
        for size in [1, 1 << 20] {
            let (status, head, body) = ask("boom-1", size);
            let body = String::from_utf8(body).unwrap();
            assert_eq!(status, 500, "{body}");
            assert!(body.contains("boom-1"), "{body}");
            for theirs in ["classifier", "xx", "models", "somebody", "tracing\""] {
                assert!(!body.contains(theirs), "{theirs} in {body}");
            }
            assert!(!head.contains("retry-after"), "{head}");
            let (status, _, body) = ask("fine", size);
            assert_eq!(status, 200);
            let answered = seldon_tracing::apiserver::client::Answered {
                reply: seldon_tracing::apiserver::verify::Reply {
                    status,
                    content_type: Some("application/json".to_owned()),
                    body: body.into(),
                },
                retries: 0,
                closes: false,
            };
            load::patched(&asked_of_size("fine", size), &answered);
        }
    });
    on_one_connection.await.unwrap();
    load.more(20).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    assert_eq!(running.metric("seldon_tracing_panics_total").await, 2);
    assert_eq!(
        running
            .metric(r#"seldon_tracing_answers_total{code="500"}"#)
            .await,
        2
    );
}

/// A decision whose answer cannot be written.
fn unwritten<'a>(_: &'a [u8], _: Route, _: &Config) -> Result<Answer<'a>, AnswerError> {
    Err(AnswerError::Unwritten("no memory".to_owned()))
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_500_and_never_a_part_of_it() {
    let running = serve_with(|settings| settings.decide = unwritten).await;
    let client = running.client();
    let answered = client.call(asked("u").body, load::LONG).await.unwrap();
    let reply = answered.reply;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert_eq!(reply.status, 500);
    assert!(text.contains("request u;"), "{text}");
    assert_eq!(running.metric("seldon_tracing_panics_total").await, 1);
}
