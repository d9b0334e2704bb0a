//! The engine. Pure: no async, files, clock, randomness, logging or Kubernetes client in it.
//!
//! [`plan()`] is the one decision. It reads a borrowed view of the object ([`SeldonDeployment`]) and yields a [`Plan`]: per target
//! what to add, keep and remove and why, and the patch that does it.

mod accepted;
mod annotate;
mod bounds;
mod claims;
mod components;
mod crash;
mod decide;
mod engine;
pub mod explain;
mod feedback;
mod go_net;
mod graph;
mod less_ours;
mod mount;
mod new_value;
mod notes;
mod older;
mod ordinals;
mod owned;
mod patch;
mod piece;
mod plan;
mod planner;
mod predictor;
mod reason;
mod record;
mod servers;
mod setting;
mod settings;
mod shape;
mod sticky;
mod stubs;
mod target;
mod template;
mod trigger;
mod variable;
mod view;
mod volumes;

pub use accepted::MAX_SETTING;
pub(crate) use accepted::is_sampler_pair;
pub use bounds::{MAX_ADDED, MAX_CONTAINERS, MAX_NODES, MAX_PREDICTORS};
pub use decide::{Choice, Choices};
pub use feedback::{MAX_WARNING, MAX_WARNINGS};
pub use new_value::{CONFIG_DIR, CONFIG_VOLUME};
pub use notes::Note;
pub use patch::{ContainerList, Holder, Place, pointer_for_people};
pub use plan::{Context, Outcome, Plan, PredictorPlan, Task, plan};
pub use reason::Reason;
pub use record::{MAX_RECORD, RECORD};
pub use setting::{ConfigMapRef, Setting};
pub use settings::{ANNOTATION_PREFIX, JaegerConfig, Origin};
pub(crate) use shape::{Budget, Key, Shape};
pub use target::{Change, TargetKind, TargetPlan};
pub use variable::{EnvSet, EnvValue, HOST_IP, PerVariable, Variable};
pub use view::SeldonDeployment;
