//! The decision on one target.

use std::borrow::Cow;

use super::choose::Subject;
use super::edit::EnvEdit;
use crate::config::setting::Setting;
use crate::config::template::Names;
use crate::inject::draft::{Draft, Inputs, ORCHESTRATOR, Wanted};
use crate::inject::layers::{Origin, Resolved};
use crate::inject::notes::Notes;
use crate::inject::ownership::present::{Fate, Present, UsersVars};
use crate::inject::ownership::record::{Omitted, Part, Parts, TargetRecord};
use crate::inject::patch::{ConfigVolume, EnvEntries};
use crate::inject::plan::{Change, Choice, Choices, TargetKind, TargetPlan};
use crate::inject::reason::Reason;
use crate::jaeger::crashes::Client;
use crate::jaeger::{EnvSet, PerVariable, Variable};
use crate::seldon::object::{Env, EnvVar};
use crate::seldon::{Holder, Lenient, Place};

/// A target before it is decided.
pub(crate) struct Candidate<'s, 'v> {
    pub(crate) kind: TargetKind,
    pub(crate) holder: Holder,
    pub(crate) name: Cow<'v, str>,
    /// Its environment; nothing for a container that is not there yet.
    pub(crate) env: Option<&'s Env<'v>>,
    pub(crate) recorded: Option<TargetRecord>,
    /// A reason to leave it alone that has nothing to do with what is in it.
    pub(crate) left: Option<Reason>,
    /// The `ConfigMap` that can be mounted here.
    pub(crate) config_volume: Option<&'s ConfigVolume<'v>>,
    /// Its environment in the older object.
    pub(crate) old_env: Option<&'s Env<'v>>,
}

/// The decision on a target.
pub(crate) struct Decided<'v> {
    plan: TargetPlan<'v>,
    set: EnvSet<'v>,
    edit: EnvEdit<'v>,
    new: Parts,
    omit: Omitted,
    notes: Notes<'v>,
}

/// What is left to do when the decision on a target is written down.
pub(crate) struct Written<'v> {
    pub(crate) edit: EnvEdit<'v>,
    /// What to record of it.
    pub(crate) record: Option<TargetRecord>,
    /// Whether it mounts the `ConfigMap`.
    pub(crate) mounts_config: bool,
}

impl<'v> Decided<'v> {
    /// Writes the plan and the notes into the draft.
    pub(crate) fn write(self, draft: &mut Draft<'v>) -> Written<'v> {
        let Self {
            plan,
            set,
            edit,
            new,
            omit,
            notes,
        } = self;
        draft.notes.append(notes);
        let record = (!set.is_empty()).then(|| TargetRecord {
            set: draft.count(&plan.name, &set),
            new,
            omit,
        });
        draft.targets.push(plan);
        Written {
            edit,
            record,
            mounts_config: record.is_some_and(|it| draft.record.mounts_config(&it)),
        }
    }
}

impl<'v> Written<'v> {
    /// The variables of an environment that is created with what holds it.
    pub(crate) fn into_entries(self) -> EnvEntries<'v> {
        match self.edit {
            EnvEdit::Create(entries) => entries,
            EnvEdit::Remove(_) | EnvEdit::Items { .. } => Vec::new(),
        }
    }
}

