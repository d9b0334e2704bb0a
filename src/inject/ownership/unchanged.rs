//! Whether two objects say the same but for what we added: the question behind stickiness.
//!
//! Each object is flattened, less what the record says is ours and is found unchanged, and the two are compared. Only if they are equal is
//! what the older object had kept or restored exactly, so "not sure" counts as "no".

use serde_json::value::RawValue;

use crate::inject::ownership::keys::Ordinals;
use crate::inject::ownership::piece::Piece;
use crate::inject::ownership::present::Owned;
use crate::inject::ownership::record::{Part, Parts, PredictorRecord, Record, TargetRecord};
use crate::inject::predictor::mount::{is_our_mount, is_our_volume};
use crate::inject::predictor::volumes::{OurVolumes, our_volumes};
use crate::seldon::lenient::{Items, Lenient, Text};
use crate::seldon::object::{
    ComponentSpec, Container, Env, Explainer, PodSpec, Predictor, SeldonDeployment, SvcOrchSpec,
    Volume,
};

/// Whether the specs of two objects are equal, less what is ours in either by that record.
pub(crate) fn same_less_ours(
    new: &SeldonDeployment<'_>,
    old: &SeldonDeployment<'_>,
    record: &Record<'_>,
) -> bool {
    let one = Flat::of(new, record);
    let other = Flat::of(old, record);
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
                    .map(|item| Some(&item.get()?.name)),
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
            Lenient::Absent => self.pieces.push(Piece::Absent),
            Lenient::Null => self.pieces.push(Piece::Null),
            Lenient::Odd(_) => self.pieces.push(Piece::Odd),
            Lenient::Is(part) => {
                self.pieces.push(Piece::Open);
                write(self, part);
                self.pieces.push(Piece::Close);
            }
        }
    }

    /// Takes back what was written since `mark`: the part was ours alone.
    fn drop_since(&mut self, mark: usize, gone: bool) {
        if gone {
            self.pieces.truncate(mark);
            self.pieces.push(Piece::Absent);
        }
    }

    /// Nothing of ours can be put back where a null stands.
    fn needs_list<T>(&mut self, is_needed: bool, list: &Lenient<Items<T>>) {
        if is_needed && list.odd().is_some() {
            self.pieces.push(Piece::Odd);
        }
    }

    fn text(&mut self, text: &'v Lenient<Text<'a>>) {
        self.pieces.push(match text {
            Lenient::Absent => Piece::Absent,
            Lenient::Null => Piece::Null,
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
                let target = ours.and_then(|ours| ours.explainer.as_ref());
                flat.shape(container_spec, |flat, container| {
                    flat.container(container, target);
                });
            },
        );
        self.components(&predictor.component_specs, ours);
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
        self.drop_since(mark, gone);
    }

    /// Writes a list of variables. Says whether it is there, ours, and has nothing of anybody else's.
    fn env(&mut self, env: &'v Env<'a>, target: Option<&TargetRecord>) -> bool {
        let mark = self.pieces.len();
        let owned = target.map(|target| Owned::find(env, self.record.set_of(target)));
        let created = target
            .is_some_and(|target| target.new.has(Part::Env) || target.new.has(Part::Container));
        let mut others = 0;
        self.shape(env, |flat, Items(items)| {
            for (at, item) in items.iter().enumerate() {
                if owned.as_ref().is_some_and(|owned| owned.is_at(at)) {
                    continue;
                }
                others += 1;
                flat.shape(item, |flat, var| {
                    flat.text(&var.name);
                    flat.text(&var.value);
                    flat.raw(var.value_from);
                    flat.pieces.push(Piece::Rest(&var.rest));
                });
            }
        });
        let ours_alone = created && others == 0 && (env.is_absent() || env.get().is_some());
        self.drop_since(mark, ours_alone);
        ours_alone
    }

    /// Writes a container. Says whether there is nothing in it but a name and what is ours.
    fn container(&mut self, container: &'v Container<'a>, target: Option<&TargetRecord>) -> bool {
        self.text(&container.name);
        self.pieces.push(Piece::Rest(&container.rest));
        let env_is_ours = self.env(&container.env, target);
        let mark = self.pieces.len();
        let mounted = target.is_some_and(|target| mounts_config(self.record, target));
        let mut others = 0;
        self.shape(&container.volume_mounts, |flat, Items(mounts)| {
            for mount in mounts {
                if mounted && is_our_mount(mount) {
                    continue;
                }
                others += 1;
                flat.shape(mount, |flat, mount| {
                    flat.text(&mount.name);
                    flat.text(&mount.mount_path);
                    flat.pieces.push(Piece::Rest(&mount.rest));
                });
            }
        });
        self.needs_list(mounted, &container.volume_mounts);
        let created = target.is_some_and(|target| {
            target.new.has(Part::VolumeMounts) || target.new.has(Part::Container)
        });
        let mounts_are_ours = created && others == 0 && container.volume_mounts.get().is_some();
        self.drop_since(mark, mounts_are_ours);
        let other_mounts = others > 0 || container.volume_mounts.odd().is_some();
        let is_empty = container.env.items().is_empty() && container.env.odd().is_none();
        (env_is_ours || is_empty) && container.rest.is_empty() && !other_mounts
    }

    fn components(
        &mut self,
        components: &'v Lenient<Items<ComponentSpec<'a>>>,
        ours: Option<&'v PredictorRecord<'v>>,
    ) {
        let mark = self.pieces.len();
        let created = ours.map_or_else(Parts::default, |ours| ours.new);
        let mut names = Ordinals::of(containers(components.items(), |pod| &pod.containers));
        let mut init_names =
            Ordinals::of(containers(components.items(), |pod| &pod.init_containers));
        let volumes = ours.map(|ours| our_volumes(components.items(), self.record, ours));
        let mut left = 0;
        self.shape(components, |flat, Items(items)| {
            for (at, component) in items.iter().enumerate() {
                let volumes = volumes
                    .as_ref()
                    .map_or_else(OurVolumes::default, |all| all[at]);
                let item_mark = flat.pieces.len();
                let mut gone = false;
                flat.shape(component, |flat, ComponentSpec { spec, rest }| {
                    flat.pieces.push(Piece::Rest(rest));
                    let pod_mark = flat.pieces.len();
                    let mut pod_is_ours = false;
                    flat.shape(spec, |flat, pod| {
                        pod_is_ours = flat.pod(pod, ours, volumes, &mut names, &mut init_names);
                    });
                    let made = |part| created.has(part);
                    let item_made = made(Part::ComponentSpecs) || made(Part::ComponentSpec);
                    flat.drop_since(pod_mark, pod_is_ours && (item_made || made(Part::PodSpec)));
                    gone = pod_is_ours && rest.is_empty() && item_made;
                });
                if gone {
                    flat.pieces.truncate(item_mark);
                } else {
                    left += 1;
                }
            }
        });
        let is_list = components.get().is_some();
        let gone = left == 0 && is_list && created.has(Part::ComponentSpecs);
        self.drop_since(mark, gone);
    }

    /// Writes a pod spec. Says whether everything in it is ours, its list of containers included.
    fn pod(
        &mut self,
        pod: &'v PodSpec<'a>,
        ours: Option<&'v PredictorRecord<'v>>,
        our_volumes: OurVolumes,
        names: &mut Ordinals<'v>,
        init_names: &mut Ordinals<'v>,
    ) -> bool {
        self.pieces.push(Piece::Rest(&pod.rest));
        let mark = self.pieces.len();
        let mut others = 0;
        self.shape(&pod.containers, |flat, Items(containers)| {
            for container in containers {
                let mark = flat.pieces.len();
                let mut stub = false;
                flat.shape(container, |flat, container| {
                    let key = names.key(&container.name);
                    let target = ours.and_then(|ours| ours.containers.get(&*key));
                    let ours_alone = flat.container(container, target);
                    stub =
                        ours_alone && target.is_some_and(|target| target.new.has(Part::Container));
                });
                if stub {
                    flat.pieces.truncate(mark);
                } else {
                    others += 1;
                }
            }
        });
        let made = ours.is_some_and(|ours| {
            [
                Part::ComponentSpecs,
                Part::ComponentSpec,
                Part::PodSpec,
                Part::Containers,
            ]
            .into_iter()
            .any(|part| ours.new.has(part))
        });
        let list_is_ours = made && others == 0 && pod.containers.get().is_some();
        self.drop_since(mark, list_is_ours);
        self.shape(&pod.init_containers, |flat, Items(containers)| {
            for container in containers {
                flat.shape(container, |flat, container| {
                    let key = init_names.key(&container.name);
                    let target = ours.and_then(|ours| ours.init_containers.get(&*key));
                    flat.container(container, target);
                });
            }
        });
        let config_map = ours
            .and_then(|ours| ours.config_map.as_deref())
            .filter(|_| our_volumes.mounted);
        let volumes_left = self.volumes(&pod.volumes, config_map, our_volumes);
        list_is_ours && pod.rest.is_empty() && pod.init_containers.is_absent() && !volumes_left
    }

    /// Writes the volumes. Says whether any is left.
    fn volumes(
        &mut self,
        volumes: &'v Lenient<Items<Volume<'a>>>,
        config_map: Option<&str>,
        ours: OurVolumes,
    ) -> bool {
        let mark = self.pieces.len();
        let mut others = 0;
        self.shape(volumes, |flat, Items(volumes)| {
            for volume in volumes {
                if config_map.is_some_and(|name| is_our_volume(volume, name)) {
                    continue;
                }
                others += 1;
                flat.shape(volume, |flat, volume| {
                    flat.text(&volume.name);
                    flat.pieces.push(Piece::Rest(&volume.rest));
                });
            }
        });
        self.needs_list(config_map.is_some(), volumes);
        self.drop_since(mark, ours.created && others == 0 && volumes.get().is_some());
        others > 0 || volumes.odd().is_some()
    }
}

/// Whether the target holds the variable that goes with the mounted `ConfigMap`.
fn mounts_config(record: &Record<'_>, target: &TargetRecord) -> bool {
    record
        .set_of(target)
        .get(crate::jaeger::Variable::ConfigPath)
        .is_some()
}

/// The names of all containers of a predictor, in order.
pub(crate) fn containers<'v, 'a: 'v>(
    components: &'v [Lenient<ComponentSpec<'a>>],
    list: impl Fn(&'v PodSpec<'a>) -> &'v Lenient<Items<Container<'a>>> + Clone + 'v,
) -> impl Iterator<Item = Option<&'v Lenient<Text<'a>>>> + Clone {
    components
        .iter()
        .filter_map(|component| component.get()?.spec.get())
        .flat_map(move |pod| list(pod).items())
        .map(|container| Some(&container.get()?.name))
}
