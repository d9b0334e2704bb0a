//! The engine, the configuration and the review are pure (M5): what would make them depend on anything but their input does not occur in their text.

#![expect(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What a pure module has no use for.
const FORBIDDEN: [&str; 20] = [
    "std::fs",
    "std::io",
    "std::time",
    "std::env",
    "std::process",
    "std::thread",
    "std::path",
    "SystemTime",
    "Instant",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "rand::",
    "tokio",
    "tracing::",
    "kube::",
    "println!",
    "eprintln!",
    "crate::commands",
    "crate::cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file: without comments, and without its tests, which stand last.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
    (1..)
        .zip(lines)
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn engine_config_and_review_do_no_io_and_know_no_clock() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for module in ["inject", "config", "admission", "apiserver/verify"] {
        sources(&source.join(module), &mut files);
    }
    assert!(files.len() > 40, "the sources are not where they were");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in code(&text) {
            for word in FORBIDDEN {
                assert!(!line.contains(word), "{}:{number}: {word}", file.display());
            }
            // Addresses may be parsed; nothing may be connected to.
            let net = line.contains("std::net")
                && !line.contains("Ipv4Addr")
                && !line.contains("Ipv6Addr");
            assert!(!net, "{}:{number}: std::net", file.display());
        }
    }
}