/// Decides one target: which variables it has afterwards and why, and how its environment changes.
pub(crate) fn decide<'v>(inputs: &Inputs<'_, 'v>, candidate: Candidate<'_, 'v>) -> Decided<'v> {
    let absent = Lenient::Absent;
    let env = candidate.env.unwrap_or(&absent);
    let recorded = candidate.recorded.unwrap_or_default();
    let nothing = EnvSet::default();
    let recorded_set = candidate
        .recorded
        .map_or(&nothing, |recorded| inputs.object.record.set_of(&recorded));
    let present = Present::find(env, recorded_set);
    let chooser = Chooser {
        inputs,
        candidate: &candidate,
        env,
        recorded_set,
        present: &present,
    };
    let mut notes = Notes::default();
    let mut omit = omitted(recorded.omit, recorded_set, &present);
    let (mut choices, mut left) = chooser.choose(omit, &mut notes);
    // Where nothing would be left to remember it by, what the user takes out now comes back.
    for less in [recorded.omit, Omitted::default()] {
        if omit != less && choices.set().is_empty() {
            omit = less;
            (choices, left) = chooser.choose(omit, &mut notes);
        }
    }
    let mut set = choices.set();
    if let Some(found) = env.odd().filter(|_| !set.is_empty()) {
        notes.odd(Place::Env(candidate.holder), "a list", found);
        choices = Choices::default();
        left = Some(Reason::OddType);
        set = EnvSet::default();
    }
    let old = candidate
        .old_env
        .map(|old| Present::find(old, recorded_set));
    if inputs.is_on() {
        let place = Place::Env(candidate.holder);
        note_not_expanded(env, &present, &set, place, &mut notes);
    }
    let mut new = recorded.new;
    let edit = EnvEdit::of(env, &present, recorded_set, &set, old.as_ref(), new);
    if env.is_absent() && candidate.env.is_some() && !new.has(Part::Container) {
        let place = Place::Env(candidate.holder);
        new.set(Part::Env, inputs.object.before(env, place));
    }
    Decided {
        plan: TargetPlan {
            kind: candidate.kind,
            place: Place::Holder(candidate.holder),
            predictor: inputs.index,
            changes: changes(&present, recorded_set, &set),
            name: candidate.name,
            left,
            choices,
        },
        set,
        edit,
        new,
        omit,
        notes,
    }
}

/// Notes items of a list of variables that the API server refuses.
fn note_odd_env<'v>(env: &Env<'v>, place: Place<'v>, notes: &mut Notes<'v>) {
    for item in env.items() {
        match item {
            Lenient::Is(var) => {
                if let Lenient::Odd(found) = var.value {
                    notes.odd(place, "a string as a value", found);
                }
            }
            odd => notes.odd(place, "a variable", odd.odd().unwrap_or_default()),
        }
    }
}

/// Notes variables of the user's that refer to a variable added after them: Kubernetes expands only what is defined earlier
/// (<https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/>).
fn note_not_expanded<'v>(
    env: &Env<'v>,
    present: &Present,
    set: &EnvSet<'v>,
    place: Place<'v>,
    notes: &mut Notes<'v>,
) {
    for (at, item) in env.items().iter().enumerate() {
        let text = item.get().and_then(EnvVar::literal).unwrap_or_default();
        for name in text
            .split("$(")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once(')')?.0))
        {
            let Some(variable) = Variable::from_name(name) else {
                continue;
            };
            let is_behind = present.here(variable).is_none_or(|here| here > at);
            if set.get(variable).is_some() && is_behind {
                notes.add(Reason::NotExpanded, place, variable.name());
            }
        }
    }
}

/// What happens to each variable of ours.
fn changes(present: &Present, recorded: &EnvSet<'_>, set: &EnvSet<'_>) -> PerVariable<Change> {
    let mut changes = PerVariable::default();
    for variable in Variable::ALL {
        let here = present.here(variable).is_some();
        let stays = here && set.get(variable) == recorded.get(variable);
        *changes.get_mut(variable) = match (here, set.get(variable).is_some()) {
            (true, true) if stays => Change::Keep,
            (true, true) => Change::Replace,
            (false, true) => Change::Add,
            (true, false) => Change::Remove,
            (false, false) => Change::None,
        };
    }
    changes
}

/// What the choice for one target depends on.
struct Chooser<'c, 's, 'p, 'v> {
    inputs: &'c Inputs<'p, 'v>,
    candidate: &'c Candidate<'s, 'v>,
    env: &'c Env<'v>,
    recorded_set: &'c EnvSet<'v>,
    present: &'c Present,
}

