//! Requests to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// Receives one message for each SIGTERM and SIGINT. Needs a tokio runtime.
pub(crate) fn stop_requests() -> io::Result<mpsc::Receiver<()>> {
    let (send, receive) = mpsc::channel(2);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind)?;
        let send = send.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() && send.send(()).await.is_ok() {}
        });
    }
    Ok(receive)
}
