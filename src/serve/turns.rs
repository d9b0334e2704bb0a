//! Turns: one large request is decided at a time, and clients take turns.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::process::clients::Client;

/// A queue of clients. Each request waits for the earlier ones of its own client, then for those of other clients.
#[derive(Default)]
pub(super) struct Turns {
    turn: Arc<Mutex<()>>,
    lines: std::sync::Mutex<HashMap<Client, Weak<Mutex<()>>>>,
}

/// A turn, which lasts until this is dropped.
pub(super) struct Turn {
    _line: OwnedMutexGuard<()>,
    _turn: OwnedMutexGuard<()>,
}

impl Turns {
    pub(super) async fn wait(&self, client: Client) -> Turn {
        Turn {
            _line: self.line(client).lock_owned().await,
            _turn: Arc::clone(&self.turn).lock_owned().await,
        }
    }

    fn line(&self, client: Client) -> Arc<Mutex<()>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| line.strong_count() > 0);
        if let Some(line) = lines.get(&client).and_then(Weak::upgrade) {
            return line;
        }
        let line = Arc::new(Mutex::new(()));
        lines.insert(client, Arc::downgrade(&line));
        line
    }
}