impl<'v> Chooser<'_, '_, '_, 'v> {
    fn choose(&self, omitted: Omitted, notes: &mut Notes<'v>) -> (Choices<'v>, Option<Reason>) {
        match self.inputs.wanted {
            Wanted::Off(reason) => (Choices::default(), Some(*reason)),
            Wanted::Hold => {
                let held = self.recorded(&|variable| self.present.here(variable).is_some());
                (held, None)
            }
            Wanted::Restore => {
                let left = self.recorded_set.is_empty().then_some(Reason::Restored);
                (self.restored(omitted), left)
            }
            Wanted::On(settings) => match self.candidate.left {
                Some(reason) => (Choices::default(), Some(reason)),
                None => self.by_settings(settings, omitted, notes),
            },
        }
    }

    /// The recorded variables for which `keep` holds.
    fn recorded(&self, keep: &dyn Fn(Variable) -> bool) -> Choices<'v> {
        let mut choices = Choices::default();
        for (variable, value) in self.recorded_set.entries() {
            if keep(variable) {
                *choices.get_mut(variable) = Choice::Set(value.clone(), Origin::Record);
            }
        }
        choices
    }

    fn restored(&self, omitted: Omitted) -> Choices<'v> {
        let is_here = |variable| self.present.here(variable).is_some();
        let stays = |variable| {
            !omitted.has(variable)
                && self.present.fate(variable) != Fate::Changed
                && (is_here(variable)
                    || variable != Variable::ConfigPath
                    || self.candidate.config_volume.is_some())
        };
        // Half a pair was held while the trigger was unclear, and goes now.
        let pair_stays = |variable: Variable| {
            let other = variable.pair();
            other.is_none_or(|other| self.recorded_set.get(other).is_some() && stays(other))
        };
        self.recorded(&|variable| stays(variable) && pair_stays(variable))
    }

    fn by_settings(
        &self,
        settings: &Resolved<'v>,
        omitted: Omitted,
        notes: &mut Notes<'v>,
    ) -> (Choices<'v>, Option<Reason>) {
        let Self {
            inputs, candidate, ..
        } = self;
        let is_of_graph = matches!(
            candidate.kind,
            TargetKind::Container | TargetKind::PrepackagedServer
        );
        let is_orchestrator = candidate.kind == TargetKind::Orchestrator;
        let client = if is_orchestrator {
            Client::Executor
        } else if is_of_graph && inputs.mlservers.contains(&*candidate.name) {
            Client::MlServer
        } else {
            Client::Wrapper
        };
        let vars = UsersVars::of(self.env, self.present);
        let subject = Subject {
            holder: candidate.holder,
            client,
            vars: &vars,
            present: self.present,
            omitted,
            engine: is_orchestrator.then_some(inputs.object.engine),
        };
        let container = if is_orchestrator {
            ORCHESTRATOR
        } else {
            &candidate.name
        };
        let names = Names {
            container: Some(container),
            ..inputs.names()
        };
        subject.warn(notes);
        note_odd_env(self.env, Place::Env(candidate.holder), notes);
        let choices = subject.decide(settings, &names, candidate.config_volume, notes);
        if is_of_graph
            && inputs.own_images.contains(&*candidate.name)
            && vars.last_of(Variable::OtlpEndpoint.name()).is_none()
            && !choices.set().is_empty()
        {
            let has_endpoint = settings.get(Setting::OtlpEndpoint).is_some();
            notes.add(
                Reason::OwnMlserver,
                Place::Holder(candidate.holder),
                if has_endpoint {
                    OWN_MLSERVER_BESIDE_CONFIG
                } else {
                    OWN_MLSERVER
                },
            );
        }
        let disabled = *choices.get(Variable::Tracing) == Choice::Leave(Reason::UserDisabled);
        (choices, disabled.then_some(Reason::UserDisabled))
    }
}

/// What to do about an image of the user's that runs `MLServer`.
const OWN_MLSERVER: &str = "if it does, set the annotation tracing.seldon.io/otlp-endpoint to the HOST:PORT of an OTLP receiver";
const OWN_MLSERVER_BESIDE_CONFIG: &str = "the otlpEndpoint of the config is for prepackaged servers only; if it does, set the annotation tracing.seldon.io/otlp-endpoint";

/// The variables that the user took out: gone from a target in which others of ours still stand. A target without any of ours was written
/// anew from a manifest that never had them, which says nothing about any single one.
fn omitted(before: Omitted, set: &EnvSet<'_>, present: &Present) -> Omitted {
    let mut omitted = before;
    for (variable, _) in set.entries() {
        match present.fate(variable) {
            Fate::Gone if present.count() > 0 => omitted.set(variable),
            Fate::Here(_) | Fate::Changed => omitted.unset(variable),
            Fate::Gone | Fate::Never => {}
        }
    }
    // The other half of a pair goes with it.
    for (variable, _) in set.entries() {
        let other_is_omitted = variable.pair().is_some_and(|other| omitted.has(other));
        if other_is_omitted && present.fate(variable) != Fate::Changed {
            omitted.set(variable);
        }
    }
    omitted
}
