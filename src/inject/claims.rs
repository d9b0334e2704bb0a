//! Whether everything that a record claims stands in an object.

use super::less_ours::containers;
use super::ordinals::Ordinals;
use super::owned::Owned;
use super::record::{Named, PredictorRecord, Record, TargetRecord};
use super::shape::{Items, Shape};
use super::view::{Container, Env, PodSpec, Predictor, SeldonDeployment};

/// Whether every variable of the record stands in the object as the record has it. Then the record was written for this object, not copied
/// from another one.
pub(crate) fn are_all_there(object: &SeldonDeployment<'_>, record: &Record<'_>) -> bool {
    let predictors = object.predictors();
    let names = predictors.iter().map(|item| Some(&item.get()?.name));
    let mut ordinals = Ordinals::of(names);
    let mut claims = Claims { record, found: 0 };
    for predictor in predictors.iter().filter_map(Shape::get) {
        let key = ordinals.key(&predictor.name);
        if let Some(ours) = record.predictors.get(&*key) {
            claims.predictor(predictor, ours);
        }
    }
    claims.found == record.variables()
}

struct Claims<'r, 'a> {
    record: &'r Record<'a>,
    /// The variables found so far.
    found: usize,
}

impl Claims<'_, '_> {
    fn predictor(&mut self, predictor: &Predictor<'_>, ours: &PredictorRecord<'_>) {
        if let Some(orchestrator) = predictor.svc_orch_spec.get() {
            self.env(&orchestrator.env, ours.orchestrator.as_ref());
        }
        let explainer = predictor.explainer.get();
        if let Some(container) = explainer.and_then(|it| it.container_spec.get()) {
            self.env(&container.env, ours.explainer.as_ref());
        }
        self.pods(predictor, |pod| &pod.containers, &ours.containers);
        self.pods(predictor, |pod| &pod.init_containers, &ours.init_containers);
    }

    fn pods<'v, 'a: 'v>(
        &mut self,
        predictor: &'v Predictor<'a>,
        list: fn(&'v PodSpec<'a>) -> &'v Shape<Items<Container<'a>>>,
        ours: &Named<'_, TargetRecord>,
    ) {
        let components = predictor.component_specs.items();
        let mut names = Ordinals::of(containers(components, list));
        let pods = components.iter().filter_map(|item| item.get()?.spec.get());
        for container in pods
            .flat_map(|pod| list(pod).items())
            .filter_map(Shape::get)
        {
            let key = names.key(&container.name);
            self.env(&container.env, ours.get(&*key));
        }
    }

    fn env(&mut self, env: &Env<'_>, target: Option<&TargetRecord>) {
        if let Some(target) = target {
            self.found += Owned::find(env, self.record.set_of(target)).count();
        }
    }
}
