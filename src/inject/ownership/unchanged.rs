//! Whether two objects say the same but for what we added: the question behind stickiness.
//!
//! Each object is flattened, less what the record says is ours and is found unchanged, and the two are compared. Only if they are equal is
//! what the older object had kept or restored exactly, so "not sure" counts as "no".

use serde_json::value::RawValue;

use super::keys::Ordinals;
use super::mount::{is_our_mount, is_our_volume};
use super::piece::Piece;
use super::present::Present;
use super::record::{Part, Parts, PredictorRecord, Record, TargetRecord};
use super::roster::Roster;
use crate::seldon::lenient::{Items, Text};
use crate::seldon::object::{
    ComponentSpec, Container, Env, Explainer, PodSpec, Predictor, SvcOrchSpec,
};
use crate::seldon::{ContainerList, Lenient, SeldonDeployment};

/// Whether the specs of two objects are equal, less what is ours in each by its record.
pub(crate) fn same_less_ours(
    (new, new_record): (&SeldonDeployment<'_>, &Record<'_>),
    (old, old_record): (&SeldonDeployment<'_>, &Record<'_>),
) -> bool {
    let one = Flat::of(new, new_record);
    let other = Flat::of(old, old_record);
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| one.equals(other))
}

/// An object being flattened.
struct Flat<'v, 'a> {
    record: &'v Record<'v>,
    pieces: Vec<Piece<'v, 'a>>,
}

impl<'v, 'a> Flat<'v, 'a> {
    fn of(object: &'v SeldonDeployment<'a>, record: &'v Record<'v>) -> Vec<Piece<'v, 'a>> {
        let mut flat = Self {
            record,
            pieces: Vec::with_capacity(128),
        };
        flat.shape(&object.spec, |flat, spec| {
            flat.pieces.push(Piece::Rest(&spec.rest));
            flat.text(&spec.protocol);
            flat.shape(&spec.annotations, |flat, annotations| {
                flat.pieces.push(Piece::Rest(&annotations.rest));
            });
            let mut ordinals = Ordinals::of(
                spec.predictors
                    .items()
                    .iter()
                    .filter_map(|item| Some(&item.get()?.name)),
            );
            flat.shape(&spec.predictors, |flat, Items(predictors)| {
                for predictor in predictors {
                    flat.shape(predictor, |flat, predictor| {
                        let key = ordinals.key(&predictor.name);
                        flat.predictor(predictor, record.predictors.get(&*key));
                    });
                }
            });
        });
        flat.pieces
    }

