//! The patch: RFC 6902 operations on the places of the object.

mod op;
mod value;

pub(crate) use op::{Op, Ops};
pub use value::{CONFIG_DIR, CONFIG_VOLUME};
pub(crate) use value::{
    ConfigMapItem, ConfigMapSource, ConfigVolume, EnvEntries, EnvVar, FieldRef, MOUNT,
    NewComponent, NewPod, NewValue, Stub, ValueFrom,
};
