//! What clients do that mean no good. Each attack runs in a process of its own, for a time and with a number of connections that are
//! both bounded.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::crafted::{self, LARGEST};
use super::h2::{self, frame};
use super::load::{Connector, request, tcp};
use super::support;

/// Connections of an attacker that wants many: more than are taken.
const MANY: usize = 700;

/// What a client does on each of its connections. When one ends, it opens the next.
enum Conduct {
    /// Nothing.
    Nothing,
    /// Says this before there is TLS, and then nothing.
    Plain(Vec<u8>),
    /// Says this, and then nothing.
    Stops(Vec<u8>),
    /// Asks this again and again, each time when it has the answer.
    Asks(Vec<u8>),
    /// Asks this again and again, and reads no answer.
    Deaf(Vec<u8>),
    /// Comes through the handshake and goes.
    Goes,
    /// Speaks HTTP/2: takes so many bytes of each answer, says the first once, and then the other again and again.
    Http2(u32, Vec<u8>, Box<dyn Fn(u32) -> Vec<u8> + Send + Sync>),
}

/// An attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Whether it differs from the address of the API server: it takes what is shared by address.
    pub(crate) by_address: bool,
    connections: usize,
    conduct: Conduct,
}

/// All of them.
pub(crate) fn all() -> Vec<Attack> {
    [clients(), frames(), reviews()]
        .into_iter()
        .flatten()
        .collect()
}

fn attack(name: &'static str, connections: usize, conduct: Conduct) -> Attack {
    Attack {
        name,
        by_address: connections >= 96 || !matches!(conduct, Conduct::Asks(_)),
        connections,
        conduct,
    }
}

