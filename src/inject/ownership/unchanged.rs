//! Compares two objects without what we added to them. If they are equal, the variables of the older one stay.
//!
//! Entries of the record that are found unchanged are left out. The variables of the older object are kept or restored exactly only if the
//! rest of the two objects is equal, so "not sure" counts as "no".

use super::keys::Keys;
use super::mount::{is_our_mount, is_our_volume};
use super::present::Present;
use super::record::{Part, PredictorRecord, Record, TargetRecord};
use super::roster::Roster;
use crate::jaeger::Variable;
use crate::seldon::lenient::{Items, Json};
use crate::seldon::object::{
    ComponentSpec, Container, Env, Explainer, PodSpec, Predictor, Spec, SvcOrchSpec,
};
use crate::seldon::{ContainerList, Lenient, SeldonDeployment};

/// Whether an object has what a record claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claims {
    /// Whether every variable is as the record has it. Then the record was written for this object, not copied from another one.
    pub(crate) are_whole: bool,
    /// Whether each target is there with all of its variables, or with none of them. Then what a user did by hand can be told from what an
    /// apply took out, and what was taken out can be put back.
    pub(crate) can_be_restored: bool,
}

/// The spec of an object less what is ours in it by a record, to be compared with that of another object.
pub(crate) fn without_ours<'v, 'a>(
    object: &'v SeldonDeployment<'a>,
    record: &Record<'_>,
) -> (impl PartialEq + use<'v, 'a>, Claims) {
    let mut count = Count {
        record,
        variables: 0,
        places: 0,
        is_mixed: false,
    };
    let mut keys = Keys::default();
    let nothing = PredictorRecord::default();
    let spec = object.spec.map(|spec| {
        let Spec {
            annotations,
            protocol,
            predictors,
            rest,
        } = spec;
        let predictors = left(predictors, false, |_, item| {
            Some(item.map(|predictor| {
                let ours = record.predictors.get(&*keys.key(&predictor.name));
                count.places += usize::from(ours.is_some());
                predictor_without_ours(&mut count, predictor, ours.unwrap_or(&nothing))
            }))
        });
        (annotations, protocol, predictors, rest)
    });
    let claims = Claims {
        are_whole: count.variables == record.variables(),
        can_be_restored: !count.is_mixed && count.places == places(record),
    };
    (spec, claims)
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
    /// The variables of the object.
    variables: usize,
    /// Which of [`places`] exist.
    places: usize,
    /// Whether a target has some of its variables, or others of their names.
    is_mixed: bool,
}

fn predictor_without_ours<'v, 'a>(
    count: &mut Count<'_, '_>,
    predictor: &'v Predictor<'a>,
    ours: &PredictorRecord<'_>,
) -> impl PartialEq + use<'v, 'a> {
    let Predictor {
        name,
        annotations,
        component_specs,
        svc_orch_spec,
        explainer,
        graph,
        rest,
    } = predictor;
    let made = |part| ours.new.has(part);
    let mut gone = false;
    let orchestrator = svc_orch_spec.map(|SvcOrchSpec { env, rest }| {
        let left = env_without_ours(count, env, ours.orchestrator.as_ref());
        // What the user emptied is the user's (docs/record.md, Rules).
        let created = made(Part::SvcOrchSpec) && !env.items().is_empty();
        gone = created && left.is_absent() && rest.is_empty();
        (left, rest)
    });
    if svc_orch_spec.get().is_none() && ours.orchestrator.is_some() {
        count.places += 1;
    }
    let orchestrator = orchestrator.unless(gone);
    let explainer = explainer.map(|explainer| {
        let Explainer {
            kind,
            container_spec,
            rest,
        } = explainer;
        let container =
            container_spec.map(|it| container_without_ours(count, it, ours.explainer.as_ref()));
        (kind, container, rest)
    });
    let roster = Roster::of(predictor, count.record, ours);
    let list_made = made(Part::ComponentSpecs) && !component_specs.items().is_empty();
    let item_made = made(Part::ComponentSpecs) || made(Part::ComponentSpec);
    let components = left(component_specs, list_made, |at, item| {
        let mut gone = false;
        let component = item.map(|ComponentSpec { spec, rest }| {
            let mut pod_is_ours = false;
            let pod = spec.map(|pod| {
                let (pod, is_ours) = pod_without_ours(count, at, pod, ours, &roster);
                pod_is_ours = is_ours;
                pod
            });
            gone = pod_is_ours && item_made && rest.is_empty();
            let pod_goes = pod_is_ours && (item_made || made(Part::PodSpec));
            (pod.unless(pod_goes), rest)
        });
        (!gone).then_some(component)
    });
    let graph = graph.map(Json);
    (
        name,
        annotations,
        graph,
        orchestrator,
        explainer,
        components,
        rest,
    )
}

