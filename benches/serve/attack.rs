//! What attacks do to others: how late good requests and `/livez` are answered, and what the webhook's memory comes to. The webhook is
//! in a container's memory limit, and new for each attack; attackers come from another address than the API server, or from the same.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::client::TlsStream;

use super::attackers::{self, Attack};
use super::cgroup::Cgroup;
use super::load::{Connector, answer, request, tcp};
use super::process::Process;
use super::support;

/// How long each attack is looked at.
const WHILE: Duration = Duration::from_secs(4);

/// What the API server waits for, with our webhook configuration.
const PATIENCE: Duration = Duration::from_secs(3);

const API_SERVER: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Connections that the API server has already.
const KEPT: u32 = 4;

/// Others disturb a machine, so each attack is looked at so often, and the better times count. The most memory does.
const TURNS: usize = 2;

pub(crate) async fn all(wanted: &[String]) {
    println!(
        "\n| attack | from | peak of memory, and of sockets | p99 over open connections | failed | p99 over new ones | failed | `/livez` p99 | most |\n|---|---|---|---|---|---|---|---|---|"
    );
    let attacks = attackers::all();
    let is_wanted = |attack: &Attack| {
        wanted.is_empty() || wanted.iter().any(|it| attack.name.contains(it.as_str()))
    };
    report("none", "", None).await;
    for (number, attack) in attacks.iter().enumerate().filter(|it| is_wanted(it.1)) {
        report(attack.name, "elsewhere", Some((number, ELSEWHERE))).await;
        if attack.by_address {
            report(attack.name, "the same", Some((number, API_SERVER))).await;
        }
    }
    if let Err(error) = Cgroup::new() {
        println!(
            "\nThere was no limit of memory, and the peak is that of resident memory: {error}"
        );
    }
}

/// The process of an attacker.
pub(crate) fn as_attacker(arguments: &[String]) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let [number, port, from, seconds] = arguments else {
        panic!("number, port, address and seconds");
    };
    let time = Duration::from_secs(seconds.parse().unwrap());
    runtime.block_on(attackers::run(
        number.parse().unwrap(),
        port.parse().unwrap(),
        from.parse().unwrap(),
        time,
    ));
    runtime.shutdown_background();
}

async fn report(name: &str, from: &str, attack: Option<(usize, Ipv4Addr)>) {
    let mut best = look(attack).await;
    for _ in 1..TURNS {
        best = best.and(look(attack).await);
    }
    let Seen {
        peak,
        sockets,
        times: [open, new, livez],
    } = best;
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
    let ended = peak.is_none();
    let peak = peak.map_or_else(|| "ended".to_owned(), mib);
    println!(
        "| {name} | {from} | {peak} + {} MiB | {:.0} ms | {} of {} | {:.0} ms | {} of {} | {:.0} ms | {:.0} ms |",
        mib(sockets),
        open.p99,
        open.failed,
        open.count,
        new.p99,
        new.failed,
        new.count,
        livez.p99,
        livez.most
    );
    assert!(!ended, "the webhook did not live through this");
}

/// What an attack came to.
#[derive(Clone, Copy)]
struct Seen {
    /// Nothing if the webhook did not live through it.
    peak: Option<u64>,
    sockets: u64,
    /// Of good requests over open connections and over new ones, and of `/livez`.
    times: [Times; 3],
}

impl Seen {
    fn and(self, other: Self) -> Self {
        let mut pairs = self.times.into_iter().zip(other.times);
        let mut better = || pairs.next().map(|(one, other)| one.or(other)).unwrap();
        Self {
            peak: self.peak.zip(other.peak).map(|(one, other)| one.max(other)),
            sockets: self.sockets.max(other.sockets),
            times: [better(), better(), better()],
        }
    }
}

async fn look(attack: Option<(usize, Ipv4Addr)>) -> Seen {
    let group = Cgroup::new().ok();
    let mut webhook = match &group {
        Some(group) => Process::webhook_in(group),
        None => Process::webhook(),
    };
    let good = Arc::new(Good {
        request: request(&support::review(3, false)),
        connector: Connector::new("http/1.1"),
        port: webhook.port,
    });
    let mut kept = Vec::new();
    for _ in 0..KEPT {
        kept.push(good.connect().await.ok());
    }
    let attacker = attack.map(|(number, from)| {
        Process::attacker(number, webhook.port, from, WHILE + Duration::from_secs(2))
    });
    // The connections of the attack are made.
    sleep(Duration::from_secs(1)).await;
    let end = Instant::now() + WHILE;
    let new = tokio::spawn(Arc::clone(&good).over_new_ones(end));
    let livez = tokio::spawn(livez(webhook.admin, end));
    let mut open = JoinSet::new();
    for stream in kept {
        open.spawn(Arc::clone(&good).over_one(stream, end));
    }
    let open = open.join_all().await.concat();
    let times = [open, new.await.unwrap(), livez.await.unwrap()].map(Times::of);
    let survived = webhook.lives();
    // The group does not count the program's file where another process has read it before.
    let counted = group.as_ref().and_then(|group| group.peak().ok());
    let peak = survived.then(|| counted.unwrap_or_default().max(webhook.peak() * 1024));
    let sockets = group.as_ref().and_then(Cgroup::sockets).unwrap_or_default();
    if let Some(mut attacker) = attacker {
        let _ = attacker.kill();
        let _ = attacker.wait();
    }
    Seen {
        peak,
        sockets,
        times,
    }
}

