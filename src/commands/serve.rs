//! `serve`.

use super::Status;
use crate::cli::Serve;

/// `serve`
pub(super) fn serve(_arguments: &Serve) -> anyhow::Result<Status> {
    anyhow::bail!("serve is being built")
}
