//! How large an object may be. Real objects are far below these bounds, which keep the cost of a decision in proportion to the size of
//! the request.

use crate::inject::reason::Reason;
use crate::seldon::lenient::Lenient;
use crate::seldon::object::SeldonDeployment;
use crate::seldon::place::Place;

/// The most predictors. Seldon makes a Deployment for each.
pub const MAX_PREDICTORS: usize = 500;

/// The most containers and init containers, in all predictors together.
pub const MAX_CONTAINERS: usize = 2_000;

/// The most that all added variables together may take, in bytes. etcd stores objects of up to 1.5 MiB
/// (<https://etcd.io/docs/v3.5/dev-guide/limit/>): a larger patch would make the user's write fail.
pub const MAX_ADDED: usize = 1 << 20;

/// Why an object is not decided, if it is too large.
pub(crate) fn exceeded(object: &SeldonDeployment<'_>) -> Option<(Reason, Place<'static>, String)> {
    let predictors = object.predictors();
    if predictors.len() > MAX_PREDICTORS {
        let detail = format!("{} predictors; at most {MAX_PREDICTORS}", predictors.len());
        return Some((Reason::TooManyPredictors, Place::Predictors, detail));
    }
    let pods = predictors
        .iter()
        .filter_map(Lenient::get)
        .flat_map(|predictor| predictor.component_specs.items())
        .filter_map(|component| component.get()?.spec.get());
    let containers: usize = pods
        .map(|pod| pod.containers.items().len() + pod.init_containers.items().len())
        .sum();
    if containers > MAX_CONTAINERS {
        let detail = format!("{containers} containers; at most {MAX_CONTAINERS}");
        return Some((Reason::TooManyTargets, Place::Predictors, detail));
    }
    None
}