    fn shape<T>(&mut self, shape: &'v Lenient<T>, write: impl FnOnce(&mut Self, &'v T)) {
        match shape {
            Lenient::Absent | Lenient::Null => self.pieces.push(Piece::Absent),
            Lenient::Odd("null") => self.pieces.push(Piece::Null),
            Lenient::Odd(_) => self.pieces.push(Piece::Odd),
            Lenient::Is(part) => {
                self.pieces.push(Piece::Open);
                write(self, part);
                self.pieces.push(Piece::Close);
            }
        }
    }

    /// Takes back what was written since `mark`: the part was ours alone.
    fn drop_since(&mut self, mark: usize) {
        self.pieces.truncate(mark);
        self.pieces.push(Piece::Absent);
    }

    fn text(&mut self, text: &'v Lenient<Text<'a>>) {
        self.pieces.push(match text {
            Lenient::Absent | Lenient::Null => Piece::Absent,
            Lenient::Odd(_) => Piece::Odd,
            Lenient::Is(Text(text)) => Piece::Text(text),
        });
    }

    fn raw(&mut self, raw: Option<&'a RawValue>) {
        self.pieces.push(raw.map_or(Piece::Absent, Piece::Raw));
    }

    fn predictor(&mut self, predictor: &'v Predictor<'a>, ours: Option<&'v PredictorRecord<'v>>) {
        self.pieces.push(Piece::Rest(&predictor.rest));
        self.text(&predictor.name);
        self.raw(predictor.graph);
        self.shape(&predictor.annotations, |flat, annotations| {
            flat.pieces.push(Piece::Rest(&annotations.rest));
        });
        self.orchestrator(&predictor.svc_orch_spec, ours);
        self.shape(
            &predictor.explainer,
            |flat,
             Explainer {
                 kind,
                 container_spec,
                 rest,
             }| {
                flat.text(kind);
                flat.pieces.push(Piece::Rest(rest));
                let target = ours.and_then(|ours| ours.explainer);
                flat.shape(container_spec, |flat, container| {
                    flat.container(container, target);
                });
            },
        );
        self.components(predictor, ours);
    }

    fn orchestrator(
        &mut self,
        orchestrator: &'v Lenient<SvcOrchSpec<'a>>,
        ours: Option<&'v PredictorRecord<'v>>,
    ) {
        let mark = self.pieces.len();
        let mut gone = false;
        self.shape(orchestrator, |flat, SvcOrchSpec { env, rest }| {
            flat.pieces.push(Piece::Rest(rest));
            let env_is_ours = flat.env(env, ours.and_then(|ours| ours.orchestrator.as_ref()));
            gone = env_is_ours
                && rest.is_empty()
                && ours.is_some_and(|ours| ours.new.has(Part::SvcOrchSpec));
        });
        if gone {
            self.drop_since(mark);
        }
    }

    /// Writes a list, less the items that are ours. A list that was created for ours and has no others is written as absent. Gives the
    /// number of the others.
    fn list<T>(
        &mut self,
        list: &'v Lenient<Items<T>>,
        created: bool,
        mut is_ours: impl FnMut(usize, &'v Lenient<T>) -> bool,
        mut write: impl FnMut(&mut Self, usize, &'v T),
    ) -> usize {
        let mark = self.pieces.len();
        let mut others = 0;
        self.shape(list, |flat, Items(items)| {
            for (at, item) in items.iter().enumerate() {
                if !is_ours(at, item) {
                    others += 1;
                    flat.shape(item, |flat, item| write(flat, at, item));
                }
            }
        });
        if created && others == 0 && list.get().is_some() {
            self.drop_since(mark);
        }
        others
    }

    /// Writes a list of variables. Says whether it was created for ours and has no others.
    fn env(&mut self, env: &'v Env<'a>, target: Option<&TargetRecord>) -> bool {
        let present = target.map(|target| Present::find(env, self.record.set_of(target)));
        let created = target
            .is_some_and(|target| target.new.has(Part::Env) || target.new.has(Part::Container));
        let is_ours = |at, _: &_| present.as_ref().is_some_and(|present| present.is_at(at));
        let others = self.list(env, created, is_ours, |flat, _, var| {
            flat.text(&var.name);
            flat.text(&var.value);
            flat.raw(var.value_from);
            flat.pieces.push(Piece::Rest(&var.rest));
        });
        created && others == 0 && env.odd().is_none()
    }

    fn container(&mut self, container: &'v Container<'a>, target: Option<TargetRecord>) {
        self.text(&container.name);
        self.pieces.push(Piece::Rest(&container.rest));
        self.env(&container.env, target.as_ref());
        let mounted = target.is_some_and(|target| self.record.mounts_config(&target));
        let created = target.is_some_and(|target| {
            target.new.has(Part::VolumeMounts) || target.new.has(Part::Container)
        });
        let is_ours = |_, mount: &_| mounted && is_our_mount(mount);
        let mounts = &container.volume_mounts;
        self.list(mounts, created, is_ours, |flat, _, mount| {
            flat.text(&mount.name);
            flat.text(&mount.mount_path);
            flat.pieces.push(Piece::Rest(&mount.rest));
        });
    }

    fn components(&mut self, predictor: &'v Predictor<'a>, ours: Option<&'v PredictorRecord<'v>>) {
        let components = &predictor.component_specs;
        let mark = self.pieces.len();
        let created = ours.map_or_else(Parts::default, |ours| ours.new);
        let nothing = PredictorRecord::default();
        let roster = Roster::of(predictor, self.record, ours.unwrap_or(&nothing));
        let mut left = 0;
        self.shape(components, |flat, Items(items)| {
            for (at, component) in items.iter().enumerate() {
                let item_mark = flat.pieces.len();
                let mut gone = false;
                flat.shape(component, |flat, ComponentSpec { spec, rest }| {
                    flat.pieces.push(Piece::Rest(rest));
                    let pod_mark = flat.pieces.len();
                    let mut pod_is_ours = false;
                    flat.shape(spec, |flat, pod| {
                        pod_is_ours = flat.pod(at, pod, ours, &roster);
                    });
                    let made = |part| created.has(part);
                    let item_made = made(Part::ComponentSpecs) || made(Part::ComponentSpec);
                    if pod_is_ours && (item_made || made(Part::PodSpec)) {
                        flat.drop_since(pod_mark);
                    }
                    gone = pod_is_ours && rest.is_empty() && item_made;
                });
                if gone {
                    flat.pieces.truncate(item_mark);
                } else {
                    left += 1;
                }
            }
        });
        if left == 0 && !components.items().is_empty() && created.has(Part::ComponentSpecs) {
            self.drop_since(mark);
        }
    }

    /// Writes a pod spec. Says whether everything in it is ours, its list of containers included.
    fn pod(
        &mut self,
        at: usize,
        pod: &'v PodSpec<'a>,
        ours: Option<&'v PredictorRecord<'v>>,
        roster: &Roster<'v, 'a>,
    ) -> bool {
        self.pieces.push(Piece::Rest(&pod.rest));
        // What the user emptied is the user's.
        let made = ours.is_some_and(|ours| ours.new.has_any_around_stubs())
            && !pod.containers.items().is_empty();
        let list = ContainerList::Containers;
        let is_stub = |index, _: &_| {
            let member = roster.at(at, list, index);
            member.is_some_and(|member| member.is_stub)
        };
        let others = self.list(&pod.containers, made, is_stub, |flat, index, container| {
            let member = roster.at(at, list, index);
            flat.container(container, member.and_then(|member| member.recorded));
        });
        let list_is_ours = made && others == 0;
        let list = ContainerList::InitContainers;
        let none = |_, _: &_| false;
        self.list(
            &pod.init_containers,
            false,
            none,
            |flat, index, container| {
                let member = roster.at(at, list, index);
                flat.container(container, member.and_then(|member| member.recorded));
            },
        );
        let ours_here = roster.volumes(at);
        let config_map = ours
            .and_then(|ours| ours.config_map.as_deref())
            .filter(|_| ours_here.mounted);
        let is_ours = |_, volume: &_| config_map.is_some_and(|name| is_our_volume(volume, name));
        let volumes = self.list(
            &pod.volumes,
            ours_here.created.is_some(),
            is_ours,
            |flat, _, volume| {
                flat.text(&volume.name);
                flat.pieces.push(Piece::Rest(&volume.rest));
            },
        );
        list_is_ours
            && pod.rest.is_empty()
            && pod.init_containers.is_absent()
            && volumes == 0
            && pod.volumes.odd().is_none()
    }
}
