//! The log on standard error: JSON for collectors, text for people.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{panic, thread};

use serde::ser::{SerializeMap, Serializer};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_serde::{AsSerde, SerdeMapVisitor};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::cli::{LogFormat, LogLevel};

/// Lines that may wait to be written. Requests do not wait for a slow reader of the log, and memory is bounded.
const LINES: usize = 4096;

/// The most bytes that are written together.
const BUFFER: usize = 64 * 1024;

/// How long lines are collected. A wake-up and a write for each line would cost more than the decision that it reports.
const GATHERING: Duration = Duration::from_millis(5);

/// Standard error, written at most once in [`GATHERING`] unless [`BUFFER`] is full. Only the log's own thread sleeps here: it flushes
/// whenever no line waits.
struct Gathering<W> {
    lines: Vec<u8>,
    out: W,
    /// Lines that could not be written, because the disk is full or the reader is gone.
    lost: Arc<AtomicU64>,
}

impl<W: Write> Gathering<W> {
    fn pass_on(&mut self) {
        let mut left = &self.lines[..];
        while !left.is_empty() {
            match self.out.write(left) {
                Ok(written) if written > 0 => left = &left[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        let lost = memchr::memchr_iter(b'\n', left).count() as u64;
        self.lost.fetch_add(lost, Ordering::Relaxed);
        self.lines.clear();
    }
}

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lines.len() + bytes.len() > BUFFER {
            self.pass_on();
        }
        self.lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on();
        thread::sleep(GATHERING);
        Ok(())
    }
}

/// Writes each event as one line of JSON, as the JSON format of tracing-subscriber does. That one passes a line on in pieces of a few
/// bytes and checks each of them.
struct JsonLines(NonBlocking);

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Ok(line) = json_line(event) {
            // What is lost is counted behind this.
            let _ = self.0.clone().write_all(&line);
        }
    }
}

fn json_line(event: &Event<'_>) -> serde_json::Result<Vec<u8>> {
    let mut timestamp = String::with_capacity(32);
    // Writing into a String does not fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    let mut line = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("timestamp", &timestamp)?;
    map.serialize_entry("level", &event.metadata().level().as_serde())?;
    let mut fields = SerdeMapVisitor::new(map);
    event.record(&mut fields);
    let mut map = fields.take_serializer()?;
    map.serialize_entry("target", event.metadata().target())?;
    map.end()?;
    line.push(b'\n');
    Ok(line)
}

/// Counts log lines that were not read in time, and those that could not be written.
#[derive(Clone, Debug)]
pub struct LostLines {
    unread: ErrorCounter,
    unwritten: Arc<AtomicU64>,
}

impl LostLines {
    /// Their number.
    #[must_use]
    pub fn count(&self) -> u64 {
        let unread = u64::try_from(self.unread.dropped_lines()).unwrap_or(u64::MAX);
        unread.saturating_add(self.unwritten.load(Ordering::Relaxed))
    }
}

/// Starts to log to standard error, in the background. Every line is written by the time the guard is dropped.
///
/// # Errors
/// If there already is a log, or no standard error.
pub fn start(
    format: LogFormat,
    level: LogLevel,
    colour: bool,
) -> io::Result<(WorkerGuard, LostLines)> {
    let lost = Arc::new(AtomicU64::new(0));
    let gathering = Gathering {
        lines: Vec::with_capacity(BUFFER),
        // std's own Stderr reports success for what it could not write.
        out: File::from(io::stderr().as_fd().try_clone_to_owned()?),
        lost: Arc::clone(&lost),
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES)
        .lossy(true)
        .finish(gathering);
    let lost = LostLines {
        unread: writer.error_counter(),
        unwritten: lost,
    };
    let terminal = io::stderr().is_terminal();
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // They log at each attempt what is reported once elsewhere, and quote an answer that they cannot read, which may be a Secret.
    let libraries = ["kube_client", "kube_runtime"].map(|name| (name, LevelFilter::OFF));
    let levels = Targets::new().with_default(level).with_targets(libraries);
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    if json {
        let lines = tracing_subscriber::registry()
            .with(levels)
            .with(JsonLines(writer));
        tracing::subscriber::set_global_default(lines).map_err(io::Error::other)?;
    } else {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(writer)
            .with_max_level(level)
            .with_ansi(colour && terminal)
            .finish()
            .with(levels);
        tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    }
    Ok((guard, lost))
}

/// Logs where a panic was, and never its message, which may contain a user's data.
pub fn log_panics() {
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "a bug: a panic was caught");
    }));
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{BUFFER, Gathering};

    #[test]
    fn lines_that_do_not_fit_on_the_disk_are_counted() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let lost = Arc::new(AtomicU64::new(0));
        let mut log = Gathering {
            lines: Vec::new(),
            out: full,
            lost: Arc::clone(&lost),
        };
        for _ in 0..3 {
            log.write_all(b"a line\n").unwrap();
        }
        assert_eq!(lost.load(Ordering::Relaxed), 0);
        log.flush().unwrap();
        assert_eq!(lost.load(Ordering::Relaxed), 3);
        // A full buffer is written at once.
        let much = format!("{:1$}\n", "", BUFFER - 1);
        log.write_all(much.as_bytes()).unwrap();
        log.write_all(b"another\n").unwrap();
        assert_eq!(lost.load(Ordering::Relaxed), 4);
    }
}
