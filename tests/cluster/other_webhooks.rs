//! Other webhooks.
use crate::rig::Cluster;
tests![];
const _: Option<Cluster> = None;
