//! The engine. Pure: no async, files, clock, randomness, logging or Kubernetes client in it.
//!
//! [`plan()`] is the one decision. It reads a borrowed view of the object ([`SeldonDeployment`]) and yields a [`Plan`]: per target
//! what to add, keep and remove and why, and the patch that does it.

mod bounds;
mod conclude;
mod draft;
mod engine;
pub mod explain;
mod feedback;
mod layers;
mod misplaced;
mod notes;
mod object;
mod ownership;
mod patch;
mod plan;
mod predictor;
mod reason;
mod standing;
mod target;
mod trigger;
mod walk;

pub use bounds::{MAX_ADDED, MAX_CONTAINERS, MAX_PREDICTORS};
pub use feedback::{AuditAnnotations, MAX_WARNING, MAX_WARNINGS};
pub use layers::Origin;
pub use notes::Note;
pub use object::plan;
pub use ownership::record::MAX_RECORD;
pub(crate) use ownership::record::spelling;
pub use patch::{CONFIG_DIR, CONFIG_VOLUME};
pub use plan::{
    Change, Choice, Choices, Context, Nulls, Outcome, Plan, PredictorPlan, TargetKind, TargetPlan,
    Task,
};
pub use reason::Reason;
pub use standing::{Assessment, Namespace, Standing, assess};
pub use trigger::Asker;

pub use crate::config::setting::{
    ANNOTATION_PREFIX, ConfigMapRef, MAX_SETTING, RECORD, RESYNC, Setting,
};
pub use crate::jaeger::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};
pub(crate) use crate::seldon::{Budget, Key, Lenient};
pub use crate::seldon::{
    ContainerList, Holder, MAX_NODES, Place, SeldonDeployment, pointer_for_people,
};
