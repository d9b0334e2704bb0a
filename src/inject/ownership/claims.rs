//! How what a record claims stands in an object.

use super::keys::Ordinals;
use super::present::Present;
use super::record::{Part, PredictorRecord, Record, TargetRecord};
use super::roster::Roster;
use crate::jaeger::Variable;
use crate::seldon::object::{Env, Predictor};
use crate::seldon::{Lenient, SeldonDeployment};

/// How what a record claims stands in an object.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claims {
    /// Whether every variable stands there as the record has it. Then the record was written for this object, not copied from another one.
    pub(crate) are_whole: bool,
    /// Whether each target is there with all of its variables, or with none of them. Then what a user did by hand can be told from what an
    /// apply took out, and what was taken out can be put back.
    pub(crate) can_be_restored: bool,
}

impl Claims {
    pub(crate) fn of(object: &SeldonDeployment<'_>, record: &Record<'_>) -> Self {
        let predictors = object.predictors();
        let names = predictors.iter().filter_map(|item| Some(&item.get()?.name));
        let mut ordinals = Ordinals::of(names);
        let mut count = Count::new(record);
        for predictor in predictors.iter().filter_map(Lenient::get) {
            let key = ordinals.key(&predictor.name);
            if let Some(ours) = record.predictors.get(&*key) {
                count.predictor(predictor, ours);
            }
        }
        Self {
            are_whole: count.variables == record.variables(),
            can_be_restored: !count.is_mixed && count.places == places(record),
        }
    }
}

/// The predictors of a record, and the targets in them that cannot be put back as a whole.
fn places(record: &Record<'_>) -> usize {
    let targets = record
        .predictors
        .values()
        .flat_map(PredictorRecord::targets);
    let without_stubs = targets.filter(|target| !target.new.has(Part::Container));
    record.predictors.len() + without_stubs.count()
}

struct Count<'r, 'a> {
    record: &'r Record<'a>,
    /// The variables that stand there.
    variables: usize,
    /// What is there of [`places`].
    places: usize,
    /// Whether a target has some of its variables, or others of their names.
    is_mixed: bool,
}

impl<'r, 'a> Count<'r, 'a> {
    const fn new(record: &'r Record<'a>) -> Self {
        Self {
            record,
            variables: 0,
            places: 0,
            is_mixed: false,
        }
    }

    fn predictor(&mut self, predictor: &Predictor<'_>, ours: &PredictorRecord<'_>) {
        self.places += 1;
        match (predictor.svc_orch_spec.get(), &ours.orchestrator) {
            (Some(orchestrator), Some(target)) => self.env(&orchestrator.env, target),
            (None, Some(_)) => self.places += 1,
            (_, None) => {}
        }
        let explainer = predictor.explainer.get();
        let container = explainer.and_then(|it| it.container_spec.get());
        if let (Some(container), Some(target)) = (container, &ours.explainer) {
            self.env(&container.env, target);
        }
        let roster = Roster::of(predictor, self.record, ours);
        for member in roster.members() {
            if let Some(target) = &member.recorded {
                self.env(&member.container.env, target);
            }
        }
    }

    fn env(&mut self, env: &Env<'_>, target: &TargetRecord) {
        let set = self.record.set_of(target);
        let present = Present::find(env, set);
        let here = present.count();
        let named = env.items().iter().filter(|item| {
            let name = item.get().and_then(|var| var.name.text());
            let variable = name.and_then(Variable::from_name);
            variable.is_some_and(|variable| set.get(variable).is_some())
        });
        self.is_mixed |=
            named.count() > present.entries() || (here > 0 && here < set.entries().count());
        self.variables += here;
        self.places += usize::from(!target.new.has(Part::Container));
    }
}
