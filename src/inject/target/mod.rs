//! One target: what it gets, and the operations on its environment and its mounts.

pub(crate) mod choose;

use std::borrow::Cow;
use std::rc::Rc;

use crate::config::template::Names;
use crate::inject::layers::Origin;
use crate::inject::ownership::present::{Fate, Owned, UsersVars};
use crate::inject::ownership::record::{Omitted, Part, TargetRecord};
use crate::inject::patch::Op;
use crate::inject::patch::{ConfigVolume, EnvEntries, NewValue};
use crate::inject::predictor::{PredictorWalk, Wanted};
use crate::inject::reason::Reason;
use crate::inject::target::choose::{Choice, Choices, Subject};
use crate::jaeger::crashes::Reader;
use crate::jaeger::variable::{EnvSet, PerVariable, Variable};
use crate::seldon::lenient::Lenient;
use crate::seldon::object::Env;
use crate::seldon::place::{Holder, Place};

/// The kinds of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// A container of the manifest.
    Container,
    /// An init container of the manifest.
    InitContainer,
    /// The orchestrator of a predictor.
    Orchestrator,
    /// A prepackaged server that has no container in the manifest but the stub that we add.
    PrepackagedServer,
    /// The explainer of a predictor.
    Explainer,
}

impl TargetKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Container,
        Self::InitContainer,
        Self::Orchestrator,
        Self::PrepackagedServer,
        Self::Explainer,
    ];

    /// The stable name in `explain`, metrics and audit annotations.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::InitContainer => "init-container",
            Self::Orchestrator => "orchestrator",
            Self::PrepackagedServer => "prepackaged-server",
            Self::Explainer => "explainer",
        }
    }
}

/// What happens to a variable of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// It is not there and does not come.
    #[default]
    None,
    /// It is added.
    Add,
    /// It is there as it should be.
    Keep,
    /// It goes.
    Remove,
}

/// The decision for one target.
#[derive(Clone, Debug)]
pub struct TargetPlan<'a> {
    /// What kind of target it is.
    pub kind: TargetKind,
    /// Where it stands; for a stub that is added, where it will stand.
    pub place: Place<'a>,
    /// Index of its predictor.
    pub predictor: usize,
    /// Name of the container, or nothing for an orchestrator.
    pub name: Cow<'a, str>,
    /// Why the target as a whole is left alone, if it is.
    pub left: Option<Reason>,
    /// What is done about each variable.
    pub choices: Choices<'a>,
    /// What happens to each variable of ours.
    pub changes: PerVariable<Change>,
}

/// A target before it is decided.
#[derive(Clone)]
pub(crate) struct Candidate<'s, 'v> {
    pub(crate) kind: TargetKind,
    pub(crate) holder: Holder,
    pub(crate) name: Cow<'v, str>,
    pub(crate) env: &'s Env<'v>,
    pub(crate) recorded: Option<TargetRecord>,
    /// A reason to leave it alone that has nothing to do with what is in it.
    pub(crate) left: Option<Reason>,
    /// The `ConfigMap` that can be mounted here.
    pub(crate) config_volume: Option<&'s ConfigVolume<'v>>,
    /// The target in the older object.
    pub(crate) old_env: Option<&'s Env<'v>>,
    /// Whether the variables come or go with the whole container, so that its env is not edited.
    pub(crate) as_stub: bool,
}

impl Candidate<'_, '_> {
    /// Whether a node of the graph can run in it.
    const fn is_of_graph(&self) -> bool {
        matches!(
            self.kind,
            TargetKind::Container | TargetKind::PrepackagedServer
        )
    }
}

/// What became of a target.
pub(crate) struct Decided<'v> {
    pub(crate) set: EnvSet<'v>,
    /// The variables in the order in which they are written.
    pub(crate) entries: EnvEntries<'v>,
    /// What to record of it.
    pub(crate) record: Option<TargetRecord>,
    /// Whether its env was ours alone and goes.
    pub(crate) env_goes: bool,
}

