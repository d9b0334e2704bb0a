//! `certs …`.

use super::Status;
use crate::cli::CertsCommand;

/// `certs …`
pub(super) fn certs(_command: &CertsCommand) -> anyhow::Result<Status> {
    anyhow::bail!("certs is being built")
}
