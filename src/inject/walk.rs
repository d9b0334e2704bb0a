//! Goes through the predictors of an object: what is wanted of each, and what its decision reads.

use std::collections::HashMap;

use super::draft::{Draft, Inputs, ObjectInputs, Wanted};
use super::layers::{Layer, Origin, Resolved};
use super::ownership::keys::Keys;
use super::ownership::record::{PredictorRecord, Record};
use super::ownership::roster::Roster;
use super::patch::ConfigVolume;
use super::plan::{PredictorPlan, TargetPlan, Task};
use super::predictor::{self, Servers};
use super::reason::Reason;
use super::trigger::{Asked, Asker, Trigger, Triggers};
use crate::config::setting::{ConfigMapRef, Setting, excluded};
use crate::jaeger::{EnvValue, Variable};
use crate::seldon::object::{Predictor, name_of};
use crate::seldon::{Lenient, Place, SeldonDeployment};

/// Goes through the predictors of an object.
pub(crate) struct Walk<'p, 'v> {
    pub(crate) object: &'v SeldonDeployment<'v>,
    /// The older object, if what it had is to be restored.
    pub(crate) old: Option<&'v SeldonDeployment<'v>>,
    pub(crate) layers: [Layer<'v>; 2],
    pub(crate) task: Task<'v>,
    /// The trigger that the command line is about to write.
    pub(crate) new_trigger: Option<&'v str>,
    pub(crate) inputs: &'p ObjectInputs<'p, 'v>,
}

impl<'v> Walk<'_, 'v> {
    /// Decides all predictors.
    ///
    /// # Errors
    /// The decision would add more than an object can hold.
    pub(crate) fn predictors(
        &self,
        mut triggers: Triggers<'v, 'v>,
        draft: &mut Draft<'v>,
    ) -> Result<(), Reason> {
        let mut keys = Keys::default();
        let none = PredictorRecord::default();
        for (index, item) in self.object.predictors().iter().enumerate() {
            let Lenient::Is(view) = item else {
                let found = item.odd().unwrap_or_default();
                draft.notes.odd(Place::Predictor(index), "an object", found);
                continue;
            };
            let key = keys.key(&view.name);
            let asked = match (self.task, self.new_trigger) {
                (Task::Uninject, _) => Asked::by(Asker::Annotation, Trigger::Off(Reason::OptedOut)),
                (_, Some(value)) => {
                    // The command line has checked it.
                    let trigger = Trigger::of(value, self.inputs.config);
                    Asked::by(Asker::Annotation, trigger.unwrap_or(Trigger::On(None)))
                }
                _ => triggers.at(view, index, &mut draft.notes),
            };
            let ours = self.inputs.record.predictors.get(&*key).unwrap_or(&none);
            let is_partial = ours.is_empty() && !view.is_whole();
            let (wanted, mut reason, profile) = if is_partial && asked.by.is_some() {
                let reason = Reason::PartialObject;
                draft.notes.add(reason, Place::Predictor(index), "");
                (Wanted::Off(reason), reason, None)
            } else {
                self.wanted(&asked.trigger, view, index, draft)
            };
            let first_target = draft.targets.len();
            self.predictor(index, view, ours, &wanted, draft);
            let out = std::mem::take(&mut draft.out);
            if reason == Reason::Injected && out.is_empty() {
                reason = why_nothing(&draft.targets[first_target..]);
            }
            draft.predictors.push(PredictorPlan {
                name: name_of(&view.name),
                index,
                traced: !out.is_empty(),
                reason,
                profile,
                asked_by: asked.by,
            });
            if !out.is_empty() {
                draft.record.predictors.insert(key, out);
            }
            if let Some(reason) = draft.is_too_much() {
                return Err(reason);
            }
        }
        Ok(())
    }

