//! `certs …`.

mod new;
mod show;

use super::exit::Status;
use super::sources::one;
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
        CertsCommand::Show { file, output } => show::show(one(file)?, *output),
    }
}
