//! The common parts of the commands that run until they are stopped.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context;

use super::exit::Status;
use super::messages::printable;
use crate::cli::{Listen, LogFlags};
use crate::process::log::{self, LostLines};

/// The default port of health and metrics.
pub(super) const ADMIN_PORT: u16 = 8080;

/// Runs a command with a log, to which its error goes too.
pub(super) fn logged(
    flags: LogFlags,
    colour: bool,
    work: impl FnOnce(LostLines) -> anyhow::Result<Status>,
) -> anyhow::Result<Status> {
    let (guard, lost) =
        log::start(flags.log_format, flags.log_level, colour).context("cannot start the log")?;
    log::log_panics();
    let stopped = work(lost).unwrap_or_else(|error| {
        // Each line is a line of the log, whose readers expect nothing else on standard error.
        for line in format!("{error:#}").lines() {
            tracing::error!("{}", printable(line.trim_start()));
        }
        Status::Failed
    });
    drop(guard);
    Ok(stopped)
}

/// The addresses to try. For a port of every address: one for IPv4 and IPv6, then one for machines without IPv6.
pub(super) fn addresses(listen: Listen) -> Vec<SocketAddr> {
    match listen {
        Listen::Address(address) => vec![address],
        Listen::Port(port) => vec![
            (Ipv6Addr::UNSPECIFIED, port).into(),
            (Ipv4Addr::UNSPECIFIED, port).into(),
        ],
    }
}