impl<'v> PredictorWalk<'_, 'v> {
    /// Decides one target and edits its env.
    pub(crate) fn target(&mut self, candidate: Candidate<'_, 'v>) -> Decided<'v> {
        let Candidate {
            holder,
            env,
            recorded,
            ..
        } = candidate;
        let nothing = EnvSet::default();
        let recorded_set = recorded.map_or(&nothing, |recorded| self.ours_record.set_of(&recorded));
        let owned = Owned::find(env, recorded_set);
        let mut omitted = omitted(recorded, recorded_set, &owned);
        let (mut choices, mut left) = self.choose(&candidate, recorded_set, &owned, omitted);
        let mut set = choices.set();
        // Where nothing would be left to remember it by, what the user takes out now comes back.
        let before = recorded.map(|recorded| recorded.omit).unwrap_or_default();
        for less in [before, Omitted::default()] {
            if !set.is_empty() || omitted == less {
                continue;
            }
            omitted = less;
            (choices, left) = self.choose(&candidate, recorded_set, &owned, omitted);
            set = choices.set();
        }
        let env_is_odd = env.odd();
        if let Some(found) = env_is_odd.filter(|_| !set.is_empty()) {
            self.planner.notes.odd(Place::Env(holder), "a list", found);
            choices = Choices::default();
            left = Some(Reason::OddType);
            set = EnvSet::default();
        }
        let mut changes = PerVariable::default();
        for variable in Variable::ALL {
            let here = owned.here(variable).is_some();
            let stays = here && set.get(variable) == recorded_set.get(variable);
            *changes.get_mut(variable) = match (here, set.get(variable).is_some()) {
                (true, true) if stays => Change::Keep,
                (_, true) => Change::Add,
                (true, false) => Change::Remove,
                (false, false) => Change::None,
            };
        }
        let positions = candidate.old_env.map(|old| Owned::find(old, recorded_set));
        let entries = in_order(&set, positions.as_ref());
        let created = recorded.is_some_and(|recorded| recorded.new.has(Part::Env));
        let env_goes = !candidate.as_stub
            && self.edit_env(
                &candidate,
                &owned,
                recorded_set,
                &set,
                positions.as_ref(),
                created,
            );
        let mut record = (!set.is_empty()).then(|| TargetRecord {
            set: self.planner.count(&candidate.name, &set),
            new: recorded.map(|recorded| recorded.new).unwrap_or_default(),
            omit: omitted,
        });
        if let Some(record) = record
            .as_mut()
            .filter(|record| !record.new.has(Part::Container))
            .filter(|_| env.is_absent() && !candidate.as_stub)
        {
            record.new.set(Part::Env);
        }
        self.planner.targets.push(TargetPlan {
            kind: candidate.kind,
            place: Place::Holder(holder),
            predictor: self.index,
            name: candidate.name,
            left,
            choices,
            changes,
        });
        Decided {
            set,
            entries,
            record,
            env_goes,
        }
    }

    fn choose(
        &mut self,
        candidate: &Candidate<'_, 'v>,
        recorded_set: &EnvSet<'v>,
        owned: &Owned,
        omitted: Omitted,
    ) -> (Choices<'v>, Option<Reason>) {
        let recorded = |keep: &dyn Fn(Variable) -> bool| {
            let mut choices = Choices::default();
            for (variable, value) in recorded_set
                .entries()
                .filter(|(variable, _)| keep(*variable))
            {
                *choices.get_mut(variable) = Choice::Set(value.clone(), Origin::Record);
            }
            choices
        };
        match &self.wanted {
            Wanted::Off(reason) => (Choices::default(), Some(*reason)),
            Wanted::Hold => (recorded(&|variable| owned.here(variable).is_some()), None),
            Wanted::Restore => {
                let can_stand = |variable| {
                    owned.here(variable).is_some()
                        || variable != Variable::ConfigPath
                        || candidate.config_volume.is_some()
                };
                let stays = |variable| {
                    !omitted.has(variable)
                        && owned.fate(variable) != Fate::Changed
                        && can_stand(variable)
                };
                // Half a pair stays where it stands, but is not written.
                let pair_stays = |variable: Variable| {
                    variable.pair().is_none_or(|other| {
                        if recorded_set.get(other).is_some() {
                            stays(other)
                        } else {
                            owned.here(variable).is_some()
                        }
                    })
                };
                let present = |variable| stays(variable) && pair_stays(variable);
                let left = recorded_set.is_empty().then_some(Reason::Restored);
                (recorded(&present), left)
            }
            Wanted::On(settings) => {
                if let Some(reason) = candidate.left.or_else(|| self.planner.is_too_much()) {
                    return (Choices::default(), Some(reason));
                }
                let is_orchestrator = candidate.kind == TargetKind::Orchestrator;
                let engine = Rc::clone(&self.planner.engine);
                let vars = UsersVars::of(candidate.env, owned);
                let reader = if is_orchestrator {
                    Reader::Executor
                } else if candidate.is_of_graph() && self.is_mlserver(&candidate.name) {
                    Reader::MlServer
                } else {
                    Reader::Wrapper
                };
                let subject = Subject {
                    holder: candidate.holder,
                    reader,
                    vars: &vars,
                    owned,
                    omitted,
                    engine: is_orchestrator.then_some(&engine),
                };
                let names = Names {
                    container: Some(if is_orchestrator {
                        ORCHESTRATOR
                    } else {
                        &candidate.name
                    }),
                    ..self.names()
                };
                subject.warn(&mut self.planner.notes);
                let choices = subject.decide(
                    settings,
                    &names,
                    candidate.config_volume,
                    &mut self.planner.notes,
                );
                let disabled =
                    *choices.get(Variable::Tracing) == Choice::Leave(Reason::UserDisabled);
                (choices, disabled.then_some(Reason::UserDisabled))
            }
        }
    }

    /// Says whether the env as a whole is ours and goes; then nothing else was done to it.
    fn edit_env(
        &mut self,
        candidate: &Candidate<'_, 'v>,
        owned: &Owned,
        recorded_set: &EnvSet<'v>,
        set: &EnvSet<'v>,
        positions: Option<&Owned>,
        created: bool,
    ) -> bool {
        let list = Place::Env(candidate.holder);
        let stays = |variable| set.get(variable) == recorded_set.get(variable);
        let mut goes: Vec<usize> = Variable::ALL
            .into_iter()
            .filter(|variable| !stays(*variable))
            .flat_map(|variable| owned.all_of(variable))
            .collect();
        let mut comes: Vec<_> = set
            .entries()
            .filter(|(variable, _)| !(owned.here(*variable).is_some() && stays(*variable)))
            .map(|(variable, value)| {
                (
                    positions.and_then(|old| old.here(variable)),
                    variable,
                    value,
                )
            })
            .collect();
        let length = candidate.env.items().len();
        if comes.is_empty() && created && goes.len() == length && length > 0 {
            return true;
        }
        goes.sort_unstable_by(|one, other| other.cmp(one));
        let left = length - goes.len();
        self.planner
            .ops
            .extend(goes.into_iter().map(|at| Op::RemoveItem(list, at)));
        // A new list under a new orchestrator is added with it.
        if candidate.env.is_absent() {
            return false;
        }
        comes.sort_by_key(|(position, ..)| position.unwrap_or(usize::MAX));
        for ((position, variable, value), count) in comes.into_iter().zip(left..) {
            let entry = NewValue::EnvVar(variable, value.clone());
            self.planner.ops.push(match position {
                Some(at) if at < count => Op::Insert(list, at, entry),
                _ => Op::Append(list, entry),
            });
        }
        false
    }
}

