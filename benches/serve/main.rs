//! The whole server against its limit: a bare axum + axum-server + rustls server that answers the same bytes to requests of the same
//! size. Each runs as a process of its own, in turns, and the load comes from this one.
//!
//! `cargo bench --bench serve` runs all of it; `-- speed`, `-- memory` or `-- attack` a part. More words after `attack` choose the attacks
//! whose names have them. `-- inputs FOLDER` sends the reviews that are files of a folder, one by one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a benchmark that cannot go on has nothing better to do than to say where, and counts of requests are small"
)]

// Who these servers are is not what is measured, and the product has a check that takes any.
mod attack;
mod attackers;
mod cgroup;
mod crafted;
mod echo;
#[path = "../../tests/support/load/h2.rs"]
mod h2;
mod inputs;
#[path = "../../src/apiserver/client/insecure.rs"]
mod insecure;
mod load;
mod process;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use load::Load;
use process::Process;

/// As many as facts/rust.md measured with.
const CONNECTIONS: usize = 16;

/// How often each server gets its turn; the best turn counts, for others disturb it.
const TURNS: usize = 5;

fn main() {
    // Cargo puts this flag behind the words of the user.
    let arguments = std::env::args().skip(1).filter(|it| it != "--bench");
    let arguments: Vec<String> = arguments.collect();
    if arguments.first().map(String::as_str) == Some("--echo") {
        return echo::serve(&arguments[1]);
    }
    if arguments.first().map(String::as_str) == Some("--attacker") {
        return attack::as_attacker(&arguments[1..]);
    }
    let asked = |part: &str| {
        let parts = ["speed", "memory", "attack", "inputs"];
        let named = arguments.iter().any(|argument| argument == part);
        named
            || !arguments
                .iter()
                .any(|argument| parts.contains(&argument.as_str()))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if asked("speed") {
        for (name, containers) in [("5 KB", 1), ("12 KB", 3), ("65 KB", 17)] {
            runtime.block_on(speed(name, &support::review(containers, false)));
        }
        let update = support::review(3, true);
        runtime.block_on(speed("UPDATE of two objects", &update));
    }
    if asked("memory") {
        runtime.block_on(memory());
    }
    if asked("attack") {
        let wanted = arguments.iter().skip_while(|it| *it != "attack").skip(1);
        runtime.block_on(attack::all(&wanted.cloned().collect::<Vec<_>>()));
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "inputs") {
        let folder = arguments.get(at + 1).expect("inputs FOLDER");
        runtime.block_on(inputs::all(Path::new(folder)));
    }
}

/// Requests per second, CPU time and latency of both.
async fn speed(name: &str, review: &[u8]) {
    let webhook = Process::webhook();
    let answer = load::once(webhook.port, review).await;
    let echo = Process::echo(answer.len());
    println!(
        "\n{name}: a review of {} bytes, an answer of {} bytes, {CONNECTIONS} connections",
        review.len(),
        answer.len()
    );
    let mut best = [Load::default(), Load::default()];
    for _ in 0..TURNS {
        for (server, best) in [&echo, &webhook].into_iter().zip(&mut best) {
            let cpu = server.cpu();
            let mut load = load::closed(server.port, review, CONNECTIONS, 500).await;
            load.cpu = server.cpu().saturating_sub(cpu) / u32::try_from(load.requests).unwrap();
            if load.per_second > best.per_second {
                *best = load;
            }
        }
    }
    let rate = best[0].per_second.min(best[1].per_second) / 2.0;
    let mut p99 = [Duration::MAX; 2];
    for _ in 0..TURNS {
        for (server, p99) in [&echo, &webhook].into_iter().zip(&mut p99) {
            let half = load::open(server.port, review, CONNECTIONS, rate, 500).await;
            *p99 = (*p99).min(half.p99);
        }
    }
    for (name, load, p99) in [("echo", &best[0], p99[0]), ("serve", &best[1], p99[1])] {
        println!(
            "  {name:<6} {:>7.0} req/s   {:>6.1} us CPU a request   p99 at {rate:.0} req/s {:>7.1} us",
            load.per_second,
            load.cpu.as_secs_f64() * 1e6,
            p99.as_secs_f64() * 1e6
        );
    }
    println!(
        "  serve/echo: {:.2} of the requests per second, {:.2} of the p99 at half load",
        best[1].per_second / best[0].per_second,
        p99[1].as_secs_f64() / p99[0].as_secs_f64()
    );
}

/// Resident memory and the time to readiness.
async fn memory() {
    let review = support::review(3, false);
    let mut ready = Duration::MAX;
    for _ in 0..TURNS {
        let start = Instant::now();
        let webhook = Process::webhook();
        ready = ready.min(webhook.ready_at - start);
    }
    let webhook = Process::webhook();
    println!(
        "\nready after {:.1} ms (fastest of {TURNS} starts)",
        ready.as_secs_f64() * 1e3
    );
    println!("resident: {} KiB idle", webhook.resident());
    load::closed(webhook.port, &review, CONNECTIONS, 20_000 / CONNECTIONS).await;
    println!(
        "resident: {} KiB after 20000 requests on {CONNECTIONS} connections",
        webhook.resident()
    );
}
