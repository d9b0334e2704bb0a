//! The one decision: what to add to an object, what to keep, what to take out, and why.

use std::rc::Rc;

use indexmap::IndexSet;

use crate::config::Config;
use crate::inject::bounds::exceeded;
use crate::inject::engine::EngineVariables;
use crate::inject::layers::JaegerConfig;
use crate::inject::notes::{Note, Notes};
use crate::inject::ownership::record::Record;
use crate::inject::patch::{Op, Ops, to_json_patch};
use crate::inject::planner::Planner;
use crate::inject::reason::Reason;
use crate::inject::target::TargetPlan;
use crate::seldon::lenient::Lenient;
use crate::seldon::object::{Annotations, SeldonDeployment};
use crate::seldon::place::Place;

/// What is known about an object beside the object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// The namespace that the object goes to, where it does not say so itself.
    pub namespace: Option<&'c str>,
    /// Whether the namespace turns tracing on by default (label `tracing=enabled`).
    pub namespace_default: bool,
    /// What is to be done.
    pub task: Task<'c>,
}

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task<'c> {
    /// What its annotations ask for.
    #[default]
    Follow,
    /// The same, with a trigger of that value written where there is none.
    Trigger(&'c str),
    /// Everything of ours is taken out, whatever the annotations ask for.
    Uninject,
}

/// What came of the decision for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Variables were added.
    Injected,
    /// Variables of ours were only taken out.
    Removed,
    /// It is traced, and as it should be.
    Unchanged,
    /// Tracing is not asked for, or not possible.
    Skipped,
}

impl Outcome {
    /// The stable name in `explain`, metrics and audit annotations.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Removed => "removed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
        }
    }
}

/// One predictor in the plan.
#[derive(Clone, Debug)]
pub struct PredictorPlan<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Its index.
    pub index: usize,
    /// Whether it is traced after the patch.
    pub traced: bool,
    /// Why not, or why as it is.
    pub reason: Reason,
    /// The profile that its trigger names.
    pub profile: Option<&'a str>,
    /// The Jaeger configuration that its settings ask for, where the settings decide.
    pub jaeger_config: Option<JaegerConfig<'a>>,
}

/// The decision for one object.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// What came of it.
    pub outcome: Outcome,
    /// Its predictors.
    pub predictors: Vec<PredictorPlan<'a>>,
    /// Its targets, in the order of the object.
    pub targets: Vec<TargetPlan<'a>>,
    /// Why things were done or left, with their places.
    pub notes: Vec<Note<'a>>,
    pub(crate) ops: Vec<Op<'a>>,
}

impl Plan<'_> {
    /// Whether the object is as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// How many operations the patch has.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.ops.len()
    }

    /// The patch, in the types of the `json-patch` crate. It applies to the object that the plan was made from.
    #[must_use]
    pub fn patch(&self) -> json_patch::Patch {
        to_json_patch(&self.ops)
    }

    /// The same patch as JSON text, behind what is already in `out`.
    pub fn write_patch(&self, out: &mut Vec<u8>) {
        // Writing into memory does not fail, and our values have no keys but strings.
        let _ = serde_json::to_writer(out, &Ops(&self.ops));
    }
}

/// Decides what to do with an object. `old` is what was stored before, on an update.
///
/// ```
/// use seldon_tracing::config::Config;
/// use seldon_tracing::inject::{Context, Outcome, SeldonDeployment, plan};
///
/// let json = br#"{
///   "metadata": {"name": "iris", "annotations": {"tracing": "true"}},
///   "spec": {"predictors": [{
///     "name": "default",
///     "graph": {"name": "classifier", "implementation": "SKLEARN_SERVER"}
///   }]}
/// }"#;
/// let object = SeldonDeployment::from_json(json)?;
/// let config = Config::default();
/// let plan = plan(&object, None, &config, &Context::default());
/// assert_eq!(plan.outcome, Outcome::Injected);
/// let paths: Vec<String> = plan.patch().iter().map(|op| op.path().to_string()).collect();
/// assert_eq!(
///     paths,
///     [
///         "/spec/predictors/0/componentSpecs",
///         "/spec/predictors/0/svcOrchSpec",
///         "/metadata/annotations/tracing.seldon.io~1injected",
///     ]
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn plan<'v>(
    object: &'v SeldonDeployment<'v>,
    old: Option<&'v SeldonDeployment<'v>>,
    config: &'v Config,
    context: &Context<'v>,
) -> Plan<'v> {
    let mut planner = Planner {
        config,
        namespace: object.namespace().or(context.namespace),
        name: object.name(),
        notes: Notes::default(),
        ops: Vec::with_capacity(16),
        targets: Vec::with_capacity(4),
        predictors: Vec::new(),
        excluded: IndexSet::new(),
        engine: Rc::default(),
        added: 0,
        recorded: 0,
        record: Record::new(),
    };
    let metadata = match &object.metadata {
        Lenient::Is(metadata) => metadata,
        other => {
            planner.notes.odd(
                Place::Metadata,
                "an object",
                other.odd().unwrap_or("nothing"),
            );
            return planner.finish(Outcome::Skipped);
        }
    };
    if metadata.being_deleted {
        planner.notes.add(Reason::BeingDeleted, Place::Object, "");
        return planner.finish(Outcome::Skipped);
    }
    let none = Annotations::default();
    let annotations = match &metadata.annotations {
        Lenient::Absent => &none,
        Lenient::Is(annotations) => annotations,
        odd => {
            planner.notes.odd(
                Place::Annotations,
                "an object",
                odd.odd().unwrap_or_default(),
            );
            return planner.finish(Outcome::Skipped);
        }
    };
    planner.note_odd_spec(object);
    if let Some((reason, place, detail)) = exceeded(object) {
        planner.notes.add(reason, place, detail);
        return planner.finish(Outcome::Skipped);
    }
    let spec = object.spec.get();
    planner.engine = EngineVariables::of(spec.and_then(|spec| spec.annotations.get())).into();
    planner.object(object, old, annotations, context)
}
