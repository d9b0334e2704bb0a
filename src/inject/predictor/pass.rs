//! What is carried through the pods of a predictor.

use super::stub_order::StubOrder;
use crate::inject::ownership::keys::Keys;
use crate::inject::ownership::record::{PredictorRecord, TargetRecord};
use crate::inject::ownership::roster::OurVolumes;
use crate::inject::patch::{ConfigVolume, Op};
use crate::seldon::object::PodSpec;

/// What is carried from pod to pod.
pub(crate) struct Pass<'v> {
    pub(crate) stubs: StubOrder<'v>,
    /// The keys of the containers that stay.
    pub(crate) keys: Keys<'v>,
    /// Removals of whole componentSpecs, which would move the others.
    pub(crate) late: Vec<Op<'v>>,
}

/// The pod of a componentSpec.
pub(crate) struct Pod<'p, 'v> {
    /// The index of the componentSpec.
    pub(crate) at: usize,
    pub(crate) spec: &'v PodSpec<'v>,
    pub(crate) ours: OurVolumes,
    /// The `ConfigMap`, if there is room for its volume.
    pub(crate) config_volume: Option<&'p ConfigVolume<'v>>,
    /// Whether a target in it mounts the `ConfigMap`.
    pub(crate) needs_volume: bool,
    /// How many containers and init containers were recorded before it.
    pub(crate) first: [usize; 2],
}

impl Pod<'_, '_> {
    /// What is recorded of the targets of this pod.
    pub(crate) fn recorded<'d>(
        &self,
        out: &'d mut PredictorRecord<'_>,
    ) -> impl Iterator<Item = &'d mut TargetRecord> {
        let containers = out.containers.values_mut().skip(self.first[0]);
        containers.chain(out.init_containers.values_mut().skip(self.first[1]))
    }
}
