//! The engine. Pure: no async, files, clock, randomness, logging or Kubernetes client in it.
//!
//! [`plan()`] is the one decision. It reads a borrowed view of the object ([`SeldonDeployment`]) and yields a [`Plan`]: per target
//! what to add, keep and remove and why, and the patch that does it.

mod bounds;
mod conclude;
mod engine;
mod feedback;
mod layers;
mod notes;
mod ownership;
mod patch;
mod plan;
mod planner;
mod predictor;
mod reason;
mod target;
mod trigger;

pub use bounds::{MAX_ADDED, MAX_CONTAINERS, MAX_PREDICTORS};
pub use feedback::{MAX_WARNING, MAX_WARNINGS};
pub use layers::{ANNOTATION_PREFIX, JaegerConfig, Origin};
pub use notes::Note;
pub use ownership::record::{MAX_RECORD, RECORD};
pub use patch::{CONFIG_DIR, CONFIG_VOLUME};
pub use plan::{Context, Outcome, Plan, PredictorPlan, Task, plan};
pub use reason::Reason;
pub use target::choose::{Choice, Choices};
pub use target::{Change, TargetKind, TargetPlan};

pub use crate::config::setting::{ConfigMapRef, Setting};
pub use crate::jaeger::accepts::MAX_SETTING;
pub(crate) use crate::jaeger::accepts::is_sampler_pair;
pub use crate::jaeger::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};
pub(crate) use crate::seldon::{Budget, Key, Lenient};
pub use crate::seldon::{
    ContainerList, Holder, MAX_NODES, Place, SeldonDeployment, pointer_for_people,
};