/// What became of requests, in milliseconds.
#[derive(Clone, Copy)]
struct Times {
    count: usize,
    failed: usize,
    p99: f64,
    most: f64,
}

impl Times {
    fn or(self, other: Self) -> Self {
        if (self.failed, self.p99) <= (other.failed, other.p99) {
            self
        } else {
            other
        }
    }

    fn of(mut times: Vec<Option<Duration>>) -> Self {
        // A request that fails took as long as its caller waits.
        times.sort_unstable_by_key(|time| time.unwrap_or(PATIENCE));
        let ms = |at: usize| times[at].unwrap_or(PATIENCE).as_secs_f64() * 1e3;
        Self {
            count: times.len(),
            failed: times.iter().filter(|time| time.is_none()).count(),
            p99: ms((times.len() * 99).div_ceil(100) - 1),
            most: ms(times.len() - 1),
        }
    }
}

/// What the API server does.
struct Good {
    request: Vec<u8>,
    connector: Connector,
    port: u16,
}

type Connection = TlsStream<TcpStream>;

impl Good {
    async fn connect(&self) -> std::io::Result<Connection> {
        let stream = timeout(PATIENCE, tcp(API_SERVER, self.port)).await??;
        timeout(PATIENCE, self.connector.tls(stream)).await?
    }

    /// A request, over a connection if there is one. What says to come back is asked again after a second.
    async fn ask(&self, kept: &mut Option<Connection>) -> std::io::Result<()> {
        let mut buffer = Vec::with_capacity(16 * 1024);
        loop {
            let mut stream = match kept.take() {
                Some(stream) => stream,
                None => self.connect().await?,
            };
            stream.write_all(&self.request).await?;
            stream.flush().await?;
            let (status, _) = answer(&mut stream, &mut buffer).await?;
            *kept = Some(stream);
            match status {
                200 => return Ok(()),
                503 => sleep(Duration::from_secs(1)).await,
                _ => return Err(std::io::ErrorKind::Other.into()),
            }
        }
    }

    async fn timed(&self, kept: &mut Option<Connection>) -> Option<Duration> {
        let start = Instant::now();
        let asked = timeout(PATIENCE, self.ask(kept)).await;
        matches!(asked, Ok(Ok(()))).then(|| start.elapsed())
    }

    async fn over_one(
        self: Arc<Self>,
        mut kept: Option<Connection>,
        end: Instant,
    ) -> Vec<Option<Duration>> {
        let mut times = Vec::new();
        let mut ticks = every(Duration::from_millis(40));
        while Instant::now() < end {
            ticks.tick().await;
            times.push(self.timed(&mut kept).await);
        }
        times
    }

    async fn over_new_ones(self: Arc<Self>, end: Instant) -> Vec<Option<Duration>> {
        let mut ticks = every(Duration::from_millis(50));
        let mut asking = JoinSet::new();
        while Instant::now() < end {
            ticks.tick().await;
            let good = Arc::clone(&self);
            asking.spawn(async move { good.timed(&mut None).await });
        }
        asking.join_all().await
    }
}

/// The kubelet, which opens a connection for each question.
async fn livez(admin: u16, end: Instant) -> Vec<Option<Duration>> {
    let ask = async || {
        let mut stream = tcp(API_SERVER, admin).await?;
        let asks = b"GET /livez HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";
        stream.write_all(asks).await?;
        answer(&mut stream, &mut Vec::new()).await
    };
    let mut times = Vec::new();
    let mut ticks = every(Duration::from_millis(20));
    while Instant::now() < end {
        ticks.tick().await;
        let start = Instant::now();
        let asked = timeout(PATIENCE, ask()).await;
        times.push(matches!(asked, Ok(Ok((200, _)))).then(|| start.elapsed()));
    }
    times
}

/// Ticks that come late move those after them.
fn every(time: Duration) -> Interval {
    let mut ticks = interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
