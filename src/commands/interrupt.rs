//! Signals that end a command, and what it cleans up before.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_default, register_usize};
use signal_hook::low_level::emulate_default_handler;

/// A signal that came while files were prepared.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; nothing was written")]
pub(super) struct Interrupted;

/// What is known of signals.
#[derive(Default)]
pub(super) struct Interrupt {
    /// Whether the next signal ends the process at once.
    came: Arc<AtomicBool>,
    /// The number of the last one.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on, a signal that would end the process is noted instead; a second one ends it.
    pub(super) fn listen() -> io::Result<Self> {
        let new = Self::default();
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // They are carried out in this order.
            register_conditional_default(signal, Arc::clone(&new.came))?;
            let number = signal.unsigned_abs() as usize;
            register_usize(signal, Arc::clone(&new.signal), number)?;
            register(signal, Arc::clone(&new.came))?;
        }
        Ok(new)
    }

    /// An error once a signal has come.
    pub(super) fn check(&self) -> Result<(), Interrupted> {
        if self.came.load(Ordering::Acquire) {
            return Err(Interrupted);
        }
        Ok(())
    }

    /// There is nothing left to clean up: the next signal ends the process.
    pub(super) fn over(&self) {
        self.came.store(true, Ordering::Release);
    }

    /// Ends the process by the signal that came, so that a shell knows why it ended.
    pub(super) fn end(&self) -> io::Result<()> {
        let signal = i32::try_from(self.signal.load(Ordering::Acquire)).unwrap_or(SIGTERM);
        emulate_default_handler(signal)
    }
}
