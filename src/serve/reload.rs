//! Files that are loaded again when they change. The last valid version stays in use.
//!
//! The bytes are polled, because that notices every kind of change. A mounted Secret or `ConfigMap` changes by a swap of a symlink
//! (<https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod>), after which a watch on the file
//! would watch a file that no longer exists.

use std::io;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::MissedTickBehavior;

use super::metrics::{Reloaded, Watched};
use super::state::Shared;
use crate::process::health::Check;

/// Why a webhook cannot start, or files cannot be loaded again: what cannot be used, and why. No message contains any part of a key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub(super) String);

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Files that hold one value together.
pub(super) trait Load {
    const WHAT: Watched;
    type Bytes: PartialEq;
    type Value;

    /// Reads the bytes without a look at what they mean.
    fn read(&self) -> Result<Self::Bytes, StartError>;

    fn parse(&self, bytes: &Self::Bytes) -> Result<Self::Value, StartError>;
}

/// Files, and what was last read from them.
pub(super) struct Reload<F: Load> {
    files: F,
    seen: F::Bytes,
    valid: bool,
}

impl<F: Load> Reload<F> {
    /// Loads files for the first time.
    pub(super) fn load(files: F) -> Result<(F::Value, Self), StartError> {
        let seen = files.read()?;
        let value = files.parse(&seen)?;
        let valid = true;
        Ok((value, Self { files, seen, valid }))
    }

    /// The new value if the files have changed and are valid. A problem is reported once, and so is its end.
    pub(super) fn look(&mut self, shared: &Shared) -> Option<F::Value> {
        let (value, check) = match self.changed(shared) {
            Ok(value) => (value, Check::Ok),
            Err(error) => (None, Check::Problem(error.to_string())),
        };
        shared.metrics.files(F::WHAT, check != Check::Ok);
        if shared.health.set(F::WHAT.check(), check.clone()) {
            let what = F::WHAT.code();
            if let Check::Problem(problem) = check {
                tracing::warn!(what, problem, "the last good files stay in use");
            } else {
                tracing::info!(what, "the files are valid again");
            }
        }
        value
    }

    fn changed(&mut self, shared: &Shared) -> Result<Option<F::Value>, StartError> {
        let mut bytes = self.files.read()?;
        // Invalid files are parsed again at every look: a certificate may become valid with time.
        if bytes == self.seen && self.valid {
            return Ok(None);
        }
        let mut parsed = self.files.parse(&bytes);
        // Several files are read one after the other, and may have been swapped between.
        if parsed.is_err()
            && let Ok(again) = self.files.read()
            && again != bytes
        {
            parsed = self.files.parse(&again);
            bytes = again;
        }
        if parsed.is_ok() {
            shared.metrics.reload(F::WHAT, Reloaded::Done);
        } else if bytes != self.seen {
            shared.metrics.reload(F::WHAT, Reloaded::Refused);
        }
        self.seen = bytes;
        self.valid = parsed.is_ok();
        parsed.map(Some)
    }
}

/// Calls `look` again and again until this future is dropped. Certificate and config have a task each, because a disk that does not
/// answer must not delay the other one.
pub(super) async fn watch(every: Duration, mut look: impl FnMut() + Send + 'static) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and the files have just been read.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let looking = spawn_blocking(move || {
            look();
            look
        });
        match looking.await {
            Ok(again) => look = again,
            Err(error) => {
                tracing::error!(%error, "a bug: changed files are not noticed until the next start");
                return;
            }
        }
    }
}