fn clients() -> Vec<Attack> {
    let body = |size: usize| {
        let mut whole = request(&vec![b' '; size]);
        whole.pop();
        whole
    };
    let head = format!(
        "POST /mutate HTTP/1.1\r\nHost: localhost\r\nX-Filler: {}",
        "x".repeat(30_000)
    );
    vec![
        attack("700 connections that say nothing", MANY, Conduct::Nothing),
        // The beginning of a ClientHello of 512 bytes.
        attack(
            "700 handshakes that stop",
            MANY,
            Conduct::Plain(vec![0x16, 3, 1, 2, 0, 1]),
        ),
        attack(
            "64 clients that connect, shake hands and go",
            64,
            Conduct::Goes,
        ),
        attack(
            "700 headers of 30 KB that do not end",
            MANY,
            Conduct::Stops(head.into()),
        ),
        attack(
            "700 bodies of 60 KB that do not end",
            MANY,
            Conduct::Stops(body(60 << 10)),
        ),
        attack(
            "96 bodies of 7 MiB that do not end",
            96,
            Conduct::Stops(body(LARGEST)),
        ),
        attack(
            "700 clients that read no answers",
            MANY,
            Conduct::Deaf(request(&support::review(60, false))),
        ),
        attack(
            "200 clients that read no answers, each 20 times its question",
            200,
            Conduct::Deaf(request(&crafted::long_answer(1500))),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn frames() -> Vec<Attack> {
    // What all streams send together is less than may be sent at once.
    let review = support::review(1, false);
    let long = crafted::long_answer(300);
    let all_streams = move |review: &[u8]| -> Vec<u8> {
        let streams = (0..8).map(|number| h2::review(2 * number + 1, review));
        streams.flatten().collect()
    };
    let ping = frame(h2::PING, 0, 0, &[0; 8]);
    let settings = frame(h2::SETTINGS, 0, 0, &[]);
    let pings = ping.repeat(512);
    vec![
        attack(
            "h2: 64 clients reset each stream at once",
            64,
            Conduct::Http2(
                1 << 20,
                Vec::new(),
                Box::new(|turn| {
                    let streams = (turn * 64..(turn + 1) * 64).flat_map(|number| {
                        let stream = 2 * number + 1;
                        let mut both = frame(h2::HEADERS, h2::END_HEADERS, stream, &h2::header());
                        both.extend(frame(h2::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
                        both
                    });
                    streams.collect()
                }),
            ),
        ),
        attack(
            "h2: 64 clients send CONTINUATION for ever",
            64,
            Conduct::Http2(
                1 << 20,
                frame(h2::HEADERS, 0, 1, &h2::header()),
                // A header that is no name yet, in pieces of 8 KB.
                Box::new(|_| {
                    frame(
                        h2::CONTINUATION,
                        0,
                        1,
                        &[&[0, 1, b'a', 1, b'b'][..]; 1600].concat(),
                    )
                }),
            ),
        ),
        attack(
            "h2: 400 clients with a window of 0, and PINGs",
            400,
            Conduct::Http2(0, all_streams(&review), slowly(ping.clone())),
        ),
        attack(
            "h2: 400 clients with a window of 1, and long answers",
            400,
            Conduct::Http2(1, all_streams(&long), slowly(ping)),
        ),
        attack(
            "h2: 64 clients send PINGs",
            64,
            Conduct::Http2(1 << 20, Vec::new(), Box::new(move |_| pings.clone())),
        ),
        attack(
            "h2: 64 clients send SETTINGS",
            64,
            Conduct::Http2(1 << 20, Vec::new(), Box::new(move |_| settings.repeat(512))),
        ),
    ]
}

/// Bytes that are of little use when they come often: only every tenth turn has them, and an empty turn waits.
fn slowly(bytes: Vec<u8>) -> Box<dyn Fn(u32) -> Vec<u8> + Send + Sync> {
    Box::new(move |turn| {
        if turn % 10 == 0 {
            bytes.clone()
        } else {
            Vec::new()
        }
    })
}

#[expect(clippy::too_many_lines, reason = "one table or one scenario")]
fn reviews() -> Vec<Attack> {
    let asks = |name, count, review: Vec<u8>| attack(name, count, Conduct::Asks(request(&review)));
    vec![
        asks(
            "64 clients, good reviews of 12 KB",
            64,
            support::review(3, false),
        ),
        asks(
            "200 clients, good reviews of 12 KB",
            200,
            support::review(3, false),
        ),
        asks(
            "16 clients, good reviews of 3 MB",
            16,
            support::review(900, false),
        ),
        asks("16 clients, 7 MiB of spaces", 16, vec![b' '; LARGEST]),
        asks(
            "16 clients, 7 MiB of empty containers",
            16,
            crafted::containers(LARGEST),
        ),
        asks(
            "64 clients, 250 KB of empty containers",
            64,
            crafted::containers(250 << 10),
        ),
        asks(
            "64 clients, 1500 containers in 20 KB",
            64,
            crafted::long_answer(1500),
        ),
        asks(
            "24 clients, names to exclude × predictors, 6 KB",
            24,
            crafted::excluded(450, 1200),
        ),
        asks(
            "4 clients, names to exclude × predictors, 300 lists",
            4,
            crafted::excluded_by_each(450, 300),
        ),
        asks(
            "4 clients, a template of 340 long names, 200 KB",
            4,
            crafted::template(200_000, 340, 1),
        ),
        asks(
            "4 clients, the same for 900 predictors",
            4,
            crafted::template(200_000, 340, 900),
        ),
        asks(
            "24 clients, variables of the orchestrator × predictors, 30 KB",
            24,
            crafted::engine(970, 970),
        ),
        asks(
            "4 clients, the same in 4 MB",
            4,
            crafted::engine(150_000, 2600),
        ),
        asks(
            "24 clients, settings × predictors, 40 KB",
            24,
            crafted::settings(900, 1000),
        ),
        asks(
            "4 clients, 150 000 keys in another order",
            4,
            crafted::reordered(150_000),
        ),
    ]
}

/// Runs one for a time, from an address.
pub(crate) async fn run(number: usize, port: u16, from: Ipv4Addr, time: Duration) {
    let attack = Arc::new(all().swap_remove(number));
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..attack.connections {
        let attack = Arc::clone(&attack);
        tasks.spawn(async move {
            let connector = Connector::new(match attack.conduct {
                Conduct::Http2(..) => "h2",
                _ => "http/1.1",
            });
            while Instant::now() < end {
                let _ = timeout_at(end, connection(&attack.conduct, &connector, from, port)).await;
                // Whoever is refused comes back, but not with all the CPU that there is.
                sleep(Duration::from_millis(50)).await;
            }
        });
    }
    tasks.join_all().await;
}

async fn connection(
    conduct: &Conduct,
    connector: &Connector,
    from: Ipv4Addr,
    port: u16,
) -> std::io::Result<()> {
    let mut plain = tcp(from, port).await?;
    match conduct {
        Conduct::Nothing => return until_the_end(&mut plain).await,
        Conduct::Plain(bytes) => {
            plain.write_all(bytes).await?;
            return until_the_end(&mut plain).await;
        }
        _ => {}
    }
    let mut stream = connector.tls(plain).await?;
    match conduct {
        Conduct::Nothing | Conduct::Plain(_) | Conduct::Goes => Ok(()),
        Conduct::Stops(bytes) => {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            until_the_end(&mut stream).await
        }
        Conduct::Asks(bytes) => {
            let mut buffer = Vec::with_capacity(64 * 1024);
            loop {
                stream.write_all(bytes).await?;
                stream.flush().await?;
                super::load::answer(&mut stream, &mut buffer).await?;
            }
        }
        Conduct::Deaf(bytes) => loop {
            stream.write_all(bytes).await?;
        },
        Conduct::Http2(window, once, again) => {
            stream.write_all(&h2::hello(*window)).await?;
            stream.write_all(once).await?;
            stream.flush().await?;
            let (mut reads, mut writes) = tokio::io::split(stream);
            let talk = async {
                for turn in 0.. {
                    let bytes = again(turn);
                    if bytes.is_empty() {
                        sleep(Duration::from_millis(50)).await;
                    }
                    send(&mut writes, &bytes).await?;
                }
                Ok(())
            };
            tokio::select! {
                ended = talk => ended,
                ended = until_the_end(&mut reads) => ended,
            }
        }
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Until the other side has had enough. What it says is of no interest.
async fn until_the_end(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    let mut ignored = vec![0; 16 * 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