    fn predictor(
        &self,
        index: usize,
        view: &'v Predictor<'v>,
        ours: &PredictorRecord<'static>,
        wanted: &Wanted<'v>,
        draft: &mut Draft<'v>,
    ) {
        let object = self.inputs;
        let old = self.old.and_then(|old| old.predictors().get(index)?.get());
        let old_roster = old.map(|old| Roster::of(old, object.record, ours));
        let excluded = match wanted {
            Wanted::On(settings) => settings
                .get(Setting::ExcludeContainers)
                .map(|(text, _)| excluded(text).collect()),
            _ => None,
        };
        let servers = Servers::read(view, index, object.protocol, wanted, draft);
        let inputs = Inputs {
            object,
            index,
            view,
            old,
            wanted,
            ours,
            roster: &Roster::of(view, object.record, ours),
            old_members: old_roster
                .as_ref()
                .map_or_else(HashMap::new, Roster::by_key),
            nodes: servers.nodes,
            mlservers: servers.mlservers,
            own_images: servers.own_images,
            excluded: excluded.unwrap_or_default(),
            config_volume: config_volume(wanted, ours, object.record),
        };
        predictor::decide(&inputs, draft);
    }

    /// What is wanted of a predictor and why, with the profile that its trigger names.
    fn wanted(
        &self,
        asked: &Trigger<'v>,
        view: &'v Predictor<'v>,
        index: usize,
        draft: &mut Draft<'v>,
    ) -> (Wanted<'v>, Reason, Option<&'v str>) {
        let profile = match *asked {
            Trigger::Off(reason) => return (Wanted::Off(reason), reason, None),
            Trigger::Unclear(reason) => return (Wanted::Hold, reason, None),
            Trigger::On(profile) => profile,
        };
        if self.old.is_some() {
            return (Wanted::Restore, Reason::Restored, profile);
        }
        let (config, notes) = (self.inputs.config, &mut draft.notes);
        let mut settings = Resolved::from_config(config, self.inputs.namespace, profile);
        let at = (Origin::PredictorAnnotation, index);
        let own = Layer::read(view.annotations.get(), at, &config.trigger, notes);
        if let Some(found) = view.name.odd() {
            notes.odd(Place::Predictor(index), "a string as its name", found);
        }
        if let Some(found) = view.annotations.odd() {
            notes.odd(Place::PredictorAnnotations(index), "an object", found);
        }
        let [spec, metadata] = &self.layers;
        settings.lay_over([spec, metadata, &own], index, notes);
        (Wanted::On(settings), Reason::Injected, profile)
    }
}

/// Why nothing is added to a predictor for which tracing is asked.
fn why_nothing(targets: &[TargetPlan<'_>]) -> Reason {
    let by_user = |target: &TargetPlan<'_>| {
        let mut choices = target.choices.iter();
        choices.any(|(_, choice)| choice.is_by_hand())
    };
    if targets.iter().any(by_user) {
        Reason::TracedByHand
    } else if targets
        .iter()
        .any(|target| target.left == Some(Reason::UserDisabled))
    {
        Reason::UserDisabled
    } else {
        Reason::NothingToTrace
    }
}

/// The `ConfigMap` to mount, as the settings or the record have it.
fn config_volume<'v>(
    wanted: &Wanted<'v>,
    ours: &PredictorRecord<'static>,
    record: &Record<'static>,
) -> Option<ConfigVolume<'v>> {
    match wanted {
        Wanted::On(settings) => {
            let (text, _) = settings.get(Setting::ConfigMap)?;
            let ConfigMapRef { name, key } = ConfigMapRef::parse(text)?;
            Some(ConfigVolume {
                name: name.to_owned().into(),
                key: key.to_owned().into(),
            })
        }
        Wanted::Restore | Wanted::Hold => {
            let name = ours.config_map.clone()?;
            let path = ours.in_pods().find_map(|target| {
                match record.set_of(target).get(Variable::ConfigPath) {
                    Some(EnvValue::Literal(path)) => Some(path),
                    _ => None,
                }
            })?;
            let key = path.rsplit('/').next()?.to_owned().into();
            Some(ConfigVolume { name, key })
        }
        Wanted::Off(_) => None,
    }
}
