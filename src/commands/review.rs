//! `review`.

use super::Status;
use crate::cli::Review;

/// `review`
pub(super) fn review(_arguments: &Review) -> anyhow::Result<Status> {
    anyhow::bail!("review is being built")
}
