//! One request for each file of a folder, to a webhook that is new for it: how long the answer takes, and what memory it costs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use super::load::{answer, connect, once, request};
use super::process::Process;
use super::support;

/// The limits, and how often each file is sent: the best time counts, and the most memory.
const LATEST: Duration = Duration::from_millis(50);
const MOST: u64 = 16 << 10;
const TURNS: usize = 3;

pub(crate) async fn all(folder: &Path) {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    println!("\n| input | bytes | status | time | KiB more than at rest |\n|---|---|---|---|---|");
    let mut over = Vec::new();
    for file in &files {
        let (name, body) = (file.file_name().unwrap(), fs::read(file).unwrap());
        let (mut time, mut memory, mut status) = (Duration::MAX, 0, 0);
        for _ in 0..TURNS {
            let webhook = Process::webhook();
            once(webhook.port, &support::review(1, false)).await;
            let rest = webhook.resident();
            let mut stream = connect(webhook.port).await;
            let mut buffer = Vec::new();
            let start = Instant::now();
            stream.write_all(&request(&body)).await.unwrap();
            (status, _) = answer(&mut stream, &mut buffer).await.unwrap();
            time = time.min(start.elapsed());
            memory = memory.max(webhook.peak().saturating_sub(rest));
        }
        let bytes = body.len();
        println!(
            "| {} | {bytes} | {status} | {:.1} ms | {memory} |",
            name.display(),
            time.as_secs_f64() * 1e3
        );
        if time > LATEST || memory > MOST {
            over.push(name);
        }
    }
    assert!(
        !files.is_empty() && over.is_empty(),
        "over the limits: {over:?}"
    );
}
