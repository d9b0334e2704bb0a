//! The log of `serve`: JSON for collectors, text for people.

use std::io::{self, BufWriter, IsTerminal, Stderr, Write};
use std::thread;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};

use crate::cli::{LogFormat, LogLevel};

/// Lines that may wait to be written. Whoever reads the log may be slow; requests do not wait for them, and memory is bounded.
const LINES: usize = 4096;

/// Lines that wait are written together, up to so many bytes.
const BUFFER: usize = 64 * 1024;

/// How long lines gather. Waking a thread and writing for each of them costs more than the decision that it tells of.
const GATHERING: Duration = Duration::from_millis(5);

/// Standard error, which is written to at most once in [`GATHERING`] unless there is a lot. The thread of the log flushes whenever no
/// line waits, and it is the only one that sleeps here.
struct Gathering(BufWriter<Stderr>);

impl Write for Gathering {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(GATHERING);
        Ok(())
    }
}

/// Begins to log to standard error, in the background: what is logged is written when the guard goes, at the latest. The counter
/// says how many lines were lost because nobody took them.
///
/// # Errors
/// If there is a log already.
pub fn start(
    format: LogFormat,
    level: LogLevel,
    colour: bool,
) -> Result<(WorkerGuard, ErrorCounter), tracing::dispatcher::SetGlobalDefaultError> {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES)
        .lossy(true)
        .finish(Gathering(BufWriter::with_capacity(BUFFER, io::stderr())));
    let dropped = writer.error_counter();
    let terminal = io::stderr().is_terminal();
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt()
        .with_writer(writer)
        .with_max_level(level);
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    if json {
        let subscriber = builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber)?;
    } else {
        let subscriber = builder.with_ansi(colour && terminal).finish();
        tracing::subscriber::set_global_default(subscriber)?;
    }
    Ok((guard, dropped))
}
