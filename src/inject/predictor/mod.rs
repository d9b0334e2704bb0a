//! One predictor: its containers and prepackaged servers, its orchestrator and its explainer.

mod containers;
mod explainer;
mod orchestrator;
mod parts;
mod pass;
mod pod;
mod servers;
mod stub_order;
mod stubs;
mod volumes;

use super::draft::{Draft, Inputs};
pub(crate) use servers::Servers;

/// Decides all the targets of a predictor. What to record of it is in the draft afterwards.
pub(crate) fn decide<'v>(inputs: &Inputs<'_, 'v>, draft: &mut Draft<'v>) {
    pod::decide_all(inputs, draft);
    servers::keep_exclusions(inputs, draft);
    orchestrator::decide(inputs, draft);
    explainer::decide(inputs, draft);
    let record = &draft.record;
    if draft
        .out
        .in_pods()
        .any(|target| record.mounts_config(target))
    {
        draft.out.config_map = inputs
            .config_volume
            .as_ref()
            .map(|volume| volume.name.clone());
    }
}