/// The orchestrator's container, which is in no manifest.
pub(crate) const ORCHESTRATOR: &str = "seldon-container-engine";

/// The variables that the user took out: gone from a target in which others of ours still stand. A target without any of ours was written
/// anew from a manifest that never had them, which says nothing about any single one.
fn omitted(recorded: Option<TargetRecord>, set: &EnvSet<'_>, owned: &Owned) -> Omitted {
    let mut omitted = recorded.map(|recorded| recorded.omit).unwrap_or_default();
    for (variable, _) in set.entries() {
        match owned.fate(variable) {
            Fate::Gone if owned.count() > 0 => omitted.set(variable),
            Fate::Here(_) | Fate::Changed => omitted.unset(variable),
            Fate::Gone | Fate::Never => {}
        }
    }
    // The other half of a pair goes with it.
    for (variable, _) in set.entries() {
        let other_is_omitted = variable.pair().is_some_and(|other| omitted.has(other));
        if other_is_omitted && owned.fate(variable) != Fate::Changed {
            omitted.set(variable);
        }
    }
    omitted
}

/// Variables in writing order, or in the order in which they stood before.
fn in_order<'v>(set: &EnvSet<'v>, positions: Option<&Owned>) -> EnvEntries<'v> {
    let mut entries: EnvEntries<'v> = set
        .entries()
        .map(|(variable, value)| (variable, value.clone()))
        .collect();
    if let Some(old) = positions {
        entries.sort_by_key(|(variable, _)| old.here(*variable).unwrap_or(usize::MAX));
    }
    entries
}

/// A missing environment, for a container that is not there yet.
pub(crate) const NO_ENV: &Env<'static> = &Lenient::Absent;
