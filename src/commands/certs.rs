//! `certs …`.

mod new;

use super::exit::Status;
use crate::cli::CertsCommand;

/// `certs …`
pub(super) fn certs(command: &CertsCommand) -> anyhow::Result<Status> {
    match command {
        CertsCommand::New {
            dir,
            dns,
            ip,
            days,
            ca_days,
        } => new::new(dir, dns, ip, *days, *ca_days),
    }
}
