//! One predictor: its orchestrator, its explainer and, in [`super::components`], its containers and prepackaged servers.

pub(crate) mod components;
pub(crate) mod mount;
pub(crate) mod servers;
pub(crate) mod stubs;
pub(crate) mod volumes;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::config::setting::{ConfigMapRef, Setting, excluded};
use crate::config::template::Names;
use crate::inject::layers::Resolved;
use crate::inject::ownership::record::{Part, PredictorRecord, Record};
use crate::inject::patch::Op;
use crate::inject::patch::{ConfigVolume, NewValue};
use crate::inject::planner::Planner;
use crate::inject::predictor::mount::is_our_volume;
use crate::inject::predictor::servers::speaks_v2;
use crate::inject::reason::Reason;
use crate::inject::target::{Candidate, NO_ENV, ORCHESTRATOR, TargetKind};
use crate::jaeger::variable::{EnvValue, Variable};
use crate::seldon::graph::Node;
use crate::seldon::lenient::Lenient;
use crate::seldon::object::{Predictor, name_of};
use crate::seldon::place::{Holder, Place};

/// What is wanted of a predictor.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each predictor, on the stack"
)]
pub(crate) enum Wanted<'v> {
    /// Nothing of ours in it.
    Off(Reason),
    /// What is there of ours, and no more.
    Hold,
    /// What the record says, exactly.
    Restore,
    /// What the settings say.
    On(Resolved<'v>),
}

/// A predictor being decided.
pub(crate) struct PredictorWalk<'p, 'v> {
    pub(crate) planner: &'p mut Planner<'v>,
    pub(crate) index: usize,
    pub(crate) view: &'v Predictor<'v>,
    pub(crate) old: Option<&'v Predictor<'v>>,
    pub(crate) wanted: Wanted<'v>,
    pub(crate) protocol: Option<&'v str>,
    /// The nodes of the graph, if the settings decide; none where it cannot be read.
    pub(crate) nodes: Vec<Node<'v>>,
    /// The names of those that run in `MLServer`.
    pub(crate) mlservers: HashSet<Cow<'v, str>>,
    /// The names that the settings exclude.
    pub(crate) excluded: HashSet<String>,
    /// The record that says what in the predictor is ours …
    pub(crate) ours_record: &'p Record<'v>,
    /// … and its part on this predictor.
    pub(crate) ours: &'p PredictorRecord<'v>,
    /// What will be recorded of it.
    pub(crate) out: PredictorRecord<'v>,
}