/// A pod, and whether everything in it is ours, its list of containers included.
fn pod_without_ours<'v, 'a>(
    count: &mut Count<'_, '_>,
    at: usize,
    pod: &'v PodSpec<'a>,
    ours: &PredictorRecord<'_>,
    roster: &Roster<'_, '_>,
) -> (impl PartialEq + use<'v, 'a>, bool) {
    let PodSpec {
        containers,
        init_containers,
        volumes,
        rest,
    } = pod;
    // What the user emptied is the user's.
    let made = ours.new.has_any_around_stubs() && !containers.items().is_empty();
    let mut list = |list, containers, created| {
        left(containers, created, |index, item: &'v Lenient<_>| {
            let member = roster.at(at, list, index);
            let recorded = member.and_then(|member| member.recorded.as_ref());
            let container =
                item.map(|container| container_without_ours(count, container, recorded));
            let is_stub = member.is_some_and(|member| member.is_stub);
            (!is_stub).then_some(container)
        })
    };
    let containers = list(ContainerList::Containers, containers, made);
    let others = list(ContainerList::InitContainers, init_containers, false);
    let here = roster.volumes(at);
    let config_map = ours.config_map.as_deref().filter(|_| here.mounted);
    let volumes = left(volumes, here.created.is_some(), |_, volume| {
        let is_ours = config_map.is_some_and(|name| is_our_volume(volume, name));
        (!is_ours).then_some(volume)
    });
    let is_ours = made
        && containers.is_absent()
        && others.is_absent()
        && (volumes.is_absent() || volumes.get().is_some_and(Vec::is_empty))
        && rest.is_empty();
    ((containers, others, volumes, rest), is_ours)
}

fn container_without_ours<'v, 'a>(
    count: &mut Count<'_, '_>,
    container: &'v Container<'a>,
    target: Option<&TargetRecord>,
) -> impl PartialEq + use<'v, 'a> {
    let Container {
        name,
        env,
        volume_mounts,
        rest,
    } = container;
    let mounted = target.is_some_and(|target| count.record.mounts_config(target));
    // A stub that mounts nothing of ours has no list of ours.
    let created = target.is_some_and(|target| {
        target.new.has(Part::VolumeMounts) || (mounted && target.new.has(Part::Container))
    });
    let mounts = left(volume_mounts, created, |_, mount| {
        (!(mounted && is_our_mount(mount))).then_some(mount)
    });
    (name, env_without_ours(count, env, target), mounts, rest)
}

/// A list of variables; absent where it was created for ours.
fn env_without_ours<'v, 'a>(
    count: &mut Count<'_, '_>,
    env: &'v Env<'a>,
    target: Option<&TargetRecord>,
) -> Lenient<impl PartialEq + use<'v, 'a>> {
    let Some(target) = target else {
        return left(env, false, |_, var| Some(var));
    };
    let set = count.record.set_of(target);
    let present = Present::find(env, set);
    let here = present.count();
    let named = env.items().iter().filter(|item| {
        let name = item.get().and_then(|var| var.name.text());
        let variable = name.and_then(Variable::from_name);
        variable.is_some_and(|variable| set.get(variable).is_some())
    });
    count.is_mixed |=
        named.count() > present.entries() || (here > 0 && here < set.entries().count());
    count.variables += here;
    count.places += usize::from(!target.new.has(Part::Container));
    let created = target.new.has(Part::Env) || target.new.has(Part::Container);
    left(env, created, |at, var| (!present.is_at(at)).then_some(var))
}

/// What is left of a list. A list that was created for our items and has no others counts as absent.
fn left<'v, T, U>(
    list: &'v Lenient<Items<T>>,
    created: bool,
    mut less: impl FnMut(usize, &'v Lenient<T>) -> Option<U>,
) -> Lenient<Vec<U>> {
    let left = list.map(|Items(items)| {
        let mut left = Vec::with_capacity(items.len());
        let items = items.iter().enumerate();
        left.extend(items.filter_map(|(at, item)| less(at, item)));
        left
    });
    let has_no_others = left.get().is_some_and(Vec::is_empty);
    left.unless(created && has_no_others)
}
