//! The places in a `SeldonDeployment`. No other module spells a path.

use std::fmt::{self, Display, Formatter, Write};

/// Which containers of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContainerList {
    /// `containers`
    Containers,
    /// `initContainers`
    InitContainers,
}

/// Something that holds environment variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A container of `componentSpecs[].spec`.
    Container {
        /// Index of the predictor.
        predictor: usize,
        /// Index of the componentSpec.
        component: usize,
        /// The list in its pod.
        list: ContainerList,
        /// Index in that list.
        index: usize,
    },
    /// `svcOrchSpec` of a predictor.
    Orchestrator(usize),
    /// `explainer.containerSpec` of a predictor.
    Explainer(usize),
}

/// A place in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// The object itself.
    Object,
    /// `metadata`
    Metadata,
    /// `metadata.annotations`
    Annotations,
    /// One of them.
    Annotation(&'a str),
    /// `spec`
    Spec,
    /// `spec.annotations`
    SpecAnnotations,
    /// One of them.
    SpecAnnotation(&'a str),
    /// `spec.predictors`
    Predictors,
    /// One of them.
    Predictor(usize),
    /// Its `annotations`.
    PredictorAnnotations(usize),
    /// One of them.
    PredictorAnnotation(usize, &'a str),
    /// Its `graph`.
    Graph(usize),
    /// Its `svcOrchSpec`.
    SvcOrchSpec(usize),
    /// Its `explainer`.
    Explainer(usize),
    /// Its `componentSpecs`.
    ComponentSpecs(usize),
    /// One of them.
    ComponentSpec(usize, usize),
    /// The `spec` of one of them.
    PodSpec(usize, usize),
    /// The `volumes` of that.
    Volumes(usize, usize),
    /// The `containers` or `initContainers` of that.
    Containers(usize, usize, ContainerList),
    /// A container, an orchestrator or an explainer's container.
    Holder(Holder),
    /// Its `env`.
    Env(Holder),
    /// Its `volumeMounts`.
    VolumeMounts(Holder),
}

enum Segment<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    fn each(self, visit: &mut dyn FnMut(Segment<'a>) -> fmt::Result) -> fmt::Result {
        use Segment::{Index, Key};
        let (parent, last) = match self {
            Self::Object => return Ok(()),
            Self::Metadata => (Self::Object, Key("metadata")),
            Self::Annotations => (Self::Metadata, Key("annotations")),
            Self::Annotation(key) => (Self::Annotations, Key(key)),
            Self::Spec => (Self::Object, Key("spec")),
            Self::SpecAnnotations => (Self::Spec, Key("annotations")),
            Self::SpecAnnotation(key) => (Self::SpecAnnotations, Key(key)),
            Self::Predictors => (Self::Spec, Key("predictors")),
            Self::Predictor(index) => (Self::Predictors, Index(index)),
            Self::PredictorAnnotations(index) => (Self::Predictor(index), Key("annotations")),
            Self::PredictorAnnotation(index, key) => (Self::PredictorAnnotations(index), Key(key)),
            Self::Graph(index) => (Self::Predictor(index), Key("graph")),
            Self::SvcOrchSpec(index) | Self::Holder(Holder::Orchestrator(index)) => {
                (Self::Predictor(index), Key("svcOrchSpec"))
            }
            Self::Explainer(index) => (Self::Predictor(index), Key("explainer")),
            Self::ComponentSpecs(index) => (Self::Predictor(index), Key("componentSpecs")),
            Self::ComponentSpec(predictor, index) => {
                (Self::ComponentSpecs(predictor), Index(index))
            }
            Self::PodSpec(predictor, index) => (Self::ComponentSpec(predictor, index), Key("spec")),
            Self::Volumes(predictor, index) => (Self::PodSpec(predictor, index), Key("volumes")),
            Self::Containers(predictor, index, list) => (
                Self::PodSpec(predictor, index),
                Key(match list {
                    ContainerList::Containers => "containers",
                    ContainerList::InitContainers => "initContainers",
                }),
            ),
            Self::Holder(Holder::Container {
                predictor,
                component,
                list,
                index,
            }) => (Self::Containers(predictor, component, list), Index(index)),
            Self::Holder(Holder::Explainer(index)) => {
                (Self::Explainer(index), Key("containerSpec"))
            }
            Self::Env(holder) => (Self::Holder(holder), Key("env")),
            Self::VolumeMounts(holder) => (Self::Holder(holder), Key("volumeMounts")),
        };
        parent.each(visit)?;
        visit(last)
    }

    /// The JSON Pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) of the place.
    #[must_use]
    pub fn pointer(self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.write_pointer(&mut text);
        text
    }

    /// Writes the JSON Pointer behind what is already in `out`.
    pub(crate) fn write_pointer(self, out: &mut dyn Write) -> fmt::Result {
        self.each(&mut |segment| match segment {
            Segment::Index(index) => write!(out, "/{index}"),
            Segment::Key(key) => {
                out.write_char('/')?;
                for part in key.split_inclusive(['~', '/']) {
                    let plain = part.trim_end_matches(['~', '/']);
                    out.write_str(plain)?;
                    out.write_str(match &part[plain.len()..] {
                        "~" => "~0",
                        "/" => "~1",
                        _ => "",
                    })?;
                }
                Ok(())
            }
        })
    }
}

impl Segment<'_> {
    /// Writes it as people do, behind other segments unless it is the first.
    fn write(&self, out: &mut dyn Write, is_first: bool) -> fmt::Result {
        match self {
            Self::Index(index) => write!(out, "[{index}]"),
            Self::Key(key) if is_word(key) => {
                write!(out, "{}{key}", if is_first { "" } else { "." })
            }
            Self::Key(key) => write!(out, "[{key:?}]"),
        }
    }
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// As people write it: `spec.predictors[0].graph`, `metadata.annotations["tracing"]`.
impl Display for Place<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if *self == Self::Object {
            return formatter.write_str("the object");
        }
        let mut is_first = true;
        self.each(&mut |segment| segment.write(formatter, std::mem::take(&mut is_first)))
    }
}

/// A JSON Pointer as people write it: `/spec/predictors/0/graph` as `spec.predictors[0].graph`.
#[must_use]
pub fn pointer_for_people(pointer: &str) -> String {
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let is_first = path.is_empty();
        let is_index = is_word(&token) && token.bytes().all(|byte| byte.is_ascii_digit());
        // Writing into a String cannot fail.
        let _ = match &*token {
            "-" => path.write_str("[]"),
            index if is_index => write!(path, "[{index}]"),
            key => Segment::Key(key).write(&mut path, is_first),
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spelled_for_machines_and_for_people() {
        let env = Place::Env(Holder::Container {
            predictor: 0,
            component: 1,
            list: ContainerList::InitContainers,
            index: 2,
        });
        assert_eq!(
            env.pointer(),
            "/spec/predictors/0/componentSpecs/1/spec/initContainers/2/env"
        );
        assert_eq!(
            env.to_string(),
            "spec.predictors[0].componentSpecs[1].spec.initContainers[2].env"
        );
        let annotation = Place::Annotation("a.b/c~d~/e");
        assert_eq!(annotation.pointer(), "/metadata/annotations/a.b~1c~0d~0~1e");
        assert_eq!(
            annotation.to_string(),
            "metadata.annotations[\"a.b/c~d~/e\"]"
        );
        assert_eq!(
            Place::Holder(Holder::Explainer(3)).to_string(),
            "spec.predictors[3].explainer.containerSpec"
        );
        assert_eq!(Place::Object.to_string(), "the object");
    }
}