impl<'v> PredictorWalk<'_, 'v> {
    /// Decides all the targets of the predictor.
    pub(crate) fn walk(mut self) -> PredictorRecord<'v> {
        if let Wanted::On(settings) = &self.wanted {
            if let Some((text, _)) = settings.get(Setting::ExcludeContainers) {
                self.excluded = excluded(text).map(str::to_owned).collect();
            }
            self.nodes = self.read_graph();
            self.mlservers = self.find_mlservers();
        }
        let config_volume = self.config_volume();
        self.components(config_volume.as_ref());
        self.orchestrator();
        self.explainer();
        let record = &self.planner.record;
        let mounts = |target| record.set_of(target).get(Variable::ConfigPath).is_some();
        if self.out.in_pods().any(mounts) {
            self.out.config_map = config_volume.map(|volume| volume.name);
        }
        self.out
    }

    pub(crate) fn names(&self) -> Names<'v> {
        Names {
            namespace: self.planner.namespace,
            name: self.planner.name,
            predictor: name_of(&self.view.name),
            container: None,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self.wanted, Wanted::On(_))
    }

    /// The reason to leave a kind of target alone that is switched off.
    pub(crate) fn switched_off(on: bool) -> Option<Reason> {
        (!on).then_some(Reason::TargetSwitchedOff)
    }

    /// Whether the settings exclude a container.
    pub(crate) fn excludes(&self, name: &str) -> bool {
        self.excluded.contains(name)
    }

    /// The `ConfigMap` to mount, as the settings or the record have it.
    fn config_volume(&self) -> Option<ConfigVolume<'v>> {
        match &self.wanted {
            Wanted::On(settings) => {
                let (text, _) = settings.get(Setting::ConfigMap)?;
                let ConfigMapRef { name, key } = ConfigMapRef::parse(text)?;
                Some(ConfigVolume {
                    name: name.to_owned().into(),
                    key: key.to_owned().into(),
                })
            }
            Wanted::Restore | Wanted::Hold => {
                let name = self.ours.config_map.clone()?;
                let path = self.ours.in_pods().find_map(|target| {
                    match self.ours_record.set_of(target).get(Variable::ConfigPath) {
                        Some(EnvValue::Literal(path)) => Some(path.clone()),
                        _ => None,
                    }
                })?;
                let key = path.rsplit('/').next()?.to_owned();
                Some(ConfigVolume {
                    name,
                    key: key.into(),
                })
            }
            Wanted::Off(_) => None,
        }
    }

    /// Whether a volume is one that the record says we put there.
    pub(crate) fn owns_volume(&self, volume: &Lenient<crate::seldon::object::Volume<'_>>) -> bool {
        self.ours
            .config_map
            .as_deref()
            .is_some_and(|name| is_our_volume(volume, name))
    }

    fn orchestrator(&mut self) {
        let holder = Holder::Orchestrator(self.index);
        let place = Place::SvcOrchSpec(self.index);
        let (env, rest_is_empty) = match &self.view.svc_orch_spec {
            Lenient::Absent => (NO_ENV, true),
            Lenient::Is(found) => (&found.env, found.rest.is_empty()),
            odd => {
                if self.is_on() {
                    self.planner
                        .notes
                        .odd(place, "an object", odd.odd().unwrap_or_default());
                }
                return;
            }
        };
        let no_engine = self.view.annotations.get().is_some_and(|annotations| {
            annotations
                .get("seldon.io/no-engine")
                .text()
                .is_some_and(|text| text.eq_ignore_ascii_case("true"))
        });
        let left = if no_engine {
            Some(Reason::NoOrchestrator)
        } else if self.excludes(ORCHESTRATOR) {
            Some(Reason::Excluded)
        } else {
            Self::switched_off(self.planner.config.targets.orchestrator)
        };
        let old_env = self
            .old
            .and_then(|old| old.svc_orch_spec.get())
            .map(|old| &old.env);
        let decided = self.target(Candidate {
            kind: TargetKind::Orchestrator,
            holder,
            name: "".into(),
            env,
            recorded: self.ours.orchestrator,
            left,
            config_volume: None,
            old_env,
            as_stub: false,
        });
        let created = self.ours.new.has(Part::SvcOrchSpec);
        let is_empty = rest_is_empty && env.items().is_empty() && env.odd().is_none();
        if created && is_empty && decided.set.is_empty() {
            // The user emptied what was created for our variables.
            if !self.view.svc_orch_spec.is_absent() {
                self.planner.ops.push(Op::Remove(place));
            }
        } else if decided.env_goes {
            let all_goes = created && rest_is_empty;
            self.planner.ops.push(Op::Remove(if all_goes {
                place
            } else {
                Place::Env(holder)
            }));
        } else if env.is_absent() && !decided.set.is_empty() {
            let absent = self.view.svc_orch_spec.is_absent();
            self.planner.ops.push(if absent {
                self.out.new.set(Part::SvcOrchSpec);
                Op::Add(place, NewValue::SvcOrchSpec(decided.entries))
            } else {
                Op::Add(Place::Env(holder), NewValue::Env(decided.entries))
            });
        }
        if decided.record.is_some() && created {
            self.out.new.set(Part::SvcOrchSpec);
        }
        self.out.orchestrator = decided.record;
    }

    fn explainer(&mut self) {
        let place = Place::Explainer(self.index);
        let explainer = match &self.view.explainer {
            Lenient::Absent | Lenient::Null => return,
            Lenient::Is(explainer) => explainer,
            Lenient::Odd(found) => {
                if self.is_on() {
                    self.planner.notes.odd(place, "an object", found);
                }
                return;
            }
        };
        let holder = Holder::Explainer(self.index);
        let overwritten = speaks_v2(self.protocol);
        let container = match &explainer.container_spec {
            Lenient::Is(container) => container,
            Lenient::Absent => {
                if self.is_on() {
                    let reason = if name_of(&explainer.kind).is_none() {
                        Reason::ExplainerWithoutType
                    } else {
                        Reason::ExplainerWithoutContainer
                    };
                    self.planner.notes.add(reason, place, "");
                }
                return;
            }
            odd => {
                if self.is_on() {
                    self.planner.notes.odd(
                        Place::Holder(holder),
                        "an object",
                        odd.odd().unwrap_or_default(),
                    );
                }
                return;
            }
        };
        let left = if name_of(&explainer.kind).is_none() {
            Some(Reason::ExplainerWithoutType)
        } else if overwritten {
            Some(Reason::ExplainerOverwritten)
        } else {
            Self::switched_off(self.planner.config.targets.explainer)
        };
        let name = name_of(&container.name).unwrap_or_default();
        let left = left.or_else(|| self.excludes(name).then_some(Reason::Excluded));
        let old_env = self
            .old
            .and_then(|old| old.explainer.get()?.container_spec.get())
            .map(|container| &container.env);
        let decided = self.target(Candidate {
            kind: TargetKind::Explainer,
            holder,
            name: name.into(),
            env: &container.env,
            recorded: self.ours.explainer,
            left,
            config_volume: None,
            old_env,
            as_stub: false,
        });
        if decided.env_goes {
            self.planner.ops.push(Op::Remove(Place::Env(holder)));
        } else if container.env.is_absent() && !decided.set.is_empty() {
            self.planner
                .ops
                .push(Op::Add(Place::Env(holder), NewValue::Env(decided.entries)));
        }
        self.out.explainer = decided.record;
    }
}
